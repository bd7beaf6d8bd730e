//! Running trials of other processes, and recovery of trials whose process has ended.

use std::collections::BTreeSet;
use std::time::Instant;

use allometry_core::{Failure, FrozenTrial, TrialNumber, TrialRecord, TrialState};
use allometry_store::{
    Finished, FinishedState, Liveness, Owner, RunningTrial, Store, StoreError, StudyId, TrialHandle,
};

use crate::evaluate::INTERRUPTED;
use crate::lease::LeaseWatch;

/// The running trials of a study that this process does not evaluate.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// Trials that were handed out to other programs, which have no time limit.
    pub(crate) asked: BTreeSet<TrialNumber>,
    /// Trials that this call failed because their process has ended or its lease has expired.
    pub(crate) recovered: Vec<TrialNumber>,
}

/// Whether a trial was handed out to another program, so that no process is its owner.
fn was_asked(running: &RunningTrial) -> bool {
    running.owner.is_none() && running.heartbeat_age.is_none()
}

/// Whether a process may still evaluate a trial. A process with an expired lease has lost the trial even
/// where it is alive, because it may be suspended forever.
fn is_alive(running: &RunningTrial, leases: &LeaseWatch) -> bool {
    let liveness = running.owner.as_ref().map_or(Liveness::Unknown, Owner::liveness);
    match running.heartbeat {
        _ if liveness == Liveness::Ended => false,
        None => liveness == Liveness::Alive,
        Some(_) => !leases.has_expired(running.handle.id),
    }
}

/// Finds out which processes evaluate a study's running trials, and fails the trials without a process.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub(crate) fn recover(
    store: &dyn Store,
    study: StudyId,
    this: &Owner,
    leases: &mut LeaseWatch,
    now: Instant,
) -> Result<Elsewhere, StoreError> {
    let mut elsewhere = Elsewhere::default();
    let all = store.running(study)?;
    leases.observe(&all, now);
    for running in all {
        let RunningTrial { handle, owner, .. } = &running;
        if was_asked(&running) {
            elsewhere.asked.insert(handle.number);
        } else if owner.as_ref() != Some(this) && !is_alive(&running, leases) && end(store, study, *handle)? {
            elsewhere.recovered.push(handle.number);
        }
    }
    Ok(elsewhere)
}

/// Fails a trial without a process and returns whether this call did so.
fn end(store: &dyn Store, study: StudyId, handle: TrialHandle) -> Result<bool, StoreError> {
    let stored = store.trials_from(study, handle.number)?.into_iter().next();
    let failure = Failure { reason: INTERRUPTED.into(), detail: "its process ended first".into() };
    let record = TrialRecord { failure: Some(failure), ..stored.map(|t| t.record).unwrap_or_default() };
    match store.finish(handle.id, FinishedState::Failed, &Finished { record, ..Finished::default() }) {
        Ok(_) => Ok(true),
        // Another process was faster, or the trial's own process returned in time.
        Err(StoreError::NotRunning { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

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
