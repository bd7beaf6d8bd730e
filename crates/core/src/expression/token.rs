//! The tokens of an expression.

use std::ops::Range;

use super::ExpressionError;

/// Symbols, each before its own prefixes.
const SYMBOLS: [&str; 16] =
    ["**", "//", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ","];

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Word(String),
    Symbol(&'static str),
}

/// Splits a text into tokens with their byte ranges.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ExpressionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = if c.is_ascii_digit() || c == '.' {
            let length = number_length(rest);
            let digits: String = rest[..length].chars().filter(|c| *c != '_').collect();
            let number: Option<f64> = digits.parse().ok().filter(|x: &f64| x.is_finite());
            let Some(number) = number else {
                let message = format!("`{}` is not a number", &rest[..length]);
                return Err(ExpressionError { span: at..at + length, message });
            };
            (Token::Number(number), length)
        } else if c.is_alphabetic() || c == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Word(rest[..length].to_owned()), length)
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            let message = match c {
                '=' => "`=` is not a comparison: write `==`".into(),
                '&' => "write `and`".into(),
                '|' => "write `or`".into(),
                '!' => "write `not`".into(),
                c => format!("`{}` has no meaning here", c.escape_default()),
            };
            return Err(ExpressionError { span: at..at + c.len_utf8(), message });
        };
        found.push((token, at..at + length));
        at += length;
    }
    Ok(found)
}

/// Length in bytes of the number at the start of a text, including the sign of an exponent.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_part = |i: usize| {
        let signs_exponent = matches!(bytes[i], b'+' | b'-') && matches!(bytes[i - 1], b'e' | b'E');
        bytes[i].is_ascii_alphanumeric() || matches!(bytes[i], b'.' | b'_') || signs_exponent
    };
    (1..bytes.len()).find(|i| !is_part(*i)).unwrap_or(bytes.len())
}
