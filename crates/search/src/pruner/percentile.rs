//! A pruner by percentiles of the complete trials.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{
    Direction, FrozenTrial, IntervalSpec, PercentileSpec, PrunerKind, PrunerSpec, TrialState,
};

use super::{Decision, Peers, ReportingTrial, Rule};

/// Stops a trial whose best value so far is worse than a percentile of the complete trials' values at the
/// same step; equivalent to Optuna's `PercentilePruner`.
#[derive(Debug)]
pub(super) struct Percentile {
    pub(super) spec: PercentileSpec,
    pub(super) direction: Direction,
}

impl Rule for Percentile {
    fn decide(&self, peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let Some((step, _)) = trial.last() else { return Decision::Continue };
        if !has_started(&self.spec, peers.finished()) || !is_due(self.spec.interval, step, trial) {
            return Decision::Continue;
        }
        let Some(best) = best_of(trial.intermediate.values().copied(), self.direction) else {
            return Decision::prune_if(true);
        };
        let bar = bar(&self.spec, self.direction, peers.finished(), step);
        Decision::prune_if(bar.is_some_and(|bar| self.direction.better(bar, best)))
    }
}

fn complete<'a>(trials: impl Iterator<Item = &'a FrozenTrial>) -> impl Iterator<Item = &'a FrozenTrial> {
    trials.filter(|trial| trial.state == TrialState::Complete)
}

/// Whether enough trials are complete for decisions.
fn has_started<'a>(spec: &PercentileSpec, trials: impl Iterator<Item = &'a FrozenTrial>) -> bool {
    complete(trials).count() as u64 >= spec.n_startup_trials.max(1)
}

/// The value that a trial must have reached at `step`; `None` where too few trials have reported the step.
fn bar<'a>(
    spec: &PercentileSpec,
    direction: Direction,
    trials: impl Iterator<Item = &'a FrozenTrial>,
    step: i64,
) -> Option<f64> {
    let reported: Vec<f64> = complete(trials).filter_map(|t| t.intermediate.get(&step).copied()).collect();
    if (reported.len() as u64) < spec.n_min_trials {
        return None;
    }
    let share = match direction {
        Direction::Maximize => 100.0 - spec.percentile,
        Direction::Minimize => spec.percentile,
    };
    percentile(reported, share)
}

/// The values that trials must reach, by step, at the steps that the complete trials have reported. Empty for
/// other pruners than the percentile, and before it decides.
pub fn pruning_bars(spec: &PrunerSpec, direction: Direction, trials: &[FrozenTrial]) -> BTreeMap<i64, f64> {
    let PrunerKind::Percentile(spec) = &spec.kind else { return BTreeMap::new() };
    if !has_started(spec, trials.iter()) {
        return BTreeMap::new();
    }
    let (warmup, interval) =
        (spec.interval.n_warmup_steps as i64, spec.interval.interval_steps.max(1) as i64);
    let steps: BTreeSet<i64> =
        complete(trials.iter()).flat_map(|trial| trial.intermediate.keys().copied()).collect();
    let due = steps.into_iter().filter(|step| *step >= warmup && (step - warmup) % interval == 0);
    due.filter_map(|step| Some((step, bar(spec, direction, trials.iter(), step)?))).collect()
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

#[cfg(test)]
mod tests {
    use allometry_core::{Params, TrialNumber};

    use super::*;
    use crate::sampler::StudyView;

    /// A trial goes on exactly if it is at the bar or better.
    #[test]
    fn bars_are_where_the_pruner_stops_trials() {
        let trials: Vec<FrozenTrial> = (0..9)
            .map(|number| {
                let mut trial =
                    FrozenTrial::new(number, TrialState::Complete, [number as f64], Params::default());
                // The last trials report fewer steps.
                let steps = if number < 6 { 1..=6 } else { 1..=3 };
                trial.intermediate =
                    steps.map(|step| (step, (number * 7 % 9) as f64 + step as f64)).collect();
                trial
            })
            .collect();
        let interval = IntervalSpec { n_warmup_steps: 2, interval_steps: 2 };
        let spec = PercentileSpec { percentile: 30.0, n_startup_trials: 5, n_min_trials: 7, interval };
        let pruner = PrunerSpec { kind: PrunerKind::Percentile(spec), collapse: None, complete_share: 0.0 };
        for direction in [Direction::Maximize, Direction::Minimize] {
            let bars = pruning_bars(&pruner, direction, &trials);
            assert_eq!(
                bars.keys().copied().collect::<Vec<_>>(),
                [2],
                "step 4 has six trials, and 3 is not due"
            );
            let worse = if direction == Direction::Maximize { -0.01 } else { 0.01 };
            let view = StudyView { finished: &trials, running: &[], other_budgets: &[] };
            for (value, decision) in
                [(bars[&2], Decision::Continue), (bars[&2] + worse, Decision::prune_if(true))]
            {
                let intermediate = [(2, value)].into();
                let metrics = BTreeMap::new();
                let (number, params) = (TrialNumber(9), &Params::default());
                let trial = ReportingTrial { number, params, intermediate: &intermediate, metrics: &metrics };
                let peers = Peers { view: &view, having: None };
                assert_eq!(Percentile { spec, direction }.decide(&peers, &trial), decision);
            }
            assert!(pruning_bars(&pruner, direction, &trials[..4]).is_empty(), "too few trials are complete");
        }
    }
}
