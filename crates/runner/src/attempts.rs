//! Repeated attempts at a trial that was interrupted.

use allometry_core::{FrozenTrial, TrialState};

/// Reason recorded for a trial whose process ended first; its configuration is evaluated again.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// Prefix of the details of a trial that was interrupted by a fault of the machine.
pub(crate) const MACHINE: &str = "a fault of the machine: ";

/// Whether a trial was interrupted by a fault of the machine, which does not count as an attempt.
pub(crate) fn is_of_machine(trial: &FrozenTrial) -> bool {
    was_interrupted(trial)
        && trial.record.failure.as_ref().is_some_and(|failure| failure.detail.starts_with(MACHINE))
}

/// Whether a trial has no value only because its process ended.
pub(crate) fn was_interrupted(trial: &FrozenTrial) -> bool {
    trial.state == TrialState::Failed
        && trial.record.failure.as_ref().is_some_and(|f| f.reason == INTERRUPTED)
}

/// Merges the attempts at each suggestion: a repeated attempt replaces the trial that it repeats, under that
/// trial's number. Samplers and counts treat the attempts as one trial.
pub(crate) fn fold_attempts(trials: Vec<FrozenTrial>) -> Vec<FrozenTrial> {
    let mut folded: Vec<FrozenTrial> = Vec::with_capacity(trials.len());
    for trial in trials {
        let first = trial.record.retry_of.and_then(|of| folded.binary_search_by_key(&of, |t| t.number).ok());
        match first {
            Some(place) => folded[place] = FrozenTrial { number: folded[place].number, ..trial },
            None => folded.push(trial),
        }
    }
    folded
}

/// Splits a study's trials, with repeated attempts merged, into ended trials and others.
pub(crate) fn split(trials: Vec<FrozenTrial>) -> (Vec<FrozenTrial>, Vec<FrozenTrial>) {
    trials.into_iter().partition(|trial| trial.state.is_finished())
}
