//! A pruner of trials that have stopped improving.

use allometry_core::Direction;

use super::percentile::best_of;
use super::{Decision, Peers, ReportingTrial, Rule};

/// Stops a trial, or lets another pruner decide, where the best of its last `wait` + 1 values is worse than
/// the best earlier value by more than `min_delta`; equivalent to Optuna's `PatientPruner`.
pub(super) struct Patience {
    pub(super) wait: u64,
    pub(super) min_delta: f64,
    pub(super) direction: Direction,
    pub(super) wrapped: Option<Box<dyn Rule>>,
}

impl Rule for Patience {
    fn decide(&self, peers: &Peers<'_>, trial: &ReportingTrial<'_>) -> Decision {
        let recent = self.wait as usize + 1;
        let Some(before) = trial.intermediate.len().checked_sub(recent).filter(|before| *before > 0) else {
            return Decision::Continue;
        };
        let earlier = best_of(trial.intermediate.values().copied().take(before), self.direction);
        let later = best_of(trial.intermediate.values().copied().skip(before), self.direction);
        let is_worse = earlier.zip(later).is_some_and(|(earlier, later)| match self.direction {
            Direction::Maximize => earlier - self.min_delta > later,
            Direction::Minimize => earlier + self.min_delta < later,
        });
        match &self.wrapped {
            Some(wrapped) if is_worse => wrapped.decide(peers, trial),
            _ => Decision::prune_if(is_worse),
        }
    }
}
