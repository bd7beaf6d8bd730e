//! Parts of a trial as files have them.

use allometry_core::TrialState;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::StoreError;
use crate::json;

/// As Python prints the member of Optuna's enumeration.
pub(super) fn state(state: TrialState) -> &'static str {
    match state {
        TrialState::Waiting => "TrialState.WAITING",
        TrialState::Running => "TrialState.RUNNING",
        TrialState::Complete => "TrialState.COMPLETE",
        TrialState::Pruned => "TrialState.PRUNED",
        TrialState::Failed => "TrialState.FAIL",
    }
}

/// As Python's `str` prints a time of this machine's zone, without an offset: so Optuna's `trials_dataframe` has it.
pub(super) fn time(time: Timestamp) -> String {
    let time = jiff::tz::TimeZone::system().to_datetime(time);
    if time.subsec_nanosecond() == 0 {
        time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    } else {
        time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
    }
}

/// The value that a stored number stands for, and its set.
///
/// # Errors
/// [`StoreError::Invalid`] naming the parameter.
pub(super) fn param(name: &str, internal: f64, distribution: &str) -> Result<(Value, Value), StoreError> {
    let invalid = |problem: String| StoreError::Invalid { field: format!("parameter `{name}`"), problem };
    let set = json::parse(distribution).map_err(|error| invalid(format!("its set is no JSON: {error}")))?;
    let class = set["name"].as_str().unwrap_or_default();
    let value = if class == "CategoricalDistribution" {
        let place = (internal >= 0.0).then_some(internal as usize);
        let choice = place.and_then(|place| set["attributes"]["choices"].get(place));
        choice.cloned().ok_or_else(|| invalid(format!("its set has no choice {internal}")))?
    } else if class.starts_with("Int") {
        Value::from(internal as i64)
    } else {
        json::float(internal)
    };
    Ok((value, set))
}

/// The text of an attribute as a value.
///
/// # Errors
/// [`StoreError::Invalid`] naming the attribute.
pub(super) fn attribute(key: &str, text: &str) -> Result<Value, StoreError> {
    let problem = |error: json::JsonError| format!("it is no JSON: {error}");
    json::parse(text)
        .map_err(|error| StoreError::Invalid { field: format!("attribute `{key}`"), problem: problem(error) })
}
