//! `constraints` in `[space]` and `[budget.space]`.

use super::super::document::{Located, Node, Place};
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section, text_of, wrong_type};
use crate::expression::Condition;
use crate::space::{SearchSpace, constraint};

/// The one key of a space that is no parameter.
pub(super) const CONSTRAINTS: &str = "constraints";

/// The constraints of a table; one text or a list. What they mean depends on the parameters of a budget's whole space.
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

/// Checks the constraints of a budget over its whole space. Those of `[space]` are those of every budget: what is wrong with one is told once, by its
/// place.
pub(super) fn check(
    space: &SearchSpace,
    texts: &[Located<String>],
    told: &mut Vec<Place>,
    problems: &mut Problems,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for text in texts {
        match constraint(&text.value, space) {
            Ok(condition) => conditions.push(condition),
            Err(error) if !told.contains(&text.place) => {
                told.push(text.place.clone());
                let place = within(text, &error.span, problems);
                problems.push(&place, ProblemKind::BadConstraint { message: error.message });
            }
            Err(_) => {}
        }
    }
    conditions
}

/// The place of a part of a text; that of the whole where escapes move it.
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
