//! Who works on a study's running trials, and trials whose process ended before they did.

use std::collections::BTreeSet;
use std::time::Instant;

use allometry_core::{Failure, FrozenTrial, TrialNumber, TrialRecord, TrialState};
use allometry_store::{
    Finished, FinishedState, Liveness, Owner, RunningTrial, Store, StoreError, StudyId, TrialHandle,
};

use crate::evaluate::INTERRUPTED;
use crate::silence::Silence;

/// A study's running trials that are not this process's.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// Trials that were handed out to other programs, which may take as long as they like.
    pub(crate) asked: BTreeSet<TrialNumber>,
    /// Trials that were failed just now since their process has ended, or let its lease run out.
    pub(crate) recovered: Vec<TrialNumber>,
}

/// Whether a trial was handed out to another program: nobody says that it works on it.
fn was_asked(running: &RunningTrial) -> bool {
    running.owner.is_none() && running.heartbeat_age.is_none()
}

/// Whether a process may be at work on a trial. One that has let its lease run out has lost it, even where it lives: it may
/// be suspended for good.
fn is_alive(running: &RunningTrial, silence: &Silence) -> bool {
    let liveness = running.owner.as_ref().map_or(Liveness::Unknown, Owner::liveness);
    match running.heartbeat {
        _ if liveness == Liveness::Ended => false,
        None => liveness == Liveness::Alive,
        Some(_) => !silence.is_over_lease(running.handle.id),
    }
}

/// Looks who works on a study's running trials, and fails those that nobody works on any more.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub(crate) fn recover(
    store: &dyn Store,
    study: StudyId,
    this: &Owner,
    silence: &mut Silence,
    now: Instant,
) -> Result<Elsewhere, StoreError> {
    let mut elsewhere = Elsewhere::default();
    let all = store.running(study)?;
    silence.look(&all, now);
    for running in all {
        let RunningTrial { handle, owner, .. } = &running;
        if was_asked(&running) {
            elsewhere.asked.insert(handle.number);
        } else if owner.as_ref() != Some(this) && !is_alive(&running, silence) && end(store, study, *handle)?
        {
            elsewhere.recovered.push(handle.number);
        }
    }
    Ok(elsewhere)
}

/// Fails a trial that nobody works on; whether it was this call that did.
fn end(store: &dyn Store, study: StudyId, handle: TrialHandle) -> Result<bool, StoreError> {
    let stored = store.trials_from(study, handle.number)?.into_iter().next();
    let failure = Failure { reason: INTERRUPTED.into(), detail: "its process ended first".into() };
    let record = TrialRecord { failure: Some(failure), ..stored.map(|t| t.record).unwrap_or_default() };
    match store.finish(handle.id, FinishedState::Failed, &Finished { record, ..Finished::default() }) {
        Ok(_) => Ok(true),
        // Another process was faster, or the trial's own one came back in time.
        Err(StoreError::NotRunning { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Begins the detail of a trial that was interrupted by a fault of the machine.
pub(crate) const MACHINE: &str = "a fault of the machine: ";

/// Whether a trial was interrupted by a fault of the machine, which counts as no attempt.
pub(crate) fn is_of_machine(trial: &FrozenTrial) -> bool {
    was_interrupted(trial)
        && trial.record.failure.as_ref().is_some_and(|failure| failure.detail.starts_with(MACHINE))
}

/// Whether a trial has no value only because its process ended.
pub(crate) fn was_interrupted(trial: &FrozenTrial) -> bool {
    trial.state == TrialState::Failed
        && trial.record.failure.as_ref().is_some_and(|f| f.reason == INTERRUPTED)
}

/// One record per suggestion: a repetition takes the place of the trial that it repeats, under that trial's number.
/// For a sampler, and for counting, they are one trial that took several attempts.
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
