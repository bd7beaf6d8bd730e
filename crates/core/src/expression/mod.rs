//! Conditions over numbers, as the ladder file writes them: `d_model / n_heads >= 16 and weights <= 3e6`.
//!
//! Numbers, names, `+ - * / // % **`, `min max abs log sqrt`, comparisons (chained as in Python: `16 <= head_dim < 64`), `and`, `or`,
//! `not`, parentheses. Precedence is Python's. A division by zero gives no number, which no comparison holds for.

mod evaluate;
mod parse;
mod token;

use std::fmt;
use std::ops::Range;

use parse::Node;

/// Characters of an expression at most.
const LONGEST: usize = 1000;

/// A condition over the values of some names.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    node: Node,
}

/// Equality is that of the texts.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Condition {
    /// Reads a condition over `names`.
    ///
    /// # Errors
    /// [`ExpressionError`] with the place of the first mistake.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, ExpressionError> {
        check_length(text)?;
        let node = parse::condition(text, names)?;
        Ok(Self { text: text.trim().to_owned(), node })
    }

    /// Whether it holds, given a value for each of the names it was read with.
    ///
    /// # Panics
    /// Where there are fewer values than names.
    pub fn holds(&self, values: &[f64]) -> bool {
        self.node.truth(values)
    }

    /// Whether it speaks of the name at this place.
    pub fn uses(&self, name: usize) -> bool {
        self.node.uses(name)
    }
}

/// As it was written.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A number that follows from the values of some names.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    node: Node,
}

/// Equality is that of the texts.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expression {
    /// Reads an expression over `names`.
    ///
    /// # Errors
    /// [`ExpressionError`] with the place of the first mistake.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, ExpressionError> {
        check_length(text)?;
        let node = parse::number(text, names)?;
        Ok(Self { text: text.trim().to_owned(), node })
    }

    /// The number, given a value for each of the names it was read with; NaN where there is none.
    ///
    /// # Panics
    /// Where there are fewer values than names.
    pub fn value(&self, values: &[f64]) -> f64 {
        self.node.number(values)
    }
}

/// As it was written.
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

/// Why a text is no condition, or no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// Bytes of the text that it is about.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
}

#[cfg(test)]
mod tests;
