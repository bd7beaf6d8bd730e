//! Trials whose process ended before they did.

use std::time::Duration;

use allometry_core::{Failure, FrozenTrial, TrialNumber, TrialRecord, TrialState};
use allometry_store::{Finished, FinishedState, Liveness, Owner, RunningTrial, Store, StudyId};

use crate::error::RunError;
use crate::evaluate::INTERRUPTED;

/// Without a heartbeat for this long, a process on another machine counts as ended.
const GRACE: Duration = Duration::from_mins(1);

/// Whether a trial was handed out to another program, which may take as long as it likes: nobody says that it works on it.
fn was_asked(running: &RunningTrial) -> bool {
    running.owner.is_none() && running.heartbeat_age.is_none()
}

/// Whether a process is, or may be, still at work on a trial.
fn is_alive(running: &RunningTrial) -> bool {
    match running.owner.as_ref().map_or(Liveness::Unknown, Owner::liveness) {
        Liveness::Alive => true,
        Liveness::Ended => false,
        Liveness::Unknown => running.heartbeat_age.is_some_and(|age| age < GRACE),
    }
}

/// Fails the running trials of ended processes, and returns their numbers.
///
/// # Errors
/// [`RunError::Busy`] where a living process still works on the study.
pub(crate) fn recover(store: &dyn Store, study: StudyId, label: &str) -> Result<Vec<TrialNumber>, RunError> {
    let mut running = store.running(study)?;
    running.retain(|trial| !was_asked(trial));
    let Some(first) = running.first() else { return Ok(Vec::new()) };
    if let Some(alive) = running.iter().find(|r| is_alive(r)) {
        return Err(RunError::Busy {
            label: label.into(),
            trial: alive.handle.number,
            owner: alive.owner.as_ref().map(ToString::to_string),
        });
    }
    let trials = store.trials_from(study, first.handle.number)?;
    for RunningTrial { handle, .. } in &running {
        let stored = trials.iter().find(|t| t.number == handle.number);
        let failure = Failure { reason: INTERRUPTED.into(), detail: "its process ended first".into() };
        let record =
            TrialRecord { failure: Some(failure), ..stored.map(|t| t.record.clone()).unwrap_or_default() };
        store.finish(handle.id, FinishedState::Failed, &Finished { record, ..Finished::default() })?;
    }
    Ok(running.iter().map(|r| r.handle.number).collect())
}

/// Whether a trial has no value only because its process ended.
pub(crate) fn was_interrupted(trial: &FrozenTrial) -> bool {
    trial.state == TrialState::Failed
        && trial.record.failure.as_ref().is_some_and(|f| f.reason == INTERRUPTED)
}

/// One record per suggestion: a repetition takes the place of the trial that it repeats, under that trial's number.
/// For a sampler, and for counting, they are one trial that took two attempts.
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
