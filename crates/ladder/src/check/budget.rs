//! Checks of `[[budget]]`.

use allometry_core::{SearchSpace, SizeBudget, WeightTarget};

use super::super::document::{Located, Node, Place};
use super::super::problem::ProblemKind;
use super::super::section::{FromNode as _, Problems, Section, wrong_type};
use super::super::spec::BudgetSpec;
use super::searched::Searched;
use super::space::{self, Known, Space};
use super::{COUNT_FROM_ONE, constraint, safe_name, when};

const TOLERANCE: f64 = 0.25;
const POSITIVE: (fn(f64) -> bool, &str) = (|x| x > 0.0 && x.is_finite(), "above 0");

/// Checks all budgets, each of which has the shared parameters, overridden by its own. Returns also the
/// settings of the model that they search.
pub(super) fn budgets(
    file: &mut Section<'_>,
    shared: &Space,
    trials: u64,
    known: Known,
    problems: &mut Problems,
) -> (Vec<BudgetSpec>, Searched) {
    let items: &[Located<Node>] = match file.node("budget") {
        None => &[],
        Some(Located { value: Node::List(items), .. }) => items,
        Some(node) => {
            problems.push(&node.place, wrong_type("budget", "one [[budget]] per size", &node.value));
            return (Vec::new(), Searched::default());
        }
    };
    if items.is_empty() {
        problems.push(file.place(), ProblemKind::NoBudget);
    }
    let mut labels: Vec<Located<String>> = Vec::new();
    let mut budgets = Vec::new();
    let mut parameters = (space::Given::default(), Searched::default());
    let mut reported = Vec::new();
    for item in items {
        let Node::Table(table) = &item.value else {
            problems.push(&item.place, wrong_type("budget", "a table", &item.value));
            continue;
        };
        let section = Section::new("[[budget]]", table, item.place.clone());
        let (label, spec) =
            budget(section, shared, trials, (known, &mut parameters, &mut reported), problems);
        budgets.extend(spec);
        let Some(label) = label else { continue };
        if let Some(first) = labels.iter().find(|other| other.value == label.value) {
            let kind = ProblemKind::RepeatedLabel { label: label.value.clone() };
            problems.push_with(&label.place, kind, Some((&first.place, "first here")));
        }
        labels.push(label);
    }
    let (given, searched) = parameters;
    given.report_missing(&searched, problems);
    (budgets, searched)
}

fn budget(
    mut section: Section<'_>,
    shared: &Space,
    trials: u64,
    (known, (given, searched), reported): (Known, &mut (space::Given, Searched), &mut Vec<Place>),
    problems: &mut Problems,
) -> (Option<Located<String>>, Option<BudgetSpec>) {
    let label = section.required_text("label", "label = \"2M\"", problems);
    let label = label.map(|label| safe_name("label", label, problems));
    let name = label.as_ref().map_or_else(|| "?".into(), |l| l.value.clone());
    let target = target(&mut section, &name, problems);
    let trials = section.within("trials", trials, COUNT_FROM_ONE, problems);
    let own = section.section("space", problems).map(|mut inner| Space::read(&mut inner, known, problems));
    let Space { parameters, constraints, conditions } = shared.overlaid(own.unwrap_or_default());
    let place = section.place().clone();
    section.finish(problems);
    if known == Known::BuiltIn {
        given.note(&parameters, &name, &place);
        searched.note(parameters.settings());
    } else if parameters.is_empty() {
        problems.push(&place, ProblemKind::NoParameter { label: name.clone() });
    }
    let is_complete = parameters.is_complete();
    let space: SearchSpace = parameters.into_space();
    let (mut checked, mut constrained) = (Vec::new(), Vec::new());
    if is_complete {
        checked = when::check(&space, &conditions, reported, problems);
        constrained = constraint::check(&space, &constraints, reported, problems);
    }
    let spec = label.as_ref().zip(target).map(|(label, target)| BudgetSpec {
        budget: SizeBudget::new(&label.value, target),
        space,
        constraints: constrained,
        conditions: checked,
        trials,
    });
    (label, spec)
}

fn target(section: &mut Section<'_>, label: &str, problems: &mut Problems) -> Option<WeightTarget> {
    const EXPECTED: &str = "a number of weights, at least 1, or \"any\"";
    let tolerance_place = section.node("tolerance").map(|n| n.place.clone());
    let tolerance = section.within("tolerance", TOLERANCE, POSITIVE, problems);
    let Some(node) = section.node("weights") else {
        let named = SizeBudget::nominal(label);
        let nominal = named.nominal_weights().map(|w| w.round() as u64);
        problems.push(section.place(), ProblemKind::MissingWeights { label: label.into(), nominal });
        return None;
    };
    match &node.value {
        Node::Text(text) if text == "any" => {
            if let Some(place) = tolerance_place {
                problems.push(&place, ProblemKind::ToleranceWithoutWeights);
            }
            Some(WeightTarget::Any)
        }
        other => match u64::from_node(other).filter(|w| *w >= 1) {
            Some(weights) => Some(WeightTarget::Near { weights, tolerance }),
            None if other.as_f64().is_some() => {
                let value = problems.sources.text(&node.place).to_owned();
                let kind = ProblemKind::OutOfRange { key: "weights".into(), value, allowed: EXPECTED };
                problems.push(&node.place, kind);
                None
            }
            None => {
                problems.push(&node.place, wrong_type("weights", EXPECTED, other));
                None
            }
        },
    }
}
