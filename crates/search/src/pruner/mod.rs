//! Pruners, which stop trials early.

mod collapse;
mod exemption;
mod halving;
mod hyperband;
mod patience;
mod percentile;
mod signed_rank;
mod threshold;
mod wilcoxon;

use std::collections::BTreeMap;

pub use exemption::Exemption;
pub use percentile::pruning_bars;

use allometry_core::{
    Direction, EarlyStop, FrozenTrial, ParamValue, Params, PrunerKind, PrunerSpec, TrialNumber,
};

use crate::sampler::StudyView;

/// The reports of a running trial, the input of a pruner.
#[derive(Debug, Clone, Copy)]
pub struct ReportingTrial<'a> {
    /// Number of the trial.
    pub number: TrialNumber,
    /// Configuration of the trial.
    pub params: &'a Params,
    /// Objective value by step, the newest included; NaN allowed.
    pub intermediate: &'a BTreeMap<i64, f64>,
    /// Other metrics of each step by name.
    pub metrics: &'a BTreeMap<i64, BTreeMap<String, f64>>,
}

impl ReportingTrial<'_> {
    /// The latest step and its value.
    fn last(&self) -> Option<(i64, f64)> {
        self.intermediate.last_key_value().map(|(step, value)| (*step, *value))
    }
}

/// Decision of a pruner after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The trial continues.
    Continue,
    /// The trial stops.
    Stop(EarlyStop),
}

impl Decision {
    fn prune_if(condition: bool) -> Self {
        if condition { Self::Stop(EarlyStop::Pruned) } else { Self::Continue }
    }
}

/// The trials that a trial is compared with, which may include the trial itself.
struct Peers<'a> {
    view: &'a StudyView<'a>,
    /// Parameter and value that all of them have; `None` for all trials of the view.
    having: Option<(&'a str, &'a ParamValue)>,
}

impl<'a> Peers<'a> {
    /// Ended trials.
    fn finished(&self) -> impl Iterator<Item = &'a FrozenTrial> {
        self.of(self.view.finished)
    }

    /// All trials, ended ones first.
    fn all(&self) -> impl Iterator<Item = &'a FrozenTrial> {
        self.of(self.view.finished).chain(self.of(self.view.running))
    }

    fn of(&self, trials: &'a [FrozenTrial]) -> impl Iterator<Item = &'a FrozenTrial> {
        let having = self.having;
        trials
            .iter()
            .filter(move |trial| having.is_none_or(|(name, value)| trial.params.get(name) == Some(value)))
    }
}

/// Decides whether a trial continues. A rule keeps no state between calls.
trait Rule: Send + Sync {
    /// The decision after the trial's latest report.
    fn decide(&self, peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision;
}

/// The properties of a study that a pruner needs in addition to the trials.
#[derive(Debug, Clone)]
pub struct PrunedStudy {
    /// Name, from which Hyperband derives the bracket of a trial in the way Optuna does.
    pub name: String,
    /// Direction of the objective.
    pub direction: Direction,
    /// Largest number of steps of a trial, at least 1.
    pub steps: u64,
    /// Parameter that sets the number of steps of a trial; `None` if all trials have the same number.
    pub length: Option<&'static str>,
}

/// The pruner of a study.
///
/// Where trials have different numbers of steps, a trial is compared with those of its own number alone: at
/// one step the others are at another place of their learning rate schedule.
pub struct Pruner {
    spec: PrunerSpec,
    study: PrunedStudy,
}

impl Pruner {
    /// The pruner of `spec`; the collapse pruner decides first where both are configured.
    pub fn new(spec: &PrunerSpec, study: PrunedStudy) -> Self {
        Self { spec: spec.clone(), study }
    }

    /// The decision after the trial's latest report. It depends only on the view, whose running trials may
    /// include the trial itself.
    pub fn decide(&self, view: &StudyView<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let having = self.study.length.and_then(|name| Some((name, trial.params.get(name)?)));
        let own = having.and_then(|(_, steps)| u64::try_from(steps.as_i64()?).ok());
        let study = PrunedStudy { steps: own.unwrap_or(self.study.steps), ..self.study.clone() };
        let collapse = self.spec.collapse.map(|spec| Box::new(collapse::Collapse(spec)) as Box<dyn Rule>);
        let rules = collapse.into_iter().chain(of_kind(&self.spec.kind, &study));
        let peers = Peers { view, having };
        let mut decisions = rules.map(|rule| rule.decide(&peers, trial));
        decisions.find(|decision| *decision != Decision::Continue).unwrap_or(Decision::Continue)
    }
}

fn of_kind(kind: &PrunerKind, study: &PrunedStudy) -> Option<Box<dyn Rule>> {
    let direction = study.direction;
    Some(match kind {
        PrunerKind::None => return None,
        PrunerKind::Percentile(spec) => Box::new(percentile::Percentile { spec: *spec, direction }),
        PrunerKind::Halving(spec) => {
            Box::new(halving::Halving { spec: *spec, direction, steps: study.steps })
        }
        PrunerKind::Hyperband(spec) => Box::new(hyperband::Hyperband::new(*spec, study)),
        PrunerKind::Threshold { lower, upper, interval } => {
            Box::new(threshold::Threshold { lower: *lower, upper: *upper, interval: *interval })
        }
        PrunerKind::Patience { patience, min_delta, wrapped } => Box::new(patience::Patience {
            wait: *patience,
            min_delta: *min_delta,
            direction,
            wrapped: wrapped.as_ref().and_then(|inner| of_kind(inner, study)),
        }),
        PrunerKind::Wilcoxon { p_threshold, n_startup_steps } => Box::new(wilcoxon::Wilcoxon {
            p_threshold: *p_threshold,
            n_startup_steps: *n_startup_steps,
            direction,
        }),
    })
}
