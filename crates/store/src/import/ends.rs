//! States of trials whose source records none.

use allometry_core::TrialState;

use super::Table;
use super::field::default_state;
use super::note::Note;

/// Columns that Ray adds to a table. `done` is true in the last result of a trial that a scheduler or a
/// stopping condition ended; a function that returned leaves it false.
pub(super) const DONE: &str = "done";
pub(super) const TRIAL: &str = "trial_id";
pub(super) const STEP: &str = "training_iteration";

/// What the newest row of a trial says about its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// Whether the row records a state.
    pub(super) has_state: bool,
    /// Whether Ray's `done` is false.
    pub(super) is_open: bool,
}

/// Sets the states of trials that have no recorded one: complete with a value, else failed. Adds notes with
/// the number of failed trials, and of complete ones that may not have ended.
pub(super) fn settle(table: &mut Table, ends: &[End]) {
    let (mut failed, mut open) = (0, 0);
    for (trial, end) in table.trials.iter_mut().zip(ends).filter(|(_, end)| !end.has_state) {
        trial.state = default_state(trial.value());
        if trial.state == TrialState::Complete {
            open += usize::from(end.is_open);
        } else {
            failed += 1;
        }
    }
    table.notes.extend((open > 0).then_some(Note::Unended { trials: open }));
    table.notes.extend((failed > 0).then_some(Note::NoState { trials: failed }));
}
