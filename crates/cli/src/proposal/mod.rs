//! Proposes a ladder file for a described table, with a summary of the table. Does no input or output.

mod noticed;
mod roles;
mod sizes;
mod text;

#[cfg(test)]
mod tests;

use allometry_core::visible::visible;
pub(crate) use noticed::Noticed;
pub(crate) use roles::{Roles, Unclear};
pub(crate) use sizes::{budgets, context, label, patch};
pub(crate) use text::{Proposal, quoted};

/// Maximum number of characters of a shown name or value.
const SHOWN_CHARACTERS: usize = 60;

/// Maximum number of names in a list.
const SHOWN_NAMES: usize = 8;

/// Holes between the times of a table, for which a ladder proposes `max_gap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundHoles {
    /// The limit as a value of the ladder file.
    pub(crate) limit: String,
    /// The holes in words.
    pub(crate) found: String,
    /// The windows that span one, in words with a verb.
    pub(crate) windows: String,
    /// Whether the ladder sets the limit. Where it would cost many windows, it only names it.
    pub(crate) is_set: bool,
}

/// Returns a name or a value of a table for a line of text: shortened, with control characters escaped.
fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(SHOWN_CHARACTERS).collect();
    if characters.next().is_some() {
        short.push_str("...");
    }
    visible(&short).into_owned()
}

/// Returns a name in backticks.
fn code(name: &str) -> String {
    format!("`{}`", shown(name))
}

/// Returns a list of the first texts and the number of the others.
fn first_of(texts: &[String]) -> String {
    let list = texts.iter().take(SHOWN_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(SHOWN_NAMES) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}
