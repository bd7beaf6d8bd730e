//! YAML document of a sweep, with its keys in the order of the file.

use serde_json::{Map, Value};

use crate::error::SweepError;

/// Maximum length of a sweep in bytes. Sweeps have a few pages at most.
const MAX_BYTES: usize = 1 << 20;

/// Parses a document. The parser itself bounds aliases and depth.
pub(crate) fn parse(yaml: &str) -> Result<Map<String, Value>, SweepError> {
    if yaml.len() > MAX_BYTES {
        return Err(SweepError::Yaml(format!("the sweep has more than {MAX_BYTES} bytes")));
    }
    let document: Value = serde_saphyr::from_str(yaml).map_err(|error| {
        let message = error.to_string();
        let line = message.lines().next().unwrap_or("invalid YAML");
        SweepError::Yaml(line.trim_start_matches("error: ").to_owned())
    })?;
    match document {
        Value::Object(fields) if fields.contains_key("parameters") => Ok(fields),
        Value::Object(_) => Err(SweepError::wrong("parameters", "the parameters of a sweep")),
        _ => Err(SweepError::wrong("parameters", "a sweep: keys `method`, `metric`, `parameters`")),
    }
}
