//! Dictionaries of runs of Weights & Biases, as its API returns them.

use serde_json::{Map, Value};

use crate::json;

/// Fields that contain dictionaries, and the prefix of the names in them. `json_config` is a text, and has
/// the value of each name beside a description.
const DICTIONARIES: [(&str, &str); 3] =
    [("config", "config"), ("json_config", "config"), ("summary", "summary")];

/// Key under which Weights & Biases keeps data of its own.
const OWN: &str = "_wandb";

/// Returns the prefix of the names in a field with a dictionary.
fn prefix(name: &str) -> Option<&'static str> {
    let found = DICTIONARIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, prefix)| *prefix)
}

/// Whether a field or column may contain a dictionary.
pub(super) fn is_dictionary(name: &str) -> bool {
    prefix(name).is_some()
}

/// Returns the fields of a run with those of its dictionaries beside them: `config.opt.lr`.
pub(super) fn unfolded(fields: Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in fields {
        match prefix(&name).and_then(|prefix| Some((prefix, dictionary(&value)?))) {
            Some((prefix, inner)) => flatten(prefix, inner.into_iter().map(described), &mut all),
            None => drop(all.insert(name, value)),
        }
    }
    all
}

/// Returns the dictionary in a field, which may be the text of one.
fn dictionary(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(inner) => Some(inner.clone()),
        Value::String(text) if text.starts_with('{') => {
            json::parse(text).ok().and_then(|inner| inner.as_object().cloned())
        }
        _ => None,
    }
}

/// Replaces a value with a description by the value.
fn described((key, value): (String, Value)) -> (String, Value) {
    match value {
        Value::Object(mut both)
            if both.len() == 2 && both.contains_key("desc") && both.contains_key("value") =>
        {
            let value = both.remove("value").unwrap_or_default();
            (key, value)
        }
        value => (key, value),
    }
}

/// Adds values with the names of their dictionaries in front; names are joined by points.
fn flatten(prefix: &str, fields: impl Iterator<Item = (String, Value)>, into: &mut Map<String, Value>) {
    for (key, value) in fields.filter(|(key, _)| key != OWN) {
        let name = format!("{prefix}.{key}");
        match value {
            Value::Object(inner) => flatten(&name, &mut inner.into_iter(), into),
            value => drop(into.insert(name, value)),
        }
    }
}
