//! The lint of a classic report in words.

use allometry_analysis::Lint;
use allometry_analysis::lint::{BudgetOrder, Conclusion, LintReason, MeansReason};
use allometry_core::Direction;

use super::verdict;

/// Returns why a conclusion stands or does not.
pub fn reason_clause(conclusion: &Conclusion, lint: &Lint) -> String {
    conclusion.reason.text(|of| reason(of, &lint.metric, lint.direction))
}

/// Returns what the means of the trials tell, and what their error covers.
pub(super) fn means(means: &MeansReason, metric: &str, direction: Direction) -> String {
    let answer = verdict::answer(&means.answer, metric, direction);
    match &means.covers {
        Some(covers) => format!("{answer} {}", verdict::covers(covers)),
        None => answer,
    }
}

pub(super) fn reason(reason: &LintReason, metric: &str, direction: Direction) -> String {
    match reason {
        LintReason::Means { means: of, order } => {
            let sentence = uncapitalized(means(of, metric, direction).trim_end_matches('.'));
            let Some((basis, budgets)) = order else { return sentence };
            let basis = match basis {
                BudgetOrder::ExactSizes => "weights",
                BudgetOrder::BlockWeights | BudgetOrder::Given => "weights of their blocks",
            };
            format!("{sentence}. Ordered by the {basis} of the best models: {}", budgets.join(" < "))
        }
    }
}

fn uncapitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect())
}
