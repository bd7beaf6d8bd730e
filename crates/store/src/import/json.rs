//! `all_trials.json`: a list of trials, as scripts around Optuna write it.

use std::collections::BTreeMap;

use allometry_core::{FrozenTrial, Params, TrialState};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::error::Problem;
use crate::distribution::read_value;
use crate::json::{self, JsonError};

/// Parses a document that may hold Python's bare `NaN` and `Infinity`.
pub(super) fn parse_document(text: &str) -> Result<Value, Problem> {
    json::parse(text).map_err(|JsonError { line, column, message, cut_off }| {
        let problem = Problem::new(format!("line {line}, column {column}"), message);
        if cut_off { problem.hint("the file is cut off: write or copy it again") } else { problem }
    })
}

/// Parses the list of trials.
pub(super) fn parse(text: &str) -> Result<Vec<FrozenTrial>, Problem> {
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
    entries.iter().enumerate().map(|(index, entry)| trial(index, entry)).collect()
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
        Some(Value::Object(params)) => params
            .iter()
            .map(|(name, value)| {
                let value =
                    read_value(value).ok_or_else(|| wrong(&format!("params.{name}"), "a single value"))?;
                Ok((name.clone(), value))
            })
            .collect::<Result<_, Problem>>()?,
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
    for source in ["user_attrs", "metrics"] {
        match fields.get(source) {
            None | Some(Value::Null) => {}
            Some(Value::Object(attributes)) => take_attributes(&mut trial, attributes),
            Some(_) => return Err(wrong(source, "an object")),
        }
    }
    Ok(trial)
}

/// Numbers become metrics under their names; the rest stays as it is.
fn take_attributes(trial: &mut FrozenTrial, attributes: &Map<String, Value>) {
    for (name, value) in attributes {
        match json::number(value) {
            Some(number) => {
                trial.record.metrics.insert(name.clone(), number);
            }
            None => {
                trial.user_attributes.insert(name.clone(), json::write(value));
            }
        }
    }
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
