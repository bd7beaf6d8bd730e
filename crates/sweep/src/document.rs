//! The sweep as a tree, in the order in which it was written.

use serde_json::{Map, Value};

use crate::error::SweepError;

/// Longest text: sweeps have a few pages at most.
const LONGEST: usize = 1 << 20;

/// Parses a document, whose aliases and depth are bounded by the parser.
pub(crate) fn parse(yaml: &str) -> Result<Map<String, Value>, SweepError> {
    if yaml.len() > LONGEST {
        return Err(SweepError::Yaml(format!("it has more than {LONGEST} bytes")));
    }
    let document: Value = serde_saphyr::from_str(yaml).map_err(|error| {
        let message = error.to_string();
        let line = message.lines().next().unwrap_or("no YAML");
        SweepError::Yaml(line.trim_start_matches("error: ").to_owned())
    })?;
    match document {
        Value::Object(fields) if fields.contains_key("parameters") => Ok(fields),
        Value::Object(_) => Err(SweepError::wrong("parameters", "the parameters of a sweep")),
        _ => Err(SweepError::wrong("parameters", "a sweep: keys `method`, `metric`, `parameters`")),
    }
}
