//! YAML document of a sweep, with its keys in the order of the file.

use allometry_store::{json, yaml};
use serde_json::{Map, Value};

use crate::error::SweepError;
use crate::words::shown;

/// Maximum length of a sweep in bytes. Sweeps have a few pages at most.
const MAX_BYTES: usize = 1 << 20;

/// Parses a document. The parser itself bounds aliases and depth.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, SweepError> {
    if text.len() > MAX_BYTES {
        return Err(SweepError::Yaml(format!("the sweep has more than {MAX_BYTES} bytes")));
    }
    let document = yaml::parse(text).map_err(|error| SweepError::Yaml(error.to_string()))?;
    match document {
        Value::Object(fields) if fields.contains_key("parameters") => {
            fields.iter().try_for_each(|(name, value)| refuse_wide(&shown(name), value))?;
            Ok(fields)
        }
        Value::Object(_) => Err(SweepError::wrong("parameters", "the parameters of a sweep")),
        _ => Err(SweepError::wrong("parameters", "a sweep: keys `method`, `metric`, `parameters`")),
    }
}

/// Refuses numbers that neither JSON nor TOML represents: `.inf`, `.nan` and integers of more than 64 bits.
fn refuse_wide(key: &str, value: &Value) -> Result<(), SweepError> {
    match value {
        Value::String(_) if json::number(value).is_some() => Err(SweepError::wrong(
            key,
            format!("a finite number of at most 64 bits, found {}", json::write(value)),
        )),
        Value::Array(items) => items.iter().try_for_each(|item| refuse_wide(key, item)),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, value)| refuse_wide(&format!("{key}.{}", shown(name)), value))
        }
        _ => Ok(()),
    }
}
