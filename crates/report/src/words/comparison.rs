//! A comparison of two ladders in words.

use allometry_analysis::comparison::{
    BudgetComparison, ComparedLadder, ComparisonCaveat, ComparisonCaveatReason, NoValue, NotCompared,
    Obstacle, ObstacleReason, ObstacleText, Preference, Sides,
};
use allometry_analysis::scaling::Quantity;
use allometry_analysis::{Comparison, Method};
use allometry_core::{Direction, human_weights};

use crate::number::{decimals, listed, p_is, quoted, signed};

/// Returns the outcome of all budgets.
pub fn sentence(comparison: &Comparison) -> String {
    comparison.sentence.text(|()| summary(comparison))
}

/// Returns the outcome of one budget, with its numbers.
pub fn budget_sentence(of: &BudgetComparison, comparison: &Comparison) -> String {
    of.sentence.text(|why| budget(of, *why, comparison))
}

/// Returns in how many eras of walk-forward folds B is better at one budget; `None` without eras of both.
pub fn eras_sentence(of: &BudgetComparison, comparison: &Comparison) -> Option<String> {
    let eras = &of.value.as_ref()?.eras;
    let differences = || eras.iter().map(|era| era.gain.point);
    let (smallest, largest) = (differences().reduce(f64::min)?, differences().reduce(f64::max)?);
    let better = differences().filter(|point| comparison.a.direction.better(*point, 0.0)).count();
    Some(format!(
        "B is better in {better} of {} eras: B - A lies between {} and {} {} on single eras.",
        eras.len(),
        signed(smallest),
        signed(largest),
        comparison.a.metric,
    ))
}

/// Returns the verdict of one side.
pub fn verdict(side: &ComparedLadder) -> String {
    side.verdict.text(|headline| super::verdict::headline(headline, &side.metric, side.direction))
}

/// Returns what could not be compared, and what would make it comparable.
pub fn obstacle_text(of: &Obstacle) -> ObstacleText {
    of.reason.text(obstacle)
}

/// Returns a caveat as a sentence.
pub fn caveat_sentence(of: &ComparisonCaveat) -> String {
    of.statement.text(caveat)
}

pub(super) fn summary(comparison: &Comparison) -> String {
    if comparison.identical {
        return "A and B are identical: every figure is equal.".into();
    }
    if comparison.budgets.is_empty() {
        return "Unknown: A and B have no budget label in common, so no values were compared.".into();
    }
    let parts: Vec<String> = [
        (Preference::B, "B is better at"),
        (Preference::A, "A is better at"),
        (Preference::Equivalent, "no difference of interest at"),
        (Preference::Undecided, "undecided at"),
        (Preference::Unknown, "unknown at"),
    ]
    .into_iter()
    .filter_map(|(outcome, words)| {
        let budgets = comparison.budgets.iter().filter(|budget| budget.outcome == outcome);
        let labels: Vec<&str> = budgets.map(|budget| budget.budget.as_str()).collect();
        (!labels.is_empty()).then(|| format!("{words} {}", listed(&labels)))
    })
    .collect();
    capitalized(&parts.join("; ")) + "."
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

pub(super) fn budget(of: &BudgetComparison, why: Option<NoValue>, comparison: &Comparison) -> String {
    let metric = &comparison.a.metric;
    let Some(value) = &of.value else {
        return format!("Unknown: {}.", why.map_or("there is no value to compare", no_value));
    };
    let difference = value.difference;
    let interval = difference.interval.map_or_else(String::new, |interval| {
        format!(
            "{:.0}% interval of B - A: {} to {}",
            difference.level * 100.0,
            signed(interval.lower),
            signed(interval.upper)
        )
    });
    let quantity = quantity(value.quantity);
    let better = |name: &str| {
        let p = value.p_holm.map_or_else(String::new, |p| format!(", {} after Holm's adjustment", p_is(p)));
        format!(
            "{name} is better by {} {metric}{quantity} ({interval}{p}).",
            decimals(difference.point.abs())
        )
    };
    match of.outcome {
        Preference::A => better("A"),
        Preference::B => better("B"),
        Preference::Equivalent if difference.method == Method::Identical => {
            "No difference: both have the same trials.".to_owned()
        }
        Preference::Equivalent => format!(
            "No difference of interest: B - A is within {} {metric}{quantity} ({interval}).",
            comparison.options.effect()
        ),
        Preference::Undecided => match value.not_compared {
            Some(why) => format!("Undecided: {}.", not_compared(why)),
            None => {
                format!("Undecided: B - A is {} {metric}{quantity} ({interval}).", signed(difference.point))
            }
        },
        Preference::Unknown => format!(
            "Unknown: the best values differ by {} {metric}, but {}.",
            signed(difference.point),
            not_compared(NotCompared::NothingVaries)
        ),
    }
}

fn no_value(why: NoValue) -> &'static str {
    match why {
        NoValue::DifferentMetrics => "A and B have different metrics",
        NoValue::NoTrial(Sides::Both) => "neither has a complete trial that can be compared",
        NoValue::NoTrial(Sides::A) => "A has no complete trial that can be compared",
        NoValue::NoTrial(Sides::B) => "B has no complete trial that can be compared",
    }
}

fn quantity(quantity: Option<Quantity>) -> String {
    match quantity {
        Some(Quantity::BestOf { k: 1 } | Quantity::Mean) => " in the mean trial".into(),
        Some(Quantity::BestOf { k }) => format!(" in the expected best of {k} trials"),
        Some(Quantity::Configuration | Quantity::Confirmed) | None => String::new(),
    }
}

fn not_compared(why: NotCompared) -> &'static str {
    match why {
        NotCompared::Adaptive => {
            "a sampler chose later trials by earlier ones, so its trials are not independent samples; \
             confirm both ladders instead"
        }
        NotCompared::FewTrials => "a search is judged by at least 10 distinct configurations",
        NotCompared::NothingVaries => "the spread of values cannot be estimated",
        NotCompared::TooFewRows => "the validation rows are too few because they depend on each other",
    }
}

fn sides(sides: Sides) -> &'static str {
    match sides {
        Sides::A => "A",
        Sides::B => "B",
        Sides::Both => "A and B",
    }
}

pub(super) fn obstacle(reason: &ObstacleReason) -> ObstacleText {
    let metric = |(name, direction): &(String, Direction)| {
        let better = if direction.better(1.0, 0.0) { "larger" } else { "smaller" };
        format!("{name} ({better} is better)")
    };
    let (statement, hint) = match reason {
        ObstacleReason::DifferentMetrics { a, b } => (
            format!("Values: the metric of A is {}, that of B is {}.", metric(a), metric(b)),
            "if both names mean one metric, write the reports with --metric NAME",
        ),
        ObstacleReason::RowsUnknown(of) => (
            format!(
                "Errors of differences: the classes of the validation rows of {} are unknown.",
                sides(*of)
            ),
            "write the report with --rows POSITIVES:NEGATIVES if the metric is an AUC",
        ),
        ObstacleReason::NoTrials(of) => {
            let verb = if *of == Sides::Both { "are report documents" } else { "is a report document" };
            (
                format!("The values of all trials: {} {verb} without trials.", sides(*of)),
                "compare ladder files or databases",
            )
        }
    };
    ObstacleText { statement, hint: Some(hint.into()) }
}

pub(super) fn caveat(reason: &ComparisonCaveatReason) -> String {
    match reason {
        ComparisonCaveatReason::Covered { rows: true } => {
            "The intervals cover another search with its seeds, and other validation rows.".into()
        }
        ComparisonCaveatReason::Covered { rows: false } => {
            "The intervals cover another search with its seeds; not all of them cover other validation \
             rows."
                .into()
        }
        ComparisonCaveatReason::DifferentRows => "A and B were scored on different validation rows: a \
                                                  difference may come from the rows as well as from the \
                                                  models."
            .into(),
        ComparisonCaveatReason::RowsUnknown => "It is not known whether A and B were scored on the same \
                                                validation rows: errors assume two separate sets of rows."
            .into(),
        ComparisonCaveatReason::BestIsBiased => {
            "The observed best of many trials is biased towards better values; the comparison does not use \
             it."
            .into()
        }
        ComparisonCaveatReason::UnequalTrials(budgets) => {
            let budgets: Vec<String> = budgets
                .iter()
                .map(|one| format!("{} ({} in A, {} in B)", one.budget, one.a, one.b))
                .collect();
            format!(
                "The numbers of trials are unequal: {}. More trials give a better observed best by chance \
                 alone; the comparison does not use it.",
                listed(&budgets)
            )
        }
        ComparisonCaveatReason::DifferentSizes(budgets) => {
            let weights = |weights: u64| human_weights(weights as f64);
            let budgets: Vec<String> = budgets
                .iter()
                .map(|one| {
                    format!("{} ({} in A, {} in B)", quoted(&one.budget), weights(one.a), weights(one.b))
                })
                .collect();
            format!("Budgets are matched by label, but the best models differ in size: {}.", listed(&budgets))
        }
        ComparisonCaveatReason::GainsIndependent => {
            "The error of the difference of the gains per decade assumes that A and B are independent.".into()
        }
        ComparisonCaveatReason::OtherSettings { a, b } => format!(
            "B was analysed with other settings (level {}, power {}); the comparison uses those of A \
             (level {}, power {}).",
            b.level, b.power, a.level, a.power
        ),
    }
}
