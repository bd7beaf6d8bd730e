//! JSON for the script of a page.

use std::fmt::Write as _;

use allometry_core::visible::is_obeyed;

/// Returns a JSON text without anything that could end a `script` element. Characters that are obeyed instead
/// of shown, such as direction marks, become visible escapes, as in the text of the page.
pub(crate) fn page_json(text: String) -> String {
    if !text.contains(|c| c == '<' || is_obeyed(c)) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            c if is_obeyed(c) => {
                write!(safe, "\\\\u{{{:x}}}", c as u32).expect("writing to a string cannot fail");
            }
            c => safe.push(c),
        }
    }
    safe
}
