//! Rows of Ray Tune's tables whose trials were still running.

use allometry_core::{Failure, FrozenTrial, TrialState};

use super::Table;
use super::note::Note;

/// Columns that Ray adds to a table. `done` marks the last result of a trial that ended by itself or was
/// stopped by a scheduler.
pub(super) const DONE: &str = "done";
pub(super) const TRIAL: &str = "trial_id";
pub(super) const STEP: &str = "training_iteration";

/// Sets trials that were still running to failed and adds a note with their number. `last` contains the
/// newest iteration of each; their value becomes the intermediate value of that iteration.
pub(super) fn fail(table: &mut Table, last: &[Option<i64>]) {
    let mut trials = 0;
    for (trial, step) in table.trials.iter_mut().zip(last) {
        let Some(step) = step.filter(|_| trial.state == TrialState::Complete) else { continue };
        end(trial, step);
        trials += 1;
    }
    table.notes.extend((trials > 0).then_some(Note::Unended { trials }));
}

fn end(trial: &mut FrozenTrial, step: i64) {
    trial.state = TrialState::Failed;
    trial.intermediate.extend(trial.value().map(|value| (step, value)));
    trial.values.clear();
    let reason = "the trial was still running when the table was written".to_owned();
    trial.record.failure = Some(Failure { reason, detail: String::new() });
}
