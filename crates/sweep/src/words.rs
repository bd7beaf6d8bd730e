//! Escaping of texts for TOML files and messages.

use std::fmt::Write as _;

use serde_json::Value;

/// Returns the text as a quoted TOML string.
pub(crate) fn quoted(text: &str) -> String {
    // Double quotes, because a line in single quotes is harder to edit by hand.
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns a TOML key, quoted if necessary.
pub(crate) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { name.to_owned() } else { quoted(name) }
}

/// Returns the beginning of an untrusted text on one line.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

/// Returns a value as it is passed to a program.
pub(crate) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns a valid name of a study or folder.
pub(crate) fn safe_name(name: &str) -> String {
    let safe: String =
        name.chars().map(|c| if c.is_control() || matches!(c, '/' | '\\') { '-' } else { c }).collect();
    match safe.trim() {
        "" | "." | ".." => "sweep".into(),
        name => name.into(),
    }
}
