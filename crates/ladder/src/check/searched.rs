//! Checks of the settings of the model that are searched: parameters of the spaces that `[model]` does not
//! fix.

use allometry_core::Distribution;
use allometry_core::space::constraint;

use super::super::document::Place;
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section};
use super::super::spec::{BudgetSpec, ModelSpec, Named, ends};

/// Pairs of settings of which the first must not be larger than the second.
const ORDERED: [(&str, &str); 2] = [("warmup_epochs", "epochs"), ("patch", "context")];

/// The settings of the model that a budget searches, each with the place of its first values.
#[derive(Default)]
pub(super) struct Searched(Vec<(&'static str, Place)>);

impl Searched {
    /// Adds settings that a budget searches.
    pub(super) fn note<'p>(&mut self, settings: impl Iterator<Item = (&'static str, &'p Place)>) {
        for (name, place) in settings {
            if self.place(name).is_none() {
                self.0.push((name, place.clone()));
            }
        }
    }

    /// The place of a setting's values; `None` for one that is not searched.
    pub(super) fn place(&self, name: &str) -> Option<&Place> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, place)| place)
    }

    /// Reports settings that `[model]` fixes too.
    pub(super) fn report_fixed(&self, model: &mut Section<'_>, problems: &mut Problems) {
        for (key, place) in &self.0 {
            if let Some(node) = model.node(key) {
                let kind = ProblemKind::StatedTwice { key, first: "[model]", second: "a search space" };
                problems.push_with(&node.place, kind, Some((place, "searched here")));
            }
        }
    }
}

/// The largest value of a setting that the budgets search.
pub(super) fn largest(name: &str, budgets: &[BudgetSpec]) -> Option<usize> {
    let ends = budgets.iter().filter_map(|spec| spec.space.get(name).and_then(ends));
    ends.map(|(_, largest)| largest as usize).max()
}

/// The values that a setting with words has in trials: those that are searched, or the one that is fixed.
pub(super) fn words<T: Copy + PartialEq>(
    name: &str,
    (words, values): Named<T>,
    fixed: T,
    budgets: &[BudgetSpec],
) -> Vec<T> {
    let mut found = Vec::new();
    for spec in budgets {
        let choices = match spec.space.get(name) {
            Some(Distribution::Categorical { choices, .. }) => choices.as_slice(),
            _ => &[],
        };
        for choice in choices {
            let place = words.iter().position(|word| choice.to_string() == *word);
            found.extend(place.map(|place| values[place]).filter(|value| !found.contains(value)));
        }
    }
    if found.is_empty() { vec![fixed] } else { found }
}

/// Checks that each value of a setting has a value of the other that fits, and excludes the combinations that
/// do not fit by a constraint.
pub(super) fn order(
    budgets: &mut [BudgetSpec],
    searched: &Searched,
    model: &ModelSpec,
    problems: &mut Problems,
) {
    for (key, other) in ORDERED {
        let places = [searched.place(key), searched.place(other)];
        let Some(place) = places[0].or(places[1]) else { continue };
        let mut is_reported = false;
        for spec in &mut *budgets {
            let of = |name: &str| {
                spec.space
                    .get(name)
                    .and_then(ends)
                    .or_else(|| Some((fixed(model, name)?, fixed(model, name)?)))
            };
            let Some(((least, most), (least_other, most_other))) = of(key).zip(of(other)) else { continue };
            let problem = if most > most_other {
                Some((most, most_other, place))
            } else if least > least_other {
                Some((least, least_other, places[1].unwrap_or(place)))
            } else {
                None
            };
            if let Some((count, limit, place)) = problem.filter(|_| !is_reported) {
                is_reported = true;
                let (count, limit) = (count.to_string(), limit.to_string());
                problems.push(place, ProblemKind::Exceeds { key, count, other, limit });
            }
            let text = format!("{key} <= {other}");
            let is_given = spec.constraints.iter().any(|constraint| constraint.to_string() == text);
            if problem.is_none() && most > least_other && !is_given {
                spec.constraints.extend(constraint(&text, &spec.space).ok());
            }
        }
    }
}

/// The value of a setting that is not searched.
fn fixed(model: &ModelSpec, name: &str) -> Option<f64> {
    match name {
        "epochs" => Some(model.epochs as f64),
        "warmup_epochs" => Some(model.warmup_epochs),
        "patch" => Some(model.patch as f64),
        "context" => Some(model.context as f64),
        _ => None,
    }
}
