//! Python's JSON: ASCII only, with bare `NaN` and `Infinity`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use allometry_core::python::{json_float, json_string};
use serde::Deserializer as _;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

/// First character of every stand-in; a private-use character, so that no ordinary text equals a stand-in.
const MARK: char = '\u{E000}';

/// Stand-ins for numbers that JSON cannot represent: the word, its stand-in and its value.
const STAND_INS: [(&str, &str, f64); 3] = [
    ("NaN", "\u{E000}NaN", f64::NAN),
    ("-Infinity", "\u{E000}-Infinity", f64::NEG_INFINITY),
    ("Infinity", "\u{E000}Infinity", f64::INFINITY),
];

/// The place where a document stops being JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct JsonError {
    /// Line number, from 1.
    pub line: usize,
    /// Byte number in the line, from 1.
    pub column: usize,
    /// Problem at this place.
    pub message: String,
    /// Whether the document ended too early.
    pub cut_off: bool,
}

/// Parses a document that may contain bare `NaN` and `Infinity`, and integers of any length. These become
/// stand-ins, which [`number`] distinguishes from texts.
///
/// # Errors
/// [`JsonError`] with line and column.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let quoted = quote_bare_numbers(text);
    serde_json::from_str(&quoted).map_err(|error| located(&quoted, &error))
}

/// Calls `each` with every element of a list, one at a time, so that the whole list is never in memory.
/// Returns `false` if the document is not a list.
///
/// # Errors
/// [`JsonError`] with line and column, after the elements before it were passed on.
pub(crate) fn each_element(text: &str, mut each: impl FnMut(Value)) -> Result<bool, JsonError> {
    if !text.trim_start().starts_with('[') {
        return Ok(false);
    }
    let quoted = quote_bare_numbers(text);
    let mut document = serde_json::Deserializer::from_str(&quoted);
    let read = document.deserialize_seq(Elements(&mut each)).and_then(|()| document.end());
    read.map(|()| true).map_err(|error| located(&quoted, &error))
}

/// Visitor that passes on the elements of a list.
struct Elements<'f, F>(&'f mut F);

impl<'de, F: FnMut(Value)> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }
}

/// Converts the position of an error to the text before its numbers were quoted.
fn located(quoted: &str, error: &serde_json::Error) -> JsonError {
    let (line, column) = (error.line(), error.column());
    let before = quoted.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let before = &before.as_bytes()[..column.min(before.len())];
    let mark = MARK.encode_utf8(&mut [0; 3]).as_bytes().to_vec();
    let added = before.windows(mark.len()).filter(|bytes| *bytes == mark).count() * (mark.len() + 2);
    let message = error.to_string();
    JsonError {
        line,
        column: column.saturating_sub(added),
        message: message.split(" at line ").next().unwrap_or(&message).to_owned(),
        cut_off: error.is_eof(),
    }
}

/// Checks that Python could parse a document. Its depth and lone surrogates do not matter, because the parsed
/// value is dropped.
///
/// # Errors
/// [`JsonError`] with line and column.
pub(crate) fn check(text: &str) -> Result<(), JsonError> {
    let quoted = quote_bare_numbers(text);
    serde_json::from_str::<IgnoredAny>(&quoted).map(|_| ()).map_err(|error| located(&quoted, &error))
}

/// Number of digits from which an integer may exceed 64 bits.
const LONG: usize = 19;

/// Whether a text contains at least [`LONG`] consecutive digits.
pub(crate) fn has_long_number(text: &str) -> bool {
    let text = text.as_bytes();
    let digits =
        |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|byte| byte.is_ascii_digit()).count();
    // Every run of `LONG` digits covers one of these positions.
    (LONG - 1..text.len()).step_by(LONG).any(|place| {
        let (before, after) = text.split_at(place);
        text[place].is_ascii_digit() && digits(&mut before.iter().rev()) + digits(&mut after.iter()) >= LONG
    })
}

/// Whether a word is an integer that fits neither `i64` nor `u64`.
pub(crate) fn is_wide(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.len() >= LONG
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && word.parse::<i64>().is_err()
        && word.parse::<u64>().is_err()
}

/// Returns the value that represents an integer of any length, from its digits.
pub(crate) fn wide(digits: &str) -> Value {
    Value::String(format!("{MARK}{digits}"))
}

/// Returns the digits of the first integer in a value that exceeds `i64`.
pub fn beyond_i64(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) if number.is_u64() && !number.is_i64() => Some(number.to_string()),
        Value::String(text) => text.strip_prefix(MARK).filter(|digits| is_wide(digits)).map(Into::into),
        Value::Array(items) => items.iter().find_map(beyond_i64),
        Value::Object(fields) => fields.values().find_map(beyond_i64),
        _ => None,
    }
}

fn quote_bare_numbers(text: &str) -> Cow<'_, str> {
    let is_long = has_long_number(text);
    if !text.contains("NaN") && !text.contains("Infinity") && !is_long {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(place) = rest.bytes().position(|byte| byte == b'"' || is_of_word(byte)) {
        let (before, token) = rest.split_at(place);
        quoted.push_str(before);
        let length = if token.starts_with('"') { string_length(token) } else { word_length(token) };
        let (token, after) = token.split_at(length);
        match STAND_INS.iter().find(|(word, ..)| *word == token) {
            Some((_, stand_in, _)) => quoted.extend(["\"", stand_in, "\""]),
            None if is_long && is_wide(token) => {
                quoted.extend(["\"", MARK.encode_utf8(&mut [0; 3]), token, "\""]);
            }
            None => quoted.push_str(token),
        }
        rest = after;
    }
    quoted.push_str(rest);
    Cow::Owned(quoted)
}

/// Returns the length in bytes of the string at the start of a document, with its quotes.
fn string_length(document: &str) -> usize {
    let mut is_escaped = false;
    let end = document.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(document.len(), |place| place + 2)
}

/// Returns the length in bytes of the number or word at the start of a document.
fn word_length(document: &str) -> usize {
    document.bytes().position(|byte| !is_of_word(byte)).unwrap_or(document.len())
}

/// Whether a byte can be part of a number, or of a word such as `NaN`.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Returns the number that a parsed value represents, including NaN and infinities.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.strip_prefix(MARK)?.parse().ok(),
        _ => None,
    }
}

/// Replaces stand-ins by standard JSON: NaN and infinities become null.
pub fn to_standard_json(value: Value) -> Value {
    match value {
        Value::String(_) if let Some(x) = number(&value) => {
            serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
        }
        Value::Array(items) => items.into_iter().map(to_standard_json).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (key, to_standard_json(value))).collect()
        }
        other => other,
    }
}

/// Writes a value as `json.dumps` does.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    append(&mut out, value);
    out
}

fn append(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(x) => out.push_str(&json_float(x)),
            None => out.push_str(&number.to_string()),
        },
        Value::String(text) => match (beyond_i64(value), number(value)) {
            (Some(digits), _) => out.push_str(&digits),
            (None, Some(x)) => out.push_str(&json_float(x)),
            (None, None) => out.push_str(&json_string(text)),
        },
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                append(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (i, (key, item)) in fields.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(&json_string(key));
                out.push_str(": ");
                append(out, item);
            }
            out.push('}');
        }
    }
}

/// Returns the value that represents a float, including NaN and infinities.
pub(crate) fn float(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or_else(
        || {
            let same = |y: f64| x == y || (x.is_nan() && y.is_nan());
            let found = STAND_INS.iter().find(|(.., y)| same(*y));
            Value::String(found.expect("every float is finite, infinite or NaN").1.into())
        },
        Value::Number,
    )
}

/// Returns floats by name as an object.
pub(crate) fn floats(numbers: &BTreeMap<String, f64>) -> Value {
    numbers.iter().map(|(name, x)| (name.clone(), float(*x))).collect()
}

/// Returns the floats of an object by name; skips fields that are not numbers.
pub(crate) fn read_floats(value: &Value) -> BTreeMap<String, f64> {
    let fields = value.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), number(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_python_survive() {
        let text = concat!(
            r#"{"x": NaN, "y": [-Infinity, Infinity, 1, 1.0, 1e-05], "#,
            r#""NaN": "NaN \" Infinity", "\u00e9": null}"#
        );
        assert_eq!(write(&parse(text).unwrap()), text);
    }

    #[test]
    fn integers_of_any_length_survive() {
        let text = concat!(
            "[18446744073709551616, -9223372036854775809, 0.1234567890123456789012, ",
            r#""123456789012345678901"]"#
        );
        let value = parse(text).unwrap();
        assert_eq!(number(&value[0]), Some(18_446_744_073_709_551_616.0));
        assert_eq!(write(&value), text.replace("0.1234567890123456789012", "0.12345678901234568"));
        assert_eq!(beyond_i64(&value).as_deref(), Some("18446744073709551616"));
        for (fine, is_beyond) in [
            ("9223372036854775807", false),
            ("[9223372036854775808]", true),
            ("-9223372036854775808", false),
            ("1e30", false),
            ("100000000000000000000.0", false),
            ("100000000000000000000e2", false),
            (r#"{"a": {"b": [1, -100000000000000000000]}}"#, true),
        ] {
            let value = parse(fine).unwrap();
            assert_eq!(beyond_i64(&value).is_some(), is_beyond, "{fine}");
            assert!(number(&to_standard_json(value.clone())).is_some() || !value.is_number());
        }
        assert_eq!(to_standard_json(parse("100000000000000000000").unwrap()), serde_json::json!(1e20));
        assert_eq!(parse("[100000000000000000000, 1 2]").unwrap_err().column, 27);
    }

    #[test]
    fn words_inside_texts_are_texts() {
        let value = parse(r#"["NaN", NaN, "\\", Infinity]"#).unwrap();
        assert_eq!(number(&value[0]), None);
        assert!(number(&value[1]).unwrap().is_nan());
        assert_eq!(number(&value[3]), Some(f64::INFINITY));
        assert_eq!(to_standard_json(value), serde_json::json!(["NaN", null, "\\", null]));
    }

    #[test]
    fn elements_of_a_list_come_one_by_one() {
        let elements = |text: &str| {
            let mut elements = Vec::new();
            let read = each_element(text, |element| elements.push(write(&element)));
            (read.map_err(|error| (error.line, error.column, error.cut_off)), elements.join(" "))
        };
        assert_eq!(elements(r#" [1, {"x": NaN}, []] "#), (Ok(true), r#"1 {"x": NaN} []"#.into()));
        assert_eq!(elements("[]"), (Ok(true), String::new()));
        assert_eq!(elements("{}"), (Ok(false), String::new()));
        assert_eq!(elements("[1,\n 2"), (Err((2, 2, true)), "1 2".into()));
        assert_eq!(elements("[1] 2"), (Err((1, 5, false)), "1".into()));
    }

    #[test]
    fn errors_count_in_the_text_as_written() {
        let error = parse("[\n[NaN, -Infinity, 1 2]]").unwrap_err();
        assert_eq!((error.line, error.column, error.cut_off), (2, 20, false));
        assert_eq!(parse("[\n[111, 111111111, 1 2]]").unwrap_err().column, 20);
        assert!(parse("[NaN, ").unwrap_err().cut_off);
    }
}
