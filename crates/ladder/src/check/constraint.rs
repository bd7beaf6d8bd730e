//! Checks of `constraints` in `[space]` and `[budget.space]`.

use allometry_core::space::constraint;
use allometry_core::{Condition, SearchSpace};

use super::super::document::{Located, Node, Place};
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section, text_of, wrong_type};

/// The only key of a space that is not a parameter.
pub(super) const CONSTRAINTS: &str = "constraints";

/// The constraints of a table, given as one text or a list. They are checked later, against the budget's
/// complete search space.
pub(super) fn constraints(section: &mut Section<'_>, problems: &mut Problems) -> Vec<Located<String>> {
    let Some(node) = section.node(CONSTRAINTS) else { return Vec::new() };
    let items = match &node.value {
        Node::List(items) => items.as_slice(),
        Node::Text(_) => std::slice::from_ref(node),
        other => {
            let expected = "a list of conditions, [\"head_dim >= 16\"]";
            problems.push(&node.place, wrong_type(CONSTRAINTS, expected, other));
            return Vec::new();
        }
    };
    items.iter().filter_map(|item| text_of(CONSTRAINTS, item, problems)).collect()
}

/// Checks the constraints of a budget against its complete search space. The constraints of `[space]` apply
/// to every budget, but a problem with one is reported once, identified by its place.
pub(super) fn check(
    space: &SearchSpace,
    texts: &[Located<String>],
    reported: &mut Vec<Place>,
    problems: &mut Problems,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for text in texts {
        match constraint(&text.value, space) {
            Ok(condition) => conditions.push(condition),
            Err(error) if !reported.contains(&text.place) => {
                reported.push(text.place.clone());
                let place = within(text, &error.span, problems);
                problems.push(&place, ProblemKind::BadConstraint { message: error.message });
            }
            Err(_) => {}
        }
    }
    conditions
}

/// The place of a part of a text; the place of the entire text where it contains escapes.
fn within(text: &Located<String>, part: &std::ops::Range<usize>, problems: &Problems) -> Place {
    let written = problems.sources.text(&text.place);
    let quotes = usize::from(written != text.value);
    let is_verbatim = written.get(quotes..written.len().saturating_sub(quotes)) == Some(text.value.as_str());
    if !is_verbatim || part.is_empty() {
        return text.place.clone();
    }
    let start = text.place.start + quotes;
    Place { start: start + part.start, end: start + part.end, ..text.place }
}
