//! Repeated attempts at a trial that was interrupted.

use allometry_core::FrozenTrial;

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
