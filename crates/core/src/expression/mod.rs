//! Conditions over numbers in the notation of the ladder file: `d_model / n_heads >= 16 and weights <= 3e6`.
//!
//! The language has numbers, names, `+ - * / // % **`, `min max abs log sqrt`, comparisons (chained as in
//! Python: `16 <= head_dim < 64`), `and`, `or`, `not` and parentheses. Precedence is Python's. A division by
//! zero is NaN, for which no comparison holds.

mod evaluate;
mod parse;
mod token;

use std::fmt;
use std::ops::Range;

use parse::Node;

/// Largest number of characters of an expression.
const LONGEST: usize = 1000;

/// A condition over named numbers.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    node: Node,
}

/// Compares the texts.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Condition {
    /// Reads a condition over `names`.
    ///
    /// # Errors
    /// [`ExpressionError`] with the span of the first error.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, ExpressionError> {
        check_length(text)?;
        let node = parse::condition(text, names)?;
        Ok(Self { text: text.trim().to_owned(), node })
    }

    /// Whether the condition holds for one value per name, in the order of `names`.
    ///
    /// # Panics
    /// Where there are fewer values than names.
    pub fn holds(&self, values: &[f64]) -> bool {
        self.node.truth(values)
    }

    /// Whether the condition contains the name with this index.
    pub fn uses(&self, name: usize) -> bool {
        self.node.uses(name)
    }
}

/// The text as written.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An arithmetic expression over named numbers.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    node: Node,
}

/// Compares the texts.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expression {
    /// Reads an expression over `names`.
    ///
    /// # Errors
    /// [`ExpressionError`] with the span of the first error.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, ExpressionError> {
        check_length(text)?;
        let node = parse::number(text, names)?;
        Ok(Self { text: text.trim().to_owned(), node })
    }

    /// The value of the expression for one value per name, in the order of `names`; NaN where it is
    /// undefined.
    ///
    /// # Panics
    /// Where there are fewer values than names.
    pub fn value(&self, values: &[f64]) -> f64 {
        self.node.number(values)
    }
}

/// The text as written.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_length(text: &str) -> Result<(), ExpressionError> {
    if text.chars().count() > LONGEST {
        let message = format!("it is longer than {LONGEST} characters");
        return Err(ExpressionError { span: 0..text.len(), message });
    }
    Ok(())
}

/// Why a text is not a valid condition or expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// Byte range of the text that the error is about.
    pub span: Range<usize>,
    /// Description of the error.
    pub message: String,
}

#[cfg(test)]
mod tests;
