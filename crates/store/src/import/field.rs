//! Reads the fields of trials that several readers share.

use std::borrow::Cow;

use allometry_core::{Direction, Distribution, FrozenTrial, ParamValue, TrialState};
use jiff::Timestamp;
use serde_json::Value;

use super::error::Problem;
use crate::distribution;
use crate::json;

/// Parses a list of directions.
pub(super) fn read_directions(said: &Value) -> Option<Vec<Direction>> {
    said.as_array()?.iter().map(|name| name.as_str().and_then(parse_direction)).collect()
}

/// Parses a direction such as `maximize` or `StudyDirection.MINIMIZE`, ignoring case.
pub(super) fn parse_direction(name: &str) -> Option<Direction> {
    match name.rsplit('.').next().unwrap_or(name).trim().to_ascii_lowercase().as_str() {
        "maximize" => Some(Direction::Maximize),
        "minimize" => Some(Direction::Minimize),
        _ => None,
    }
}

/// Refuses integers that no parameter can hold, except in a recorded range of floats. `given` returns the
/// given value of a parameter of trial `index`.
pub(super) fn refuse_wide<'v>(
    trial: &FrozenTrial,
    index: usize,
    given: impl Fn(&str) -> Option<&'v Value>,
) -> Result<(), Problem> {
    let is_float = |name: &str| matches!(trial.distributions.get(name), Some(Distribution::Float { .. }));
    let found = trial.params.iter().filter(|(name, _)| !is_float(name)).find_map(|(name, _)| {
        let digits = json::beyond_i64(given(name)?)?;
        Some(Wide(digits).within(format!("trial {index} of the list, parameter `{name}`")))
    });
    found.map_or(Ok(()), Err)
}

/// Digits of an integer that no parameter can hold.
pub(super) struct Wide(pub(super) String);

impl Wide {
    pub(super) fn within(self, place: impl Into<String>) -> Problem {
        Problem::new(
            place,
            format!("expected a parameter's value, found {}, which is beyond 64 bits", self.0),
        )
        .hint("write it as a text if it is a name, or with a decimal point if it is a number")
    }
}

/// Returns a distribution in Optuna's form; pandas writes only the attributes of the object.
fn of_pandas(set: &Value) -> Cow<'_, Value> {
    let Some(fields) = set.as_object().filter(|fields| !fields.contains_key("name")) else {
        return Cow::Borrowed(set);
    };
    let is_whole = |field: &str| fields.get(field).is_some_and(|value| value.is_i64() || value.is_u64());
    let name = if fields.contains_key("choices") {
        "CategoricalDistribution"
    } else if ["low", "high", "step"].into_iter().all(is_whole) {
        "IntDistribution"
    } else {
        "FloatDistribution"
    };
    Cow::Owned(serde_json::json!({"name": name, "attributes": fields}))
}

/// Adds the distribution of a parameter, an object or Optuna's text, and converts the parameter's value to
/// its kind. The error is what is expected, and advice.
pub(super) fn take_distribution(
    trial: &mut FrozenTrial,
    name: &str,
    set: &Value,
) -> Result<(), (String, &'static str)> {
    let text = set.as_str().map_or_else(|| json::write(&of_pandas(set)), Into::into);
    let read = distribution::refuse_wide_choice(&text).and_then(|()| crate::optuna::distribution(&text));
    let set = read.map_err(|problem| (format!("a distribution: {problem}"), DISTRIBUTIONS))?;
    // pandas writes Python's `None` and a missing value alike; only a trial with the parameter has a
    // distribution.
    if set.contains(&ParamValue::Null) {
        trial.params.0.entry(name.to_owned()).or_insert(ParamValue::Null);
    }
    if let Some(value) = trial.params.0.get_mut(name) {
        let read = distribution::of_set(&set, value).filter(|read| set.contains(read));
        *value = read.ok_or_else(|| (format!("a distribution that has {value}"), OF_THE_SET))?;
        trial.distributions.insert(name.into(), set);
    }
    Ok(())
}

/// Parses a count, including `3.0` from tables with gaps.
pub(super) fn parse_count(cell: &str) -> Option<u64> {
    cell.parse().ok().or_else(|| cell.parse().ok().and_then(count))
}

/// Returns a whole number that a float represents exactly.
fn count(x: f64) -> Option<u64> {
    (x >= 0.0 && x.fract() == 0.0 && x < 9e15).then_some(x as u64)
}

/// Whether a text stands for NaN.
pub(super) fn is_nan(text: &str) -> bool {
    text.eq_ignore_ascii_case("nan")
}

/// Parses the number of a trial; a float must be whole.
pub(super) fn read_count(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) if json::number(value).is_none() => parse_count(text),
        value => json::number(value).and_then(count),
    }
}

/// Returns the state of a trial without a recorded one: complete with a value, else failed.
pub(super) fn default_state(value: Option<f64>) -> TrialState {
    if value.is_some() { TrialState::Complete } else { TrialState::Failed }
}

/// Parses a state from its name or Optuna's number.
pub(super) fn parse_state_of(state: &Value) -> Option<TrialState> {
    match state {
        Value::String(name) => parse_state(name),
        state => {
            let names = ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"];
            parse_state(names.get(usize::try_from(state.as_u64()?).ok()?)?)
        }
    }
}

/// Advice for a number of a trial that is no count.
pub(super) const COUNTS: &str =
    "trials are numbered from 0; without numbers they are numbered in their order";

/// Advice for a time that cannot be read.
pub(super) const TIMES: &str = "write times as 2026-01-31 12:00:00, which is one of this machine's zone, or \
     as 2026-01-31T12:00:00Z";

/// Advice for a distribution that cannot be read.
pub(super) const DISTRIBUTIONS: &str = "Optuna's form is {\"name\": \"FloatDistribution\", \"attributes\": \
     {\"low\": 0.0, \"high\": 1.0, \"log\": false, \"step\": null}}";

/// Advice for a value that is not in its recorded distribution.
pub(super) const OF_THE_SET: &str = "the distribution of a trial's parameter must contain its value";

/// Advice for a state that is unknown.
pub(super) const STATES: &str = "known states: COMPLETE, PRUNED, FAIL, RUNNING, WAITING, and those of \
     Weights & Biases, MLflow, Ray Tune and hyperopt";

/// Parses a state such as `COMPLETE` or `TrialState.COMPLETE`, ignoring case, or a state of W&B, `MLflow`,
/// Ray Tune or hyperopt.
pub(super) fn parse_state(name: &str) -> Option<TrialState> {
    match name.rsplit('.').next().unwrap_or(name).trim().to_ascii_uppercase().as_str() {
        "COMPLETE" | "COMPLETED" | "OK" | "FINISHED" | "TERMINATED" | "DONE" | "SUCCEEDED" | "SUCCESS" => {
            Some(TrialState::Complete)
        }
        "PRUNED" => Some(TrialState::Pruned),
        "FAIL" | "FAILED" | "CRASHED" | "KILLED" | "ERROR" | "PREEMPTED" | "CANCELED" | "CANCELLED" => {
            Some(TrialState::Failed)
        }
        "RUNNING" | "PREEMPTING" => Some(TrialState::Running),
        "WAITING" | "PENDING" | "SCHEDULED" | "NEW" | "SUSPENDED" => Some(TrialState::Waiting),
        _ => None,
    }
}

/// Returns the advice for a value that is no number.
fn number_hint(value: &Value) -> &'static str {
    let is_number = |text: &str| text.trim().replacen(',', ".", 1).parse::<f64>().is_ok();
    if value.as_str().is_some_and(is_number) {
        "write numbers without quotes, and with a decimal point"
    } else {
        "null stands for a missing value, and --metric names another field"
    }
}

/// Parses a number; returns `None` for null and NaN.
pub(super) fn number_or_null(value: &Value, wrong: impl FnOnce() -> Problem) -> Result<Option<f64>, Problem> {
    // Weights & Biases writes NaN as a text.
    if value.is_null() || value.as_str().is_some_and(is_nan) {
        return Ok(None);
    }
    let number = json::number(value).ok_or_else(|| wrong().hint(number_hint(value)))?;
    Ok(Some(number).filter(|x| !x.is_nan()))
}

/// Parses a time that Python's `isoformat` or `str` printed. Without an offset it is a local time, as pandas
/// and Optuna write it.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let naive = || {
        let time: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::TimeZone::system().to_timestamp(time).ok()
    };
    text.parse().ok().or_else(naive)
}

/// Parses a time, from a text or pandas' number of milliseconds of local time.
pub(super) fn read_time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse_time(text),
        value => {
            let clock = Timestamp::from_millisecond(value.as_i64()?).ok()?;
            let naive = jiff::tz::TimeZone::UTC.to_datetime(clock);
            jiff::tz::TimeZone::system().to_timestamp(naive).ok()
        }
    }
}
