//! What stops a trial before its end.

mod collapse;
mod exemption;
mod halving;
mod hyperband;
mod patience;
mod percentile;
mod signed_rank;
pub mod spec;
mod threshold;
mod wilcoxon;

use std::collections::BTreeMap;

pub use exemption::Exemption;
pub use spec::{
    CollapseSpec, HalvingSpec, HyperbandSpec, IntervalSpec, PercentileSpec, PrunerKind, PrunerSpec,
};

use crate::sampler::StudyView;
use crate::trial::{Direction, EarlyStop, TrialNumber};

/// A trial that reports values, as a pruner sees it.
#[derive(Debug, Clone, Copy)]
pub struct ReportingTrial<'a> {
    /// Its number.
    pub number: TrialNumber,
    /// Objective value by step, the newest included; NaN allowed.
    pub intermediate: &'a BTreeMap<i64, f64>,
    /// Every other figure of each step by name.
    pub metrics: &'a BTreeMap<i64, BTreeMap<String, f64>>,
}

impl ReportingTrial<'_> {
    /// The newest step and its value.
    fn last(&self) -> Option<(i64, f64)> {
        self.intermediate.last_key_value().map(|(step, value)| (*step, *value))
    }
}

/// What becomes of a trial after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It goes on.
    Continue,
    /// It stops here.
    Stop(EarlyStop),
}

impl Decision {
    fn prune_if(condition: bool) -> Self {
        if condition { Self::Stop(EarlyStop::Pruned) } else { Self::Continue }
    }
}

/// Decides whether a trial goes on. A pruner keeps no state between calls: everything it knows is in the view, in which the
/// trial itself may be among the running ones.
pub trait Pruner: Send + Sync {
    /// The decision after the trial's newest report.
    fn decide(&self, view: &StudyView<'_>, trial: &ReportingTrial<'_>) -> Decision;
}

/// What a pruner knows of its study beside the trials.
#[derive(Debug, Clone)]
pub struct PrunedStudy {
    /// Name, from which Hyperband derives a trial's bracket as Optuna does.
    pub name: String,
    /// Which values are better.
    pub direction: Direction,
    /// Steps that a trial takes at most, at least 1.
    pub steps: u64,
}

/// The pruner that `spec` asks for: the collapse pruner first where both are wanted.
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

/// Stops where any of its pruners does; the first one's reason counts.
struct FirstOf(Vec<Box<dyn Pruner>>);

impl Pruner for FirstOf {
    fn decide(&self, view: &StudyView<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let mut decisions = self.0.iter().map(|pruner| pruner.decide(view, trial));
        decisions.find(|decision| *decision != Decision::Continue).unwrap_or(Decision::Continue)
    }
}
