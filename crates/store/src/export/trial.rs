//! Values, times and states as the exported files contain them.

use allometry_core::TrialState;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::StoreError;
use crate::json;

/// Returns a state as Python prints the member of Optuna's enumeration.
pub(super) fn state(state: TrialState) -> &'static str {
    match state {
        TrialState::Waiting => "TrialState.WAITING",
        TrialState::Running => "TrialState.RUNNING",
        TrialState::Complete => "TrialState.COMPLETE",
        TrialState::Pruned => "TrialState.PRUNED",
        TrialState::Failed => "TrialState.FAIL",
    }
}

/// Returns a local time as Python's `str` prints it, without an offset, like Optuna's `trials_dataframe`.
pub(super) fn time(time: Timestamp) -> String {
    let time = jiff::tz::TimeZone::system().to_datetime(time);
    if time.subsec_nanosecond() == 0 {
        time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    } else {
        time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
    }
}

/// Returns the value that a stored number represents, and its distribution.
///
/// # Errors
/// [`StoreError::Invalid`] with the name of the parameter.
pub(super) fn param(name: &str, internal: f64, distribution: &str) -> Result<(Value, Value), StoreError> {
    let invalid = |problem: String| StoreError::Invalid { field: format!("parameter `{name}`"), problem };
    let set = json::parse(distribution)
        .map_err(|error| invalid(format!("its distribution is not JSON: {error}")))?;
    let class = set["name"].as_str().unwrap_or_default();
    let value = if class == "CategoricalDistribution" {
        let place = (internal >= 0.0).then_some(internal as usize);
        let choice = place.and_then(|place| set["attributes"]["choices"].get(place));
        choice.cloned().ok_or_else(|| invalid(format!("its distribution has no choice {internal}")))?
    } else if class.starts_with("Int") {
        Value::from(internal as i64)
    } else {
        json::float(internal)
    };
    Ok((value, set))
}

/// Parses the text of an attribute.
///
/// # Errors
/// [`StoreError::Invalid`] with the name of the attribute.
pub(super) fn attribute(key: &str, text: &str) -> Result<Value, StoreError> {
    let problem = |error: json::JsonError| format!("it is not JSON: {error}");
    json::parse(text)
        .map_err(|error| StoreError::Invalid { field: format!("attribute `{key}`"), problem: problem(error) })
}
