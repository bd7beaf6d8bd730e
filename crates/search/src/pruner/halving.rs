//! Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning").

use std::collections::BTreeMap;

use allometry_core::{Direction, HalvingSpec, TrialNumber};

use super::{Decision, Peers, ReportingTrial, Rule};

/// Stops a trial that, when it reaches a rung, is not in the best share of the trials that reached it before;
/// equivalent to Optuna's `SuccessiveHalvingPruner`.
///
/// Optuna stores a trial's value at each rung with the trial; here it is read from the trial's intermediate
/// values, so that trials exempt from pruning compete too.
#[derive(Debug)]
pub(super) struct Halving {
    pub(super) spec: HalvingSpec,
    pub(super) direction: Direction,
    pub(super) steps: u64,
}

impl Rule for Halving {
    fn decide(&self, peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision {
        self.decide_among(peers, trial, |_| true)
    }
}

impl Halving {
    /// The decision in competition with the trials that `competes` accepts.
    pub(super) fn decide_among(
        &self,
        peers: &Peers<'_>,
        trial: &ReportingTrial<'_>,
        competes: impl Fn(TrialNumber) -> bool,
    ) -> Decision {
        let Some((step, value)) = trial.last() else { return Decision::Continue };
        let mut rung = 0;
        loop {
            let place = self.place(rung);
            if step < place {
                return Decision::Continue;
            }
            // At rungs of earlier reports the decision has already been made.
            if reached(trial.intermediate, place).is_none_or(|(at, _)| at == step) {
                if value.is_nan() {
                    return Decision::prune_if(true);
                }
                let others = peers
                    .all()
                    .filter(|other| other.number != trial.number && competes(other.number))
                    .filter_map(|other| reached(&other.intermediate, place).map(|(_, value)| value));
                let competing: Vec<f64> = others.chain([value]).collect();
                if !self.goes_on(value, competing) {
                    return Decision::prune_if(true);
                }
            }
            rung += 1;
        }
    }

    /// The step of a rung; rungs count from 0.
    fn place(&self, rung: u32) -> i64 {
        let first = self.spec.min_resource.unwrap_or((self.steps / 100).max(1));
        let factor = self.spec.reduction_factor.saturating_pow(self.spec.min_early_stopping_rate + rung);
        i64::try_from(first.saturating_mul(factor)).unwrap_or(i64::MAX)
    }

    fn goes_on(&self, value: f64, mut competing: Vec<f64>) -> bool {
        let count = competing.len() as u64;
        if count <= self.spec.bootstrap_count {
            return false;
        }
        let last = ((count / self.spec.reduction_factor).max(1) - 1) as usize;
        competing.sort_by(f64::total_cmp);
        match self.direction {
            Direction::Maximize => value >= competing[competing.len() - 1 - last],
            Direction::Minimize => value <= competing[last],
        }
    }
}

/// The first report at or after step `place` that is not NaN.
fn reached(curve: &BTreeMap<i64, f64>, place: i64) -> Option<(i64, f64)> {
    curve.range(place..).find(|(_, value)| !value.is_nan()).map(|(step, value)| (*step, *value))
}
