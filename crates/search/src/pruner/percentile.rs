//! A pruner by percentiles of the complete trials.

use allometry_core::{Direction, IntervalSpec, PercentileSpec, TrialState};

use super::{Decision, Pruner, ReportingTrial};
use crate::sampler::StudyView;

/// Stops a trial whose best value so far is worse than a percentile of the complete trials' values at the
/// same step; equivalent to Optuna's `PercentilePruner`.
#[derive(Debug)]
pub(super) struct Percentile {
    pub(super) spec: PercentileSpec,
    pub(super) direction: Direction,
}

impl Pruner for Percentile {
    fn decide(&self, view: &StudyView<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let Some((step, _)) = trial.last() else { return Decision::Continue };
        let complete = || view.finished.iter().filter(|t| t.state == TrialState::Complete);
        let count = complete().count() as u64;
        if count == 0 || count < self.spec.n_startup_trials || !is_due(self.spec.interval, step, trial) {
            return Decision::Continue;
        }
        let Some(best) = best_of(trial.intermediate.values().copied(), self.direction) else {
            return Decision::prune_if(true);
        };
        let reported: Vec<f64> = complete().filter_map(|t| t.intermediate.get(&step).copied()).collect();
        if (reported.len() as u64) < self.spec.n_min_trials {
            return Decision::Continue;
        }
        let share = match self.direction {
            Direction::Maximize => 100.0 - self.spec.percentile,
            Direction::Minimize => self.spec.percentile,
        };
        let bar = percentile(reported, share);
        Decision::prune_if(bar.is_some_and(|bar| self.direction.better(bar, best)))
    }
}

/// The best of the values, NaN excluded.
pub(super) fn best_of(values: impl Iterator<Item = f64>, direction: Direction) -> Option<f64> {
    let numbers = values.filter(|value| !value.is_nan());
    numbers.reduce(|best, value| if direction.better(value, best) { value } else { best })
}

/// The percentile `share` of the values, NaN excluded, by linear interpolation between order statistics.
fn percentile(values: Vec<f64>, share: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    let place = share / 100.0 * (values.len().checked_sub(1)?) as f64;
    let (below, weight) = (place.floor() as usize, place.fract());
    let (low, high) = (values[below], values[(below + 1).min(values.len() - 1)]);
    // Interpolated from the nearer end, so that equal neighbours give exactly their value.
    let between =
        if weight < 0.5 { low + (high - low) * weight } else { high - (high - low) * (1.0 - weight) };
    Some(between).filter(|value| !value.is_nan())
}

/// Whether `step` is the first that the trial reports in its interval after the warm-up.
pub(super) fn is_due(interval: IntervalSpec, step: i64, trial: &ReportingTrial<'_>) -> bool {
    let (warmup, interval) = (interval.n_warmup_steps as i64, interval.interval_steps.max(1) as i64);
    if step < warmup {
        return false;
    }
    let start = (step - warmup) / interval * interval + warmup;
    trial.intermediate.range(..step).next_back().is_none_or(|(before, _)| *before < start)
}
