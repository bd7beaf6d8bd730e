//! What a table suggests for a ladder: from its description to the text of a ladder file, and what there is
//! to notice. Reads and writes nothing.

mod noticed;
mod roles;
mod sizes;
mod text;

#[cfg(test)]
mod tests;

use allometry_core::visible::visible;
pub(crate) use noticed::Noticed;
pub(crate) use roles::{Roles, Unclear};
pub(crate) use sizes::{budgets, context, patch};
pub(crate) use text::Proposal;

/// Most characters of a name or a value in a comment or a line of text.
const SHOWN_CHARACTERS: usize = 60;

/// Most names in a list.
const SHOWN_NAMES: usize = 8;

/// A name or a value from a table as a line of text has it: visible, and short.
fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(SHOWN_CHARACTERS).collect();
    if characters.next().is_some() {
        short.push_str("...");
    }
    visible(&short).into_owned()
}

/// A name in code quotes.
fn code(name: &str) -> String {
    format!("`{}`", shown(name))
}

/// The first of several texts and how many more there are.
fn first_of(texts: &[String]) -> String {
    let list = texts.iter().take(SHOWN_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(SHOWN_NAMES) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}
