//! Export as an Optuna journal: one operation per line, so that a truncated file keeps its complete lines.

use allometry_core::{Direction, TrialState};
use serde_json::{Map, Value, json};

use super::trial::{attribute, time};
use crate::error::StoreError;
use crate::json;
use crate::optuna::{StudyWithTrials, TrialWithExtras};

/// Worker id of the operations.
const WORKER: &str = "allometry";

/// Returns the operations that create the studies, for `allometry import` and Optuna's `JournalFileBackend`.
/// The contents of Allometry's own tables are left out.
///
/// # Errors
/// [`StoreError::Invalid`] for an attribute that is not JSON.
pub fn write(studies: &[StudyWithTrials]) -> Result<String, StoreError> {
    let mut lines = String::new();
    let mut operation = |code: u8, mut fields: Map<String, Value>| {
        fields.insert("op_code".into(), code.into());
        fields.insert("worker_id".into(), WORKER.into());
        lines.push_str(&json::write(&Value::Object(fields)));
        lines.push('\n');
    };
    for (id, study) in studies.iter().enumerate() {
        let direction = |direction: &Direction| if *direction == Direction::Maximize { 2 } else { 1 };
        let directions: Vec<u8> = study.directions.iter().map(direction).collect();
        operation(0, object(json!({"study_name": study.name, "directions": directions})));
        for (code, field, attributes) in
            [(2, "user_attr", &study.user_attributes), (3, "system_attr", &study.system_attributes)]
        {
            for (key, text) in attributes {
                let pair = Map::from_iter([(key.clone(), attribute(key, text)?)]);
                operation(
                    code,
                    Map::from_iter([("study_id".into(), id.into()), (field.into(), pair.into())]),
                );
            }
        }
        for trial in &study.trials {
            operation(4, template(id, trial)?);
        }
    }
    Ok(lines)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Returns the operation that creates a trial with all its contents.
fn template(study: usize, trial: &TrialWithExtras) -> Result<Map<String, Value>, StoreError> {
    let trial = &trial.template;
    let state = match trial.state {
        TrialState::Running => 0,
        TrialState::Complete => 1,
        TrialState::Pruned => 2,
        TrialState::Failed => 3,
        TrialState::Waiting => 4,
    };
    let attributes = |attributes: &std::collections::BTreeMap<String, String>| -> Result<Value, StoreError> {
        let read = attributes.iter().map(|(key, text)| Ok((key.clone(), attribute(key, text)?)));
        Ok(Value::Object(read.collect::<Result<_, StoreError>>()?))
    };
    let numbers: Map<String, Value> =
        trial.params.iter().map(|(name, internal, _)| (name.clone(), json::float(*internal))).collect();
    let sets: Map<String, Value> =
        trial.params.iter().map(|(name, _, set)| (name.clone(), set.clone().into())).collect();
    let steps: Map<String, Value> =
        trial.intermediate.iter().map(|(step, value)| (step.to_string(), json::float(*value))).collect();
    let values: Vec<Value> = trial.values.iter().map(|value| json::float(*value)).collect();
    let iso = |at: Option<jiff::Timestamp>| at.map(|at| time(at).replacen(' ', "T", 1));
    Ok(object(json!({
        "study_id": study,
        "state": state,
        "value": null,
        "values": if values.is_empty() { Value::Null } else { values.into() },
        "params": numbers,
        "distributions": sets,
        "user_attrs": attributes(&trial.user_attributes)?,
        "system_attrs": attributes(&trial.system_attributes)?,
        "intermediate_values": steps,
        "datetime_start": iso(trial.started),
        "datetime_complete": iso(trial.completed),
    })))
}
