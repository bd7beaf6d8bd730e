//! Running trials of other processes, and recovery of trials whose process has ended.

use std::collections::BTreeSet;
use std::time::Instant;

use allometry_core::{TrialNumber, TrialRecord};
use allometry_store::{
    Finished, FinishedState, Liveness, Owner, RunningTrial, Store, StoreError, StudyId, TrialHandle,
};

use crate::interruption::Interruption;
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
    let failure = Interruption::ProcessEnded.failure();
    let record = TrialRecord { failure: Some(failure), ..stored.map(|t| t.record).unwrap_or_default() };
    match store.finish(handle.id, FinishedState::Failed, &Finished { record, ..Finished::default() }) {
        Ok(_) => Ok(true),
        // Another process was faster, or the trial's own process returned in time.
        Err(StoreError::NotRunning { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
