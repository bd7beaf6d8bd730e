//! `all_trials.json`: a list of trials, as scripts around Optuna write it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use allometry_core::{FrozenTrial, ParamValue, Params, TrialState};
use serde_json::{Map, Value};

use super::error::Problem;

/// Stands for Python's bare `Infinity` in a parsed document; a private-use character, so that no text is taken for it.
const INFINITY: &str = "\u{E000}Infinity";
const MINUS_INFINITY: &str = "\u{E000}-Infinity";

/// Parses a document that may hold Python's bare `NaN` (read as null) and `Infinity`.
pub(super) fn parse_document(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(&quote_bare_numbers(text)).map_err(|error| {
        let problem = Problem::new(format!("line {}, column {}", error.line(), error.column()), describe(&error));
        if error.is_eof() { problem.hint("the file is cut off: write or copy it again") } else { problem }
    })
}

fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn quote_bare_numbers(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    let (mut rest, mut in_string) = (text, false);
    while let Some(c) = rest.chars().next() {
        let bare = if in_string {
            None
        } else {
            [("NaN", "null"), ("-Infinity", MINUS_INFINITY), ("Infinity", INFINITY)]
                .into_iter()
                .find(|(token, _)| rest.starts_with(token))
        };
        if let Some((token, stand_in)) = bare {
            let quotes = if token == "NaN" { "" } else { "\"" };
            out.extend([quotes, stand_in, quotes]);
            rest = &rest[token.len()..];
            continue;
        }
        // An escaped character never ends a string.
        let taken = if in_string && c == '\\' { rest.chars().take(2).map(char::len_utf8).sum() } else { c.len_utf8() };
        in_string ^= c == '"';
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Cow::Owned(out)
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
    let value = match (fields.get("value"), fields.get("values")) {
        (Some(Value::Null) | None, Some(Value::Array(values))) if values.len() == 1 => {
            number_or_null(&values[0]).ok_or_else(|| wrong("values", "a number"))?
        }
        (Some(Value::Null) | None, Some(Value::Array(values))) if values.len() > 1 => {
            return Err(wrong("values", "one objective"));
        }
        (Some(value), _) => number_or_null(value).ok_or_else(|| wrong("value", "a number or null"))?,
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
                let value = param_value(value).ok_or_else(|| wrong(&format!("params.{name}"), "a single value"))?;
                Ok((name.clone(), value))
            })
            .collect::<Result<_, Problem>>()?,
        Some(_) => return Err(wrong("params", "an object")),
    };
    let mut trial = FrozenTrial::new(number, state, value, params);
    if let Some(Value::Object(reports)) = fields.get("intermediate_values") {
        trial.intermediate = intermediate(reports).ok_or_else(|| wrong("intermediate_values", "numbers by step"))?;
    }
    for source in ["user_attrs", "metrics"] {
        if let Some(Value::Object(attributes)) = fields.get(source) {
            take_attributes(&mut trial, attributes);
        }
    }
    Ok(trial)
}

/// Numbers become metrics under their names; the rest stays as it is.
fn take_attributes(trial: &mut FrozenTrial, attributes: &Map<String, Value>) {
    for (name, value) in attributes {
        match as_number(value) {
            Some(number) => {
                trial.record.metrics.insert(name.clone(), number);
            }
            None => {
                trial.user_attributes.insert(name.clone(), value.to_string());
            }
        }
    }
}

fn intermediate(reports: &Map<String, Value>) -> Option<BTreeMap<i64, f64>> {
    reports
        .iter()
        .map(|(step, value)| {
            let value = if value.is_null() { f64::NAN } else { as_number(value)? };
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

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text == INFINITY => Some(f64::INFINITY),
        Value::String(text) if text == MINUS_INFINITY => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// `Some(None)` for null, `None` for what is neither.
fn number_or_null(value: &Value) -> Option<Option<f64>> {
    if value.is_null() { Some(None) } else { as_number(value).map(Some) }
}

/// A single value; integers and floats kept apart as written.
pub(super) fn param_value(value: &Value) -> Option<ParamValue> {
    Some(match value {
        Value::Null => ParamValue::Null,
        Value::Bool(b) => ParamValue::Bool(*b),
        Value::Number(number) => match number.as_i64() {
            Some(i) => ParamValue::Int(i),
            None => ParamValue::Float(number.as_f64()?),
        },
        Value::String(text) => match as_number(value) {
            Some(infinity) => ParamValue::Float(infinity),
            None => ParamValue::Text(text.clone()),
        },
        Value::Array(_) | Value::Object(_) => return None,
    })
}
