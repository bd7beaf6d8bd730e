//! A pruner of trials that are significantly worse than the best trial.

use allometry_core::Direction;

use super::signed_rank::{Tail, p_value};
use super::{Decision, Peers, ReportingTrial, Rule};

/// Stops a trial whose values are worse than the best trial's at the same steps by the one-sided signed-rank
/// test, unless its mean is better; equivalent to Optuna's `WilcoxonPruner`. It is meant for objectives whose
/// steps are parts of one evaluation (folds, instances), in any order.
#[derive(Debug)]
pub(super) struct Wilcoxon {
    pub(super) p_threshold: f64,
    pub(super) n_startup_steps: u64,
    pub(super) direction: Direction,
}

impl Rule for Wilcoxon {
    fn decide(&self, peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let valued = peers.finished().filter_map(|trial| Some((trial, trial.eligible_value()?)));
        let best =
            valued.reduce(|best, next| if self.direction.better(next.1, best.1) { next } else { best });
        let Some((best, _)) = best else { return Decision::Continue };
        let (own, best) = (trial.intermediate, &best.intermediate);
        if own.is_empty() || best.is_empty() || own.values().chain(best.values()).any(|v| !v.is_finite()) {
            return Decision::Continue;
        }
        let differences: Vec<f64> =
            own.iter().filter_map(|(step, value)| Some(value - best.get(step)?)).collect();
        if (differences.len() as u64) < self.n_startup_steps.max(2) {
            return Decision::Continue;
        }
        let mean =
            |curve: &std::collections::BTreeMap<i64, f64>| curve.values().sum::<f64>() / curve.len() as f64;
        let (tail, own_is_ahead) = match self.direction {
            Direction::Maximize => (Tail::Less, mean(best) <= mean(own)),
            Direction::Minimize => (Tail::Greater, mean(best) >= mean(own)),
        };
        Decision::prune_if(p_value(&differences, tail) < self.p_threshold && !own_is_ahead)
    }
}
