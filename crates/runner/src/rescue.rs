//! Rescue of a run's data where the store no longer accepts it.

use allometry_core::{FrozenTrial, TrialState};
use allometry_store::optuna::StudyWithTrials;
use jiff::Timestamp;

use crate::interruption::Interruption;
use crate::study_run::StudyRun;

/// The studies of a run with all trials that it has read or evaluated. They are numbered from 0 again,
/// because repeated attempts replace the trials that they repeat. Running trials become interrupted, and are
/// evaluated again when the study resumes.
pub(crate) fn complete_studies<'a>(studies: impl Iterator<Item = &'a StudyRun>) -> Vec<StudyWithTrials> {
    let known = studies.filter_map(|run| {
        let mut trials: Vec<FrozenTrial> = run.finished.iter().chain(&run.running).cloned().collect();
        trials.sort_by_key(|trial| trial.number);
        trials.iter_mut().for_each(end_trial);
        Some(StudyWithTrials::known(run.stored.as_ref()?, &run.spec.space, trials))
    });
    known.collect()
}

/// Ends a running trial, and sets missing times of ended trials.
fn end_trial(trial: &mut FrozenTrial) {
    trial.record.retry_of = None;
    if trial.state == TrialState::Running {
        trial.state = TrialState::Failed;
        trial.record.failure = Some(Interruption::StoreFailed.failure());
    }
    if trial.state.is_finished() {
        trial.completed = trial.completed.or_else(|| Some(Timestamp::now()));
        trial.started = trial.started.or(trial.completed);
    }
}
