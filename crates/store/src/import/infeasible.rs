//! Constraints of trials: those in fields and columns of their own, and checks of system attributes.

use allometry_core::{Constraints, FrozenTrial};
use serde_json::{Map, Value};

use super::error::Problem;
use super::note::Note;
use crate::json;

/// Description of a field or column with constraints.
pub(super) const EXPECTED: &str = "a list of numbers, or an object of them";

/// Advice for constraints that cannot be read.
pub(super) const HINT: &str =
    "a constraint is met if its number is at most 0, such as [-0.5, 0]; leave it out without any";

/// Adds constraints from a field or column of a trial, as `allometry list --json-lines` writes them;
/// constraints in system attributes take precedence. Null stands for a number that was not finite; such a
/// constraint is not met. Returns `None` if `said` is neither a list nor an object of numbers.
pub(super) fn take(trial: &mut FrozenTrial, said: &Value) -> Option<()> {
    let number = |value: &Value| if value.is_null() { Some(f64::NAN) } else { json::number(value) };
    let mut constraints = Constraints::default();
    match said {
        Value::Null => return Some(()),
        Value::Array(values) => {
            constraints.listed = values.iter().map(number).collect::<Option<_>>()?;
        }
        Value::Object(values) => {
            // A constraint without a name is named by its position.
            let listed = (0..).map_while(|place: usize| values.get(&place.to_string()));
            constraints.listed = listed.map(number).collect::<Option<_>>()?;
            let named = values.iter().filter(|(name, _)| {
                name.parse().map_or(true, |place: usize| place >= constraints.listed.len())
            });
            constraints.named =
                named.map(|(name, value)| Some((name.clone(), number(value)?))).collect::<Option<_>>()?;
        }
        _ => return None,
    }
    if trial.constraints().is_empty() {
        trial.system_attributes.extend(constraints.attributes());
    }
    Some(())
}

/// Constraints of a row of a table or of a flat list, which may be in several columns.
#[derive(Debug, Default)]
pub(super) struct OfRow(Map<String, Value>);

impl OfRow {
    /// Adds a column of all constraints. Returns `None` if it is neither a list nor an object of numbers.
    pub(super) fn take_all(&mut self, said: Value) -> Option<()> {
        let named: Map<String, Value> = match said {
            Value::Null => return Some(()),
            Value::Array(values) => (0..).map(|place: u32| place.to_string()).zip(values).collect(),
            Value::Object(values) => values,
            _ => return None,
        };
        named.into_iter().try_for_each(|(name, value)| self.take_one(&name, value))
    }

    /// Adds a column of one constraint. Returns `None` if it is no number.
    pub(super) fn take_one(&mut self, name: &str, value: Value) -> Option<()> {
        (value.is_null() || json::number(&value).is_some())
            .then(|| drop(self.0.insert(name.to_owned(), value)))
    }

    /// Adds the constraints to the trial of the row.
    pub(super) fn put(self, trial: &mut FrozenTrial) {
        if !self.0.is_empty() {
            take(trial, &Value::Object(self.0)).expect("every constraint is a number or null");
        }
    }
}

/// Refuses constraints that are neither numbers nor a list of numbers. Null and NaN stand for a missing
/// number.
///
/// # Errors
/// [`Problem`] with the trial and its attribute.
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
            return Err(Problem::new(place, format!("expected a list of numbers, found {text}")).hint(HINT));
        }
    }
    Ok(())
}

/// Returns the note about trials that are infeasible because one of their constraints is not a number.
pub(super) fn note(trials: &[FrozenTrial]) -> Option<Note> {
    let is_odd = |trial: &&FrozenTrial| trial.constraints().iter().any(|(_, value)| value.is_nan());
    let trials = trials.iter().filter(is_odd).count();
    (trials > 0).then_some(Note::OddConstraints { trials })
}
