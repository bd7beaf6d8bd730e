//! A pruner of values outside of a range.

use allometry_core::IntervalSpec;

use super::percentile::is_due;
use super::{Decision, Peers, ReportingTrial, Rule};

/// Stops a trial whose latest value is outside of a range or NaN; equivalent to Optuna's `ThresholdPruner`.
#[derive(Debug)]
pub(super) struct Threshold {
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) interval: IntervalSpec,
}

impl Rule for Threshold {
    fn decide(&self, _peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let Some((step, value)) = trial.last() else { return Decision::Continue };
        let outside = value.is_nan() || value < self.lower || value > self.upper;
        Decision::prune_if(outside && is_due(self.interval, step, trial))
    }
}
