//! Reader of lists of trials whose parameters and attributes are separate fields.

use std::collections::HashMap;

use allometry_core::{FrozenTrial, Params, TrialNumber};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::columns::{Column, Columns, may_be_names, params_without_sets};
use super::ends::{self, DONE, End, STEP, TRIAL};
use super::error::Problem;
use super::field::{
    COUNTS, STATES, TIMES, default_state, number_or_null, parse_state_of, read_count, read_directions,
    read_time, refuse_wide, take_distribution,
};
use super::note::Note;
use super::{Roles, Table, empty_params, infeasible, iterations, leading, values_of, wandb};
use crate::distribution::read_value;
use crate::from_rows::take_user_attribute;
use crate::json;

/// Fields that contain other fields; lists without them may be flat.
pub(super) const NESTED: [&str; 9] = [
    "params",
    "values",
    "user_attrs",
    "system_attrs",
    "metrics",
    "distributions",
    "intermediate_values",
    "directions",
    "metric_names",
];

/// Fields that occur in nested and in flat lists.
pub(super) const COMMON: [&str; 6] =
    ["number", "value", "state", "datetime_start", "datetime_complete", "duration"];

/// Whether a trial has a field that contains other fields.
pub(super) fn is_nested(entry: &Value) -> bool {
    entry.as_object().is_some_and(|fields| fields.iter().any(|(name, value)| is_nested_field(name, value)))
}

/// Whether a field contains other fields. A number called `params` is a size.
pub(super) fn is_nested_field(name: &str, value: &Value) -> bool {
    NESTED.contains(&name) && (name != "params" || json::number(value).is_none())
}

/// Whether trials without nested fields have other fields than the common ones.
pub(super) fn is_flat(entries: &[Value]) -> bool {
    let mut names = entries.iter().filter_map(Value::as_object).flat_map(Map::keys);
    names.any(|name| !COMMON.contains(&name.as_str()))
}

/// Advice for a document without a list of trials.
pub(super) const LISTS: &str = concat!(
    r#"a list of trials is such as [{"value": 0.5, "params": {"lr": 0.1}}], "#,
    "with an object for each trial"
);

/// Parses a flat list of trials.
pub(super) fn parse(entries: Vec<Value>, roles: &Roles<'_>) -> Result<Table, Problem> {
    let mut rows = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let Value::Object(fields) = entry else {
            return Err(Problem::new(format!("trial {index} of the list"), "expected an object").hint(LISTS));
        };
        rows.push(wandb::unfolded(fields));
    }
    let mut names: Vec<&str> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for name in rows.iter().flat_map(Map::keys) {
        if seen.insert(name.as_str()) {
            names.push(name);
        }
    }
    let mut columns = Columns::new(&names, roles, "the fields of its trials")?;
    leave_out_names(&names, &rows, &mut columns);
    let Columns { kinds, metrics, place, notes } = columns;
    // Optuna leaves out missing parameters, and prints durations as Python does (0:00:01); pandas writes null
    // for missing values.
    let has_holes = rows.iter().any(|row| row.len() < names.len());
    let is_shown = |duration: &str| duration.contains(':') && !duration.starts_with('P');
    let is_of_optuna =
        rows.iter().any(|row| row.get("duration").and_then(Value::as_str).is_some_and(is_shown));
    let null_is_a_value = has_holes || is_of_optuna;
    let columns = kinds;
    let kinds: HashMap<&str, &Column> = names.iter().copied().zip(&columns).collect();
    let later: Vec<&str> =
        names.iter().copied().filter(|name| matches!(kinds[name], Column::LaterValue)).collect();
    let mut table = Table { metrics, notes, ..Table::default() };
    let mut ends = Vec::new();
    for (index, fields) in rows.iter().enumerate() {
        let row = Row { index, fields, kinds: &kinds, later: &later, null_is_a_value };
        if index == 0
            && let Some((name, said)) =
                fields.iter().find(|(name, _)| *kinds[name.as_str()] == Column::Directions)
        {
            table.directions =
                read_directions(said).ok_or_else(|| row.wrong(name, "maximize and minimize"))?;
            leading::move_to_front(&mut table.directions, place);
        }
        let (trial, has_state) = row.trial()?;
        table.trials.push(trial);
        ends.push(End { has_state, is_open: is_open(fields) });
    }
    if !null_is_a_value {
        table.notes.extend(empty_params::note(&table.trials, params_without_sets(&columns)));
    }
    let steps: Vec<(String, i64)> = rows.iter().filter_map(iteration).collect();
    if steps.len() == rows.len() {
        ends = iterations::join(&mut table, &steps, ends);
    }
    ends::settle(&mut table, &ends);
    Ok(table)
}

/// Leaves out fields with the numbers of trials that contain names, with a note.
fn leave_out_names(names: &[&str], rows: &[Map<String, Value>], columns: &mut Columns) {
    for (kind, name) in columns.kinds.iter_mut().zip(names) {
        let is_name =
            |value: &Value| value.is_string() && json::number(value).is_none() && read_count(value).is_none();
        let has_names = || rows.iter().filter_map(|row| row.get(*name)).any(is_name);
        if *kind == Column::Number && may_be_names(name) && has_names() {
            *kind = Column::Ignored;
            columns.notes.push(Note::NumberedByRow { column: (*name).to_owned() });
        }
    }
}

/// Returns the trial and the iteration of a row of Ray Tune.
fn iteration(row: &Map<String, Value>) -> Option<(String, i64)> {
    Some((row.get(TRIAL)?.as_str()?.to_owned(), row.get(STEP)?.as_i64()?))
}

/// Whether a row of Ray Tune is not `done`.
fn is_open(row: &Map<String, Value>) -> bool {
    [TRIAL, STEP].iter().all(|name| row.contains_key(*name)) && row.get(DONE) == Some(&Value::Bool(false))
}

struct Row<'a> {
    index: usize,
    fields: &'a Map<String, Value>,
    kinds: &'a HashMap<&'a str, &'a Column>,
    /// Names of the fields of the objectives after the first.
    later: &'a [&'a str],
    null_is_a_value: bool,
}

impl Row<'_> {
    fn wrong(&self, field: &str, expected: &str) -> Problem {
        let place = format!("trial {} of the list, field `{field}`", self.index);
        Problem::new(place, format!("expected {expected}"))
    }

    /// Returns the trial, and whether the row records its state.
    fn trial(&self) -> Result<(FrozenTrial, bool), Problem> {
        let mut trial = FrozenTrial::new(self.index as u64, default_state(None), None, Params::default());
        let (mut state, mut first, mut sets) = (None, None, Vec::new());
        let mut constraints = infeasible::OfRow::default();
        for (name, value) in self.fields {
            let wrong = |expected: &str| self.wrong(name, expected);
            match self.kinds[name.as_str()] {
                Column::Param(param) if !value.is_null() || self.null_is_a_value => {
                    trial.params.0.insert(param.clone(), read_value(value));
                }
                _ if value.is_null() => {}
                Column::Number => {
                    let number = read_count(value).ok_or_else(|| wrong("a count from 0").hint(COUNTS))?;
                    trial.number = TrialNumber(number);
                }
                Column::State => {
                    let read = parse_state_of(value);
                    state = Some(read.ok_or_else(|| wrong("the name of a trial's state").hint(STATES))?);
                }
                Column::Value => first = number_or_null(value, || wrong("a number or null"))?,
                Column::Intermediate(step) => {
                    let reported = json::number(value).ok_or_else(|| wrong("a number"))?;
                    trial.intermediate.insert(*step, reported);
                }
                Column::Metric(attribute) => {
                    take_user_attribute(&mut trial, attribute, &json::write(value))
                        .map_err(|malformed| wrong(&format!("an attribute: {}", malformed.problem)))?;
                }
                Column::Constraints => constraints
                    .take_all(value.clone())
                    .ok_or_else(|| wrong(infeasible::EXPECTED).hint(infeasible::HINT))?,
                Column::Constraint(constraint) => constraints
                    .take_one(constraint, value.clone())
                    .ok_or_else(|| wrong("a number").hint(infeasible::HINT))?,
                Column::SystemAttribute(attribute) => {
                    trial.system_attributes.insert(attribute.clone(), json::write(value));
                }
                Column::Distribution(param) => sets.push((name, param, value)),
                Column::Started => trial.started = Some(self.time(name, value)?),
                Column::Completed => trial.completed = Some(self.time(name, value)?),
                Column::LaterValue | Column::Directions | Column::Ignored | Column::Param(_) => {}
            }
        }
        for (name, param, set) in sets {
            let taken = take_distribution(&mut trial, param, set);
            taken.map_err(|(expected, hint)| self.wrong(name, &expected).hint(hint))?;
        }
        refuse_wide(&trial, self.index, |param| {
            let is_it = |name: &str| matches!(self.kinds[name], Column::Param(of) if of == param);
            self.fields.iter().find(|(name, _)| is_it(name)).map(|(_, value)| value)
        })?;
        trial.values = values_of(first, self.later_values()?);
        trial.state = state.unwrap_or_else(|| default_state(first));
        constraints.put(&mut trial);
        Ok((trial, state.is_some()))
    }

    /// Returns the time in a field.
    fn time(&self, name: &str, value: &Value) -> Result<Timestamp, Problem> {
        read_time(value).ok_or_else(|| self.wrong(name, "a date and time").hint(TIMES))
    }

    /// Returns the values of the objectives after the first, NaN where missing; empty where all are missing.
    fn later_values(&self) -> Result<Vec<f64>, Problem> {
        let value = |name: &&str| {
            let value = self.fields.get(*name).unwrap_or(&Value::Null);
            let number = number_or_null(value, || self.wrong(name, "a number or null"))?;
            Ok(number.unwrap_or(f64::NAN))
        };
        let values: Vec<f64> = self.later.iter().map(value).collect::<Result<_, Problem>>()?;
        Ok(if values.iter().all(|value| value.is_nan()) { Vec::new() } else { values })
    }
}
