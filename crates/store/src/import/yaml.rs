//! Lists of trials in YAML, as `optuna trials -f yaml` prints them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::options::NonFiniteFloatPolicy;

use super::error::Problem;
use crate::json;

/// Whether a text begins as a list in YAML does.
pub fn is_list(text: &str) -> bool {
    let is_content = |line: &&str| !(line.is_empty() || line.starts_with('#') || *line == "---");
    text.lines().find(is_content).is_some_and(|line| line.starts_with("- "))
}

/// Parses a document, whose size in memory, aliases and depth are bounded by the parser.
pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    let options = serde_saphyr::options! { non_finite_float_policy: NonFiniteFloatPolicy::PassThrough };
    let read = serde_saphyr::from_str_with_options::<Node>(text, options);
    read.map(|node| with_wide(node.0, &json::wide_numbers(text))).map_err(|error| {
        let place = error.location().map_or_else(
            || "its content".to_owned(),
            |location| format!("line {}, column {}", location.line(), location.column()),
        );
        let message = error.to_string();
        let line = message.lines().next().unwrap_or("no YAML").trim_start_matches("error: ");
        // The place stands before the message.
        let line = line
            .split_once(": ")
            .filter(|(place, _)| place.starts_with("line "))
            .map_or(line, |(_, said)| said);
        Problem::new(place, line).hint("`optuna trials -f json` writes the same as JSON")
    })
}

/// A value with every digit of its integers, of which those beyond 64 bits were parsed as floats.
fn with_wide(value: Value, integers: &[(f64, &str)]) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let found = integers.iter().find(|(rounded, _)| number.as_f64() == Some(*rounded));
            found.map_or(Value::Number(number), |(_, digits)| json::wide(digits))
        }
        Value::Array(items) if !integers.is_empty() => {
            items.into_iter().map(|item| with_wide(item, integers)).collect()
        }
        Value::Object(fields) if !integers.is_empty() => {
            fields.into_iter().map(|(key, item)| (key, with_wide(item, integers))).collect()
        }
        other => other,
    }
}

/// A node as the readers of JSON take it: numbers that JSON has no word for have the stand-ins of [`json`].
struct Node(Value);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes).map(Node)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(json::float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Node(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((key, Node(value))) = access.next_entry::<String, Node>()? {
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}
