//! `all_trials.json`: a list of trials, as scripts around Optuna write it.

use std::collections::BTreeMap;

use allometry_core::{Direction, FrozenTrial, Params, TrialState};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Table;
use super::error::Problem;
use crate::assemble::take_user_attribute;
use crate::distribution::{self, read_value};
use crate::json::{self, JsonError};

/// Parses a document that may hold Python's bare `NaN` and `Infinity`.
pub(super) fn parse_document(text: &str) -> Result<Value, Problem> {
    json::parse(text).map_err(|JsonError { line, column, message, cut_off }| {
        let problem = Problem::new(format!("line {line}, column {column}"), message);
        if cut_off { problem.hint("the file is cut off: write or copy it again") } else { problem }
    })
}

/// Parses the list of trials.
pub(super) fn parse(text: &str) -> Result<Table, Problem> {
    let document = parse_document(text)?;
    let entries = match document {
        Value::Array(entries) => entries,
        Value::Object(mut fields) if fields.get("trials").is_some_and(Value::is_array) => {
            match fields.remove("trials") {
                Some(Value::Array(entries)) => entries,
                _ => Vec::new(),
            }
        }
        _ => return Err(Problem::new("line 1", "expected a list of trials")),
    };
    let directions = entries.first().map(directions).transpose()?.unwrap_or_default();
    let trials = entries.iter().enumerate().map(|(index, entry)| trial(index, entry));
    Ok(Table { directions, trials: trials.collect::<Result<_, _>>()? })
}

/// Which values are better, where the trials say so.
fn directions(entry: &Value) -> Result<Vec<Direction>, Problem> {
    let wrong = || {
        Problem::new("trial 0 of the list, field `directions`", "expected a list of maximize and minimize")
    };
    match entry.get("directions") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(names)) => {
            let names = names.iter().map(|name| name.as_str().and_then(parse_direction));
            names.collect::<Option<_>>().ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

/// `maximize`, `StudyDirection.MINIMIZE`, in any case.
pub(super) fn parse_direction(name: &str) -> Option<Direction> {
    match name.rsplit('.').next().unwrap_or(name).trim().to_ascii_lowercase().as_str() {
        "maximize" => Some(Direction::Maximize),
        "minimize" => Some(Direction::Minimize),
        _ => None,
    }
}

fn trial(index: usize, entry: &Value) -> Result<FrozenTrial, Problem> {
    let wrong = |field: &str, expected: &str| {
        Problem::new(format!("trial {index} of the list, field `{field}`"), format!("expected {expected}"))
    };
    let Value::Object(fields) = entry else {
        return Err(Problem::new(format!("trial {index} of the list"), "expected an object"));
    };
    let number = match fields.get("number") {
        None => index as u64,
        Some(value) => value.as_u64().ok_or_else(|| wrong("number", "a count from 0"))?,
    };
    let mut further = Vec::new();
    let value = match (fields.get("value"), fields.get("values")) {
        (Some(Value::Null) | None, Some(Value::Array(values))) if !values.is_empty() => {
            let mut numbers = values.iter().map(|value| number_or_null(value, || wrong("values", "numbers")));
            let first = numbers.next().transpose()?.flatten();
            for number in numbers {
                further.push(number?.unwrap_or(f64::NAN));
            }
            first
        }
        (Some(value), _) => number_or_null(value, || wrong("value", "a number or null"))?,
        (None, _) => None,
    };
    let state = match fields.get("state") {
        None | Some(Value::Null) => default_state(value),
        Some(Value::String(name)) => {
            parse_state(name).ok_or_else(|| wrong("state", "COMPLETE, PRUNED, FAIL, RUNNING or WAITING"))?
        }
        // Optuna's own numbers of the states.
        Some(value) => value
            .as_u64()
            .and_then(|i| ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"].get(i as usize))
            .and_then(|name| parse_state(name))
            .ok_or_else(|| wrong("state", "the name of a state"))?,
    };
    let params: Params = match fields.get("params") {
        None | Some(Value::Null) => Params::default(),
        Some(Value::Object(params)) => {
            params.iter().map(|(name, value)| (name.clone(), read_value(value))).collect()
        }
        Some(_) => return Err(wrong("params", "an object")),
    };
    let mut trial = FrozenTrial::new(number, state, value, params);
    trial.further = further;
    match fields.get("intermediate_values") {
        None | Some(Value::Null) => {}
        Some(reports) => {
            trial.intermediate = reports
                .as_object()
                .and_then(intermediate)
                .ok_or_else(|| wrong("intermediate_values", "numbers by step"))?;
        }
    }
    for (field, time) in [("datetime_start", &mut trial.started), ("datetime_complete", &mut trial.completed)]
    {
        *time = match fields.get(field) {
            None | Some(Value::Null) => None,
            Some(value) => {
                Some(value.as_str().and_then(parse_time).ok_or_else(|| wrong(field, "a date and time"))?)
            }
        };
    }
    for source in ["user_attrs", "metrics", "system_attrs"] {
        let attributes = match fields.get(source) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(attributes)) => attributes,
            Some(_) => return Err(wrong(source, "an object")),
        };
        for (name, value) in attributes {
            if source == "system_attrs" {
                trial.system_attributes.insert(name.clone(), json::write(value));
            } else {
                take_user_attribute(&mut trial, name, &json::write(value))
                    .map_err(|malformed| Problem::new(malformed.place, malformed.problem))?;
            }
        }
    }
    match fields.get("distributions") {
        None | Some(Value::Null) => {}
        Some(Value::Object(sets)) => {
            for (name, set) in sets {
                take_distribution(&mut trial, name, set)
                    .map_err(|expected| wrong(&format!("distributions.{name}"), &expected))?;
            }
        }
        Some(_) => return Err(wrong("distributions", "an object")),
    }
    Ok(trial)
}

/// Takes in the set of a parameter, as an object or as Optuna's text, and reads the parameter's value by it.
fn take_distribution(trial: &mut FrozenTrial, name: &str, set: &Value) -> Result<(), String> {
    let text = set.as_str().map_or_else(|| json::write(set), Into::into);
    let set = crate::optuna::distribution(&text).map_err(|problem| format!("a distribution: {problem}"))?;
    if let Some(value) = trial.params.0.get_mut(name) {
        *value =
            distribution::of_set(&set, value).ok_or_else(|| format!("a distribution that has {value}"))?;
        trial.distributions.insert(name.into(), set);
    }
    Ok(())
}

fn intermediate(reports: &Map<String, Value>) -> Option<BTreeMap<i64, f64>> {
    reports
        .iter()
        .map(|(step, value)| {
            let value = if value.is_null() { f64::NAN } else { json::number(value)? };
            Some((step.parse().ok()?, value))
        })
        .collect()
}

/// Complete where there is a value, failed where not.
pub(super) fn default_state(value: Option<f64>) -> TrialState {
    if value.is_some() { TrialState::Complete } else { TrialState::Failed }
}

/// `COMPLETE`, `TrialState.COMPLETE`, in any case.
pub(super) fn parse_state(name: &str) -> Option<TrialState> {
    match name.rsplit('.').next().unwrap_or(name).trim().to_ascii_uppercase().as_str() {
        "COMPLETE" => Some(TrialState::Complete),
        "PRUNED" => Some(TrialState::Pruned),
        "FAIL" | "FAILED" => Some(TrialState::Failed),
        "RUNNING" => Some(TrialState::Running),
        "WAITING" => Some(TrialState::Waiting),
        _ => None,
    }
}

/// A number; none for null and NaN.
fn number_or_null(value: &Value, wrong: impl FnOnce() -> Problem) -> Result<Option<f64>, Problem> {
    if value.is_null() {
        return Ok(None);
    }
    let number = json::number(value).ok_or_else(wrong)?;
    Ok(Some(number).filter(|x| !x.is_nan()))
}

/// A time as Python's `isoformat` or `str` prints it; UTC where it has no offset.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let naive = || {
        let time: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(time).ok()
    };
    text.parse().ok().or_else(naive)
}
