//! Rows of Ray Tune's tables whose trials had not ended.

use allometry_core::{Failure, FrozenTrial, TrialState};

use super::Table;
use super::note::Note;

/// The columns that such a table has, beside those that a trial may report: Ray marks the last result of a
/// trial that ended, by itself or because a scheduler stopped it, as done.
pub(super) const DONE: &str = "done";
pub(super) const TRIAL: &str = "trial_id";
pub(super) const STEP: &str = "training_iteration";

/// Fails the trials of which `last` has the newest iteration because they had not ended, and says how many
/// they are. Their value becomes that of their iteration.
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
    trial.intermediate.extend(trial.value.take().map(|value| (step, value)));
    trial.further.clear();
    let reason = "it had not ended when its table was written".to_owned();
    trial.record.failure = Some(Failure { reason, detail: String::new() });
}
