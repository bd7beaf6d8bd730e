//! Escaping of untrusted text for terminals.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes all characters that control a terminal or change the order of the shown text: control characters,
/// ends of lines, direction marks and characters without width. The result is one line.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Does what [`visible`] does, but keeps ends of lines and tabs.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Whether a terminal interprets a character instead of showing it.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Direction marks, embeddings, overrides and isolates.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Ends of lines and paragraphs, and invisible characters.
            | '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |c: char| is_obeyed(c) && !stays(c);
    if !text.chars().any(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !is_escaped(c) {
            out.push(c);
            continue;
        }
        let written = match c {
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            c if (c as u32) < 0x100 => write!(out, "\\x{:02x}", c as u32),
            c => write!(out, "\\u{{{:x}}}", c as u32),
        };
        written.expect("writing to a string cannot fail");
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let hostile = "\x1b]0;pwn\x07\x1b[31mRED\u{202e}gnp\r\noverwritten\u{9b}31m\u{2066}\u{7f}";
        let shown = visible(hostile);
        assert!(!shown.chars().any(is_obeyed), "{shown}");
        assert!(shown.starts_with("\\x1b]0;pwn\\x07\\x1b[31mRED\\u{202e}gnp\\r\\noverwritten\\x9b31m"));
        assert_eq!(visible("café 日本 ☃ 'x'"), "café 日本 ☃ 'x'");
        assert_eq!(visible_lines("a\n\tb\r\x1b"), "a\n\tb\\r\\x1b");
    }
}
