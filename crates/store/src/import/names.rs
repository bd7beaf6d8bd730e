//! Known names of fields in any case.

use serde_json::{Map, Value};

use super::flat::{COMMON, is_nested_field};

/// Returns a trial whose known fields are in lower case, unless it has both spellings.
pub(super) fn of_trial(entry: Value) -> Value {
    let is_known = |name: &str, value: &Value| {
        is_nested_field(name, value) || COMMON.contains(&name) || name == "constraints"
    };
    match entry {
        Value::Object(fields) => Value::Object(lowered(fields, is_known)),
        other => other,
    }
}

/// Returns the fields with the names in lower case that `is_known` accepts there.
pub(super) fn lowered(
    fields: Map<String, Value>,
    is_known: impl Fn(&str, &Value) -> bool,
) -> Map<String, Value> {
    let lower = |name: &str, value: &Value| {
        let lower = name.to_ascii_lowercase();
        (lower != name && is_known(&lower, value) && !fields.contains_key(&lower)).then_some(lower)
    };
    let renamed: Vec<Option<String>> = fields.iter().map(|(name, value)| lower(name, value)).collect();
    if renamed.iter().all(Option::is_none) {
        return fields;
    }
    fields.into_iter().zip(renamed).map(|((name, value), lower)| (lower.unwrap_or(name), value)).collect()
}
