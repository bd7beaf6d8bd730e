//! User text inside Markdown.

use allometry_analysis::coverage::Step;

use crate::number::step;

/// The number of characters beyond which user text is cut: longer than any sentence, but short enough to
/// limit malicious names.
const LONGEST: usize = 4_000;

/// Escapes a text so that Markdown shows it unchanged: nothing in it starts emphasis, a link, a tag, a table
/// cell or a heading. Line breaks become spaces, and very long text is cut.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut rest = text.chars().peekable();
    let mut count = 0;
    while let Some(c) = rest.next() {
        count += 1;
        if count > LONGEST {
            out.push('…');
            break;
        }
        let inside_word = before.is_some_and(char::is_alphanumeric)
            && rest.peek().is_some_and(|next: &char| next.is_alphanumeric());
        match c {
            c if c.is_control() => out.push(' '),
            // An underscore between letters has no meaning in Markdown; without escapes, parameter names stay
            // legible in the source.
            '_' if inside_word => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '$' | '&' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// Returns values or ranges of values as a list; `none` if there are none.
pub(crate) fn steps(steps: &[Step]) -> String {
    if steps.is_empty() {
        return "none".into();
    }
    let steps: Vec<String> = steps.iter().map(|one| escape(&step(&one.value, one.upper.as_ref()))).collect();
    steps.join(", ")
}

/// Returns a sentence as Markdown in which text between backticks stays code.
pub(crate) fn with_code(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate();
    parts.map(|(place, part)| if place % 2 == 1 { format!("`{part}`") } else { escape(part) }).collect()
}

/// Returns a text as code: the fence has more backticks than the text, and line breaks become spaces. Not for
/// table cells.
pub(crate) fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(escape("1 | 2 <b>*x*</b>"), "1 \\| 2 \\<b\\>\\*x\\*\\</b\\>");
        assert_eq!(escape("d_model _x_ a\nb"), "d_model \\_x\\_ a b");
        assert_eq!(escape(&"x".repeat(100_000)).chars().count(), LONGEST + 1);
        assert_eq!(escape("`2M` #1 [a](b)"), "\\`2M\\` \\#1 \\[a\\](b)");
    }

    #[test]
    fn code_holds_backticks() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code(""), "``");
    }
}
