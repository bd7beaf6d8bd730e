//! Text of users inside Markdown.

use allometry_analysis::coverage::Step;

use crate::number::step;

/// Characters of a text of users beyond which it is cut: longer than any sentence, shorter than a name meant
/// to harm.
const LONGEST: usize = 4_000;

/// Text that reads in Markdown as it is: nothing in it starts emphasis, a link, a tag, a table cell or a
/// heading; line breaks become spaces. What is very long is cut.
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
            // Between letters an underscore is only that, and names of parameters stay legible in the source.
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

/// Values, or ranges of them, in a row; `none` where there is none.
pub(crate) fn steps(steps: &[Step]) -> String {
    if steps.is_empty() {
        return "none".into();
    }
    let steps: Vec<String> = steps.iter().map(|one| escape(&step(&one.value, one.upper.as_ref()))).collect();
    steps.join(", ")
}

/// Text as code: fenced by more backticks than it holds, line breaks as spaces. Not for table cells.
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
