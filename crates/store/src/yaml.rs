//! Python's YAML: documents are read as `PyYAML` reads them, which writes the trials of Optuna and reads the
//! sweeps of Weights & Biases.

mod scalar;

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::{Map, Value};

/// Maximum depth of nested lists and objects, which is that of JSON.
const DEPTH: usize = 127;

/// Maximum size of what aliases repeat, in bytes.
const REPEATED: usize = 64 << 20;

/// Approximate size of a value in memory, in bytes, without that of its text.
const NODE: usize = 64;

/// The place where a document stops being YAML, or exceeds a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct YamlError {
    /// Line number, from 1.
    pub line: usize,
    /// Character number in the line, from 1.
    pub column: usize,
    /// Problem at this place.
    pub message: String,
}

/// Whether a text starts like a YAML list.
pub fn is_list(text: &str) -> bool {
    let is_content = |line: &&str| !(line.is_empty() || line.starts_with('#') || *line == "---");
    text.lines().find(is_content).is_some_and(|line| line.starts_with("- "))
}

/// Parses a document. Scalars are resolved as `yaml.safe_load` of `PyYAML` does; numbers that JSON cannot
/// represent become the stand-ins of [`crate::json`]. Nesting and aliases are bounded.
///
/// # Errors
/// [`YamlError`] with line and column.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    let mut composer = Composer::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| malformed(&error))?;
        composer.take(event).map_err(|message| at(&span, message))?;
    }
    Ok(composer.root.unwrap_or_default())
}

fn malformed(error: &ScanError) -> YamlError {
    let message = match error.kind() {
        ErrorKind::RecursionLimitExceeded => TOO_DEEP,
        _ => &error.info(),
    };
    YamlError { line: error.marker().line(), column: error.marker().col() + 1, message: message.to_owned() }
}

fn at(span: &Span, message: &str) -> YamlError {
    YamlError { line: span.start.line(), column: span.start.col() + 1, message: message.to_owned() }
}

/// A list or an object whose end has not been read.
struct Open {
    /// Number of its anchor; 0 without one.
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Object {
        fields: Map<String, Value>,
        /// Name of the field whose value follows.
        key: Option<Key>,
        /// Objects whose fields are added unless they are there.
        merged: Vec<Value>,
    },
}

enum Key {
    Name(String),
    /// The plain key `<<`.
    Merge,
}

/// Builds a value from the events of a document.
#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    /// Size of what aliases have repeated.
    repeated: usize,
    root: Option<Value>,
}

impl Composer {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => Err("a second document"),
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                if let Some(key) = self.next_key() {
                    *key = Some(if is_plain && text == "<<" {
                        Key::Merge
                    } else {
                        Key::Name(text.clone().into_owned())
                    });
                    self.anchor(anchor, || text.into_owned().into());
                    return Ok(());
                }
                self.put(resolved(&text, is_plain, tag.as_deref()), anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(anchor, Content::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.begin(anchor, Content::Object { fields: Map::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, content }) = self.open.pop() else {
                    return Err("an end without a start");
                };
                self.put(content.into_value()?, anchor)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).ok_or("an alias within its own anchor")?;
                self.repeated += size(value);
                if self.repeated > REPEATED {
                    return Err("its aliases repeat more than 64 MiB");
                }
                let value = value.clone();
                match (self.next_key(), value) {
                    (Some(key), Value::String(name)) => {
                        *key = Some(Key::Name(name));
                        Ok(())
                    }
                    (Some(_), _) => Err(KEYS),
                    (None, value) => self.put(value, 0),
                }
            }
            _ => Ok(()),
        }
    }

    /// Returns the place of the key if the next node is one.
    fn next_key(&mut self) -> Option<&mut Option<Key>> {
        match &mut self.open.last_mut()?.content {
            Content::Object { key, .. } if key.is_none() => Some(key),
            _ => None,
        }
    }

    fn begin(&mut self, anchor: usize, content: Content) -> Result<(), &'static str> {
        if self.next_key().is_some() {
            return Err(KEYS);
        }
        if self.open.len() >= DEPTH {
            return Err(TOO_DEEP);
        }
        self.open.push(Open { anchor, content });
        Ok(())
    }

    /// Keeps a node for its aliases, if it has an anchor.
    fn anchor(&mut self, anchor: usize, value: impl FnOnce() -> Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, value());
        }
    }

    /// Adds a value to the innermost open list or object.
    fn put(&mut self, value: Value, anchor: usize) -> Result<(), &'static str> {
        self.anchor(anchor, || value.clone());
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(value),
            Some(Content::List(items)) => items.push(value),
            Some(Content::Object { fields, key, merged }) => match key.take() {
                Some(Key::Merge) => merged.push(value),
                Some(Key::Name(name)) if fields.contains_key(&name) => return Err("a key that occurs twice"),
                Some(Key::Name(name)) => drop(fields.insert(name, value)),
                None => return Err(KEYS),
            },
        }
        Ok(())
    }
}

const TOO_DEEP: &str = "lists and objects are nested more than 127 deep";

const KEYS: &str = "a list or an object as a key";

impl Content {
    fn into_value(self) -> Result<Value, &'static str> {
        let (mut fields, merged) = match self {
            Self::List(items) => return Ok(Value::Array(items)),
            Self::Object { fields, merged, .. } => (fields, merged),
        };
        let objects = merged.into_iter().flat_map(|value| match value {
            Value::Array(items) => items,
            value => vec![value],
        });
        for object in objects {
            let Value::Object(others) = object else { return Err("`<<` without an object") };
            for (name, value) in others {
                fields.entry(name).or_insert(value);
            }
        }
        Ok(Value::Object(fields))
    }
}

/// Returns the value of a scalar. A tag of YAML's own types takes precedence over its quotes.
fn resolved(text: &str, is_plain: bool, tag: Option<&Tag>) -> Value {
    let is_text = match tag.map(Tag::core_suffix) {
        None => !is_plain,
        Some(suffix) => !matches!(suffix, Some("int" | "float" | "bool" | "null")),
    };
    if is_text { text.into() } else { scalar::plain(text) }
}

/// Returns the approximate size of a value in memory.
fn size(value: &Value) -> usize {
    NODE + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn anchors_merges_and_tags_are_read() {
        let text = "- &a {x: 1, y: 'n'}\n- *a\n- {<<: *a, x: 2}\n- {<<: [{z: ~}, *a]}\n- !!str 5\n\
                    - !!float '1e-4'\n- &t text\n- {*t : 1}\n- ? 7\n  : [yes, \"yes\"]\n";
        let read = parse(text).unwrap();
        let expected = json!([
            {"x": 1, "y": "n"}, {"x": 1, "y": "n"}, {"x": 2, "y": "n"}, {"z": null, "x": 1, "y": "n"}, "5",
            "1e-4", "text", {"text": 1}, {"7": [true, "yes"]},
        ]);
        assert_eq!(read, expected);
    }

    #[test]
    fn documents_that_exhaust_memory_are_refused() {
        let mut bomb = String::from("- &a0 [0, 0, 0, 0, 0, 0, 0, 0, 0]\n");
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            writeln!(bomb, "- &a{level} [{}]", vec![alias; 9].join(", ")).unwrap();
        }
        let [deep, deepest] =
            [200, 100_000].map(|depth| format!("- {}{}", "[".repeat(depth), "]".repeat(depth)));
        for (text, expected) in [
            (bomb.as_str(), "its aliases repeat more than 64 MiB"),
            (&deep, "nested more than 127 deep"),
            (&deepest, "nested more than 127 deep"),
            ("- &a [*a]\n", "an alias within its own anchor"),
            ("- {a: 1, a: 2}\n", "a key that occurs twice"),
            ("- {[1]: 2}\n", "a list or an object as a key"),
            ("- 1\n---\n- 2\n", "a second document"),
            ("- <<: 1\n", "`<<` without an object"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(expected), "{error}");
        }
        let error = parse("- 1\n- {a: 1, a: 2}\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2, column 13: a key that occurs twice");
    }
}
