//! Checks of `when`, the condition of a parameter in `[space]` and `[budget.space]`.

use allometry_core::space::{When, ordered};
use allometry_core::{ParamValue, SearchSpace};
use indexmap::IndexMap;

use super::super::document::{Located, Node, Place, Table};
use super::super::problem::ProblemKind;
use super::super::section::{Problems, wrong_type};

/// Key of a parameter's condition.
pub(super) const WHEN: &str = "when";

/// The condition in a parameter's table, with its place.
pub(super) fn when(name: &str, table: &Table, problems: &mut Problems) -> Option<(When, Place)> {
    const EXPECTED: &str = "values of other parameters, { dropout = [0.1, 0.3] }";
    let (_, node) = table.entries.iter().find(|(key, _)| key.value == WHEN)?;
    let Node::Table(requires) = &node.value else {
        problems.push(&node.place, wrong_type(WHEN, EXPECTED, &node.value));
        return None;
    };
    if requires.entries.is_empty() {
        problems.push(&node.place, ProblemKind::Empty { key: WHEN.into() });
        return None;
    }
    let mut all: IndexMap<String, Vec<ParamValue>> = IndexMap::new();
    for (key, node) in &requires.entries {
        let items = match &node.value {
            Node::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if items.is_empty() {
            problems.push(&node.place, ProblemKind::Empty { key: key.value.clone() });
            return None;
        }
        let values: Option<Vec<ParamValue>> =
            items.iter().map(|item| value(&key.value, item, problems)).collect();
        all.insert(key.value.clone(), values?);
    }
    Some((When { parameter: name.into(), requires: all }, node.place.clone()))
}

fn value(key: &str, node: &Located<Node>, problems: &mut Problems) -> Option<ParamValue> {
    Some(match &node.value {
        Node::Integer(i) => ParamValue::Int(*i),
        Node::Float(x) => ParamValue::Float(*x),
        Node::Boolean(b) => ParamValue::Bool(*b),
        Node::Text(text) => ParamValue::Text(text.clone()),
        other => {
            problems.push(&node.place, wrong_type(key, "a value, or a list of values", other));
            return None;
        }
    })
}

/// Checks the conditions of a budget against its complete search space and orders each after those it depends
/// on. The conditions of `[space]` apply to every budget, but a problem with one is reported once, identified
/// by its place.
pub(super) fn check(
    space: &SearchSpace,
    conditions: &[(When, Place)],
    reported: &mut Vec<Place>,
    problems: &mut Problems,
) -> Vec<When> {
    let all: Vec<When> = conditions.iter().map(|(when, _)| when.clone()).collect();
    match ordered(space, &all) {
        Ok(order) => order,
        Err(error) => {
            let of = |(when, _): &&(When, Place)| when.parameter == error.parameter();
            if let Some((_, place)) =
                conditions.iter().find(of).filter(|(_, place)| !reported.contains(place))
            {
                reported.push(place.clone());
                let kind = ProblemKind::BadCondition { message: error.to_string(), hint: error.hint() };
                problems.push(place, kind);
            }
            Vec::new()
        }
    }
}
