//! Constraints in the system attributes of trials, of which what is no number says nothing.

use allometry_core::{Constraints, FrozenTrial};
use serde_json::Value;

use super::error::Problem;
use super::note::Note;
use crate::json;

/// Refuses constraints that are neither numbers nor a list of them. Null and NaN stand for a number that
/// there was none of.
///
/// # Errors
/// [`Problem`] naming the trial and its attribute.
pub(super) fn refuse_unread(trial: &FrozenTrial) -> Result<(), Problem> {
    let is_number = |value: &Value| value.is_null() || value.is_boolean() || json::number(value).is_some();
    let is_read = |value: &Value| match value {
        Value::Array(values) => values.iter().all(is_number),
        value => is_number(value),
    };
    let constraints = trial.system_attributes.iter().filter(|(key, _)| Constraints::is_key(key));
    for (key, text) in constraints {
        if !json::parse(text).is_ok_and(|value| is_read(&value)) {
            let place = format!("trial {}, system attribute `{key}`", trial.number);
            return Err(Problem::new(place, format!("expected a list of numbers, found {text}"))
                .hint("a constraint is met where its number is at most 0; without any, leave it out"));
        }
    }
    Ok(())
}

/// What to say of trials that are infeasible because a constraint of theirs is no number.
pub(super) fn note(trials: &[FrozenTrial]) -> Option<Note> {
    let is_odd = |trial: &&FrozenTrial| trial.constraints().iter().any(|(_, value)| value.is_nan());
    let trials = trials.iter().filter(is_odd).count();
    (trials > 0).then_some(Note::OddConstraints { trials })
}
