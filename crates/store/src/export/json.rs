//! Export as `all_trials.json`: the fields that scripts write, and the other data that Optuna has about a
//! trial.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{directions, import_attribute, metric_names, trial};
use crate::error::StoreError;
use crate::import::ImportAttribute;
use crate::json;
use crate::optuna::{StudyWithTrials, TrialWithExtras};

/// Returns a list with one object per trial, as Python's `json.dump` writes it: NaN and infinities are bare
/// words.
///
/// # Errors
/// [`StoreError::Invalid`] with the trial and the part that cannot be read.
pub fn write(study: &StudyWithTrials) -> Result<String, StoreError> {
    let directions = Value::from(directions(study));
    let names = metric_names(study).map(Value::from);
    let import = import_attribute(study);
    let mut text = String::from("[");
    for (number, whole) in study.trials.iter().enumerate() {
        let mut entry =
            entry(number, whole, study.directions.len(), &import).map_err(|error| error.in_trial(number))?;
        entry.insert("directions".to_owned(), directions.clone());
        entry.extend(names.clone().map(|names| ("metric_names".to_owned(), names)));
        text.push_str(if number > 0 { ",\n  " } else { "\n  " });
        text.push_str(&json::write(&Value::Object(entry)));
    }
    text.push_str("\n]\n");
    Ok(text)
}

fn entry(
    number: usize,
    whole: &TrialWithExtras,
    objectives: usize,
    import: &ImportAttribute,
) -> Result<Map<String, Value>, StoreError> {
    let template = &whole.template;
    let (mut params, mut sets) = (Map::new(), Map::new());
    for (name, internal, distribution) in &template.params {
        let (value, set) = trial::param(name, *internal, distribution)?;
        params.insert(name.clone(), value);
        if !import.is_inferred(number as u64, name) {
            sets.insert(name.clone(), set);
        }
    }
    let values: Vec<Value> = template.values.iter().map(|value| json::float(*value)).collect();
    let intermediate = template.intermediate.iter();
    let time = |time: Option<jiff::Timestamp>| time.map_or(Value::Null, |time| trial::time(time).into());
    let mut entry = Map::new();
    let mut put = |name: &str, value| entry.insert(name.to_owned(), value);
    put("number", number.into());
    if objectives == 1 {
        put("value", values.into_iter().next().unwrap_or(Value::Null));
    } else {
        put("values", if values.is_empty() { Value::Null } else { values.into() });
    }
    put("params", params.into());
    put("state", trial::state(template.state).into());
    put("user_attrs", attributes(&template.user_attributes)?);
    put("system_attrs", attributes(&template.system_attributes)?);
    put("intermediate_values", intermediate.map(|(step, x)| (step.to_string(), json::float(*x))).collect());
    put("distributions", sets.into());
    put("datetime_start", time(template.started));
    put("datetime_complete", time(template.completed));
    Ok(entry)
}

fn attributes(texts: &BTreeMap<String, String>) -> Result<Value, StoreError> {
    let values = texts.iter().map(|(key, text)| Ok((key.clone(), trial::attribute(key, text)?)));
    Ok(Value::Object(values.collect::<Result<_, StoreError>>()?))
}
