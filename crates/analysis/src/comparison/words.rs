//! What a comparison says in words.

use allometry_core::size::human_weights;

use super::{
    BudgetComparison, Comparison, NotCompared, Obstacle, Preference, RowRelation, Side, measure_alike,
};
use crate::analysis::Analysis;
use crate::estimate::Method;
use crate::number::{decimals, listed, quoted, signed};
use crate::options::Options;
use crate::scaling::{Quantity, Source};
use crate::verdict::Caveat;

/// Ratio of trial counts from which efforts are unequal.
const UNEQUAL: f64 = 1.5;

/// The outcome of all budgets.
pub(super) fn sentence(comparison: &Comparison) -> String {
    if comparison.identical {
        return "A and B are the same: every figure is equal.".into();
    }
    if comparison.budgets.is_empty() {
        return "Unknown: no budget has the same label in both, so no best values were compared.".into();
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
        let labels: Vec<&str> = comparison
            .budgets
            .iter()
            .filter(|budget| budget.outcome == outcome)
            .map(|budget| budget.budget.as_str())
            .collect();
        (!labels.is_empty()).then(|| format!("{words} {}", listed(&labels)))
    })
    .collect();
    let text = parts.join("; ") + ".";
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// The outcome of one budget, with its numbers and what would decide it.
pub(super) fn budget(budget: &BudgetComparison, a: &Analysis, alike: bool, options: &Options) -> String {
    let metric = &a.metric;
    let Some(value) = &budget.value else {
        let reason = match (budget.a.best, budget.b.best) {
            _ if !alike => "the two do not measure the same".to_owned(),
            (None, None) => "neither has a complete trial that can be compared".to_owned(),
            (None, _) => "A has no complete trial that can be compared".to_owned(),
            _ => "B has no complete trial that can be compared".to_owned(),
        };
        return format!("Unknown: {reason}.");
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
        let p = value.p_holm.map_or_else(String::new, |p| format!(", p {} after Holm", probability(p)));
        format!(
            "{name} is better by {} {metric}{quantity} ({interval}{p}).",
            decimals(difference.point.abs())
        )
    };
    match budget.outcome {
        Preference::A => better("A"),
        Preference::B => better("B"),
        Preference::Equivalent if difference.method == Method::Identical => {
            "No difference: both have the same trials.".to_owned()
        }
        Preference::Equivalent => {
            format!("No difference of interest: within {} {metric}{quantity} ({interval}).", options.effect())
        }
        Preference::Undecided => match value.not_compared {
            Some(why) => format!("Undecided: {}.", reason(why)),
            None => {
                format!("Undecided: B - A is {} {metric}{quantity} ({interval}).", signed(difference.point))
            }
        },
        Preference::Unknown => format!(
            "Unknown: the best values differ by {} {metric}, and {}.",
            signed(difference.point),
            reason(NotCompared::NothingVaries)
        ),
    }
}

fn quantity(quantity: Option<Quantity>) -> String {
    match quantity {
        Some(Quantity::BestOf { k: 1 } | Quantity::Mean) => " in the mean trial".into(),
        Some(Quantity::BestOf { k }) => format!(" in the expected best of {k} trials"),
        Some(Quantity::Configuration | Quantity::Confirmed) | None => String::new(),
    }
}

fn reason(why: NotCompared) -> &'static str {
    match why {
        NotCompared::Adaptive => {
            "a search chose later trials by earlier ones, so its trials are no independent sample; confirm both ladders instead"
        }
        NotCompared::FewTrials => "a search is judged by 10 distinct configurations or more",
        NotCompared::NothingVaries => "nothing tells how far values vary",
        NotCompared::TooFewRows => "the validation rows are too few for how long they depend on each other",
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("= {p:.3}") }
}

/// What could not be compared, and why.
pub(super) fn obstacles(a: &Side<'_>, b: &Side<'_>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let mut add = |statement: String, hint: Option<&str>| {
        obstacles.push(Obstacle { statement, hint: hint.map(ToOwned::to_owned) });
    };
    if !measure_alike(a.analysis, b.analysis) {
        let words = |side: &Side<'_>| {
            let better = if side.analysis.direction.better(1.0, 0.0) { "larger" } else { "smaller" };
            format!("{} ({better} is better)", side.analysis.metric)
        };
        add(
            format!("Values: A measures {}, B {}.", words(a), words(b)),
            Some("where both are one metric under two names, write the reports with --metric NAME"),
        );
    } else if a.analysis.rows.is_none() || b.analysis.rows.is_none() {
        let lacking: Vec<&str> = [(a, "A"), (b, "B")]
            .into_iter()
            .filter(|(side, _)| side.analysis.rows.is_none())
            .map(|(_, name)| name)
            .collect();
        add(
            format!(
                "Errors of differences: the classes of the validation rows of {} are not known.",
                listed(&lacking)
            ),
            Some("write the report with --rows POSITIVES:NEGATIVES where the metric is an AUC"),
        );
    }
    let absent: Vec<&str> = [(a, "A"), (b, "B")]
        .into_iter()
        .filter(|(side, _)| side.trials.is_none())
        .map(|(_, name)| name)
        .collect();
    if !absent.is_empty() {
        let verb = if absent.len() == 1 { "is a report, which holds" } else { "are reports, which hold" };
        add(
            format!("The values of all trials: {} {verb} no trials.", listed(&absent)),
            Some("compare ladder files or databases"),
        );
    }
    obstacles
}

/// What the comparison does not take into account.
pub(super) fn caveats(comparison: &Comparison, options_b: &Options) -> Vec<Caveat> {
    let mut statements = Vec::new();
    let values = || comparison.budgets.iter().filter_map(|budget| budget.value.as_ref());
    if values().any(|value| value.difference.standard_error.is_some()) {
        let leaves_out = values().any(|value| value.left_out.contains(&Source::Rows));
        let rows_covered =
            if leaves_out { "not always other validation rows" } else { "and other validation rows" };
        statements.push(format!("The intervals cover another search with its seeds, {rows_covered}."));
        statements.extend(rows(comparison));
    }
    statements.extend(effort(comparison));
    statements.extend(sizes(comparison));
    if comparison.gain_per_decade.is_some_and(|gain| gain.difference.standard_error.is_some()) {
        statements.push(
            "The difference of the gains per decade is weighed as if the two ladders had nothing in common."
                .into(),
        );
    }
    let a = comparison.options;
    let assumed = |options: &Options| (options.level, options.power);
    if assumed(&a) != assumed(options_b) {
        statements.push(format!(
            "B was analysed with other settings (level {}, power {}); those of A hold here (level {}, power {}).",
            options_b.level, options_b.power, a.level, a.power
        ));
    }
    statements.into_iter().map(|statement| Caveat { statement }).collect()
}

fn rows(comparison: &Comparison) -> Option<String> {
    match comparison.rows {
        RowRelation::Different => Some(
            "The two were scored on different validation rows: a difference is one of rows as much as of models.".into(),
        ),
        RowRelation::Same => None,
        RowRelation::Unknown => Some(
            "Whether both were scored on the same validation rows is not known: errors are those of two separate sets of rows."
                .into(),
        ),
    }
}

fn effort(comparison: &Comparison) -> Option<String> {
    let unequal: Vec<String> = comparison
        .budgets
        .iter()
        .filter(|budget| {
            let (a, b) = (budget.a.trials as f64, budget.b.trials as f64);
            budget.value.is_some() && a.max(b) >= UNEQUAL * a.min(b)
        })
        .map(|budget| format!("{} ({} in A, {} in B)", budget.budget, budget.a.trials, budget.b.trials))
        .collect();
    let any = comparison.budgets.iter().any(|budget| budget.value.is_some());
    if !unequal.is_empty() {
        return Some(format!(
            "The observed best of more trials is better by chance alone, and the numbers of trials are unequal: {}. What is compared \
             does not depend on them.",
            listed(&unequal)
        ));
    }
    any.then(|| {
        "The observed best of many trials is biased towards better values; it is not what is compared.".into()
    })
}

fn sizes(comparison: &Comparison) -> Option<String> {
    let tolerance = comparison.options.size_tolerance;
    let unequal: Vec<String> = comparison
        .budgets
        .iter()
        .filter_map(|budget| {
            let (a, b) = (budget.a.size?.total as f64, budget.b.size?.total as f64);
            ((b - a).abs() > tolerance * a).then(|| {
                format!("{} ({} in A, {} in B)", quoted(&budget.budget), human_weights(a), human_weights(b))
            })
        })
        .collect();
    (!unequal.is_empty()).then(|| {
        format!(
            "Budgets are matched by label, and the best models of one label differ in size: {}.",
            listed(&unequal)
        )
    })
}
