//! What a run knows, where the store does not take it any more.

use allometry_core::{Failure, FrozenTrial, TrialState};
use allometry_store::optuna::WholeStudy;
use jiff::Timestamp;

use crate::evaluate::INTERRUPTED;
use crate::study_run::StudyRun;

/// The studies of a run as whole studies: every trial that it has read or evaluated, numbered anew from 0 since repetitions
/// stand in the place of what they repeat. What was running is interrupted, and is tried again where the study goes on.
pub(crate) fn whole<'a>(studies: impl Iterator<Item = &'a StudyRun>) -> Vec<WholeStudy> {
    let known = studies.filter_map(|run| {
        let mut trials: Vec<FrozenTrial> = run.finished.iter().chain(&run.running).cloned().collect();
        trials.sort_by_key(|trial| trial.number);
        trials.iter_mut().for_each(settle);
        Some(WholeStudy::known(run.stored.as_ref()?, &run.spec.space, trials))
    });
    known.collect()
}

/// Ends a trial that runs, and gives times to those of this process.
fn settle(trial: &mut FrozenTrial) {
    trial.record.retry_of = None;
    if trial.state == TrialState::Running {
        trial.state = TrialState::Failed;
        let detail = "the store went away first".into();
        trial.record.failure = Some(Failure { reason: INTERRUPTED.into(), detail });
    }
    if trial.state.is_finished() {
        trial.completed = trial.completed.or_else(|| Some(Timestamp::now()));
        trial.started = trial.started.or(trial.completed);
    }
}
