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

use allometry_core::{Direction, EarlyStop, PrunerKind, PrunerSpec, TrialNumber};

use crate::sampler::StudyView;

/// The reports of a running trial, the input of a pruner.
#[derive(Debug, Clone, Copy)]
pub struct ReportingTrial<'a> {
    /// Number of the trial.
    pub number: TrialNumber,
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

/// Decides whether a trial continues. A pruner keeps no state between calls: it uses only the view, whose
/// running trials may include the trial itself.
pub trait Pruner: Send + Sync {
    /// The decision after the trial's latest report.
    fn decide(&self, view: &StudyView<'_>, trial: &ReportingTrial<'_>) -> Decision;
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
}

/// Builds the pruner of `spec`; the collapse pruner decides first where both are configured.
pub fn build(spec: &PrunerSpec, study: &PrunedStudy) -> Box<dyn Pruner> {
    let mut parts: Vec<Box<dyn Pruner>> = Vec::new();
    if let Some(collapse) = spec.collapse {
        parts.push(Box::new(collapse::Collapse(collapse)));
    }
    parts.extend(of_kind(&spec.kind, study));
    Box::new(FirstOf(parts))
}

fn of_kind(kind: &PrunerKind, study: &PrunedStudy) -> Option<Box<dyn Pruner>> {
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

/// Stops a trial where any of its pruners does, with the reason of the first.
struct FirstOf(Vec<Box<dyn Pruner>>);

impl Pruner for FirstOf {
    fn decide(&self, view: &StudyView<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let mut decisions = self.0.iter().map(|pruner| pruner.decide(view, trial));
        decisions.find(|decision| *decision != Decision::Continue).unwrap_or(Decision::Continue)
    }
}
