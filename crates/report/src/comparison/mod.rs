//! Two ladders side by side, for people and for programs.

mod budget;
mod json;
mod summary;

use allometry_analysis::Comparison;

pub use json::{ComparisonDocument, ComparisonSchemaVersion, comparison_json, comparison_json_schema};

use crate::text::Text;

/// Renders a comparison as Markdown.
pub fn comparison(comparison: &Comparison) -> String {
    let mut text = Text::default();
    text.heading(1, format_args!("Comparison of Two Ladders"));
    summary::sides(&mut text, comparison);
    text.heading(2, format_args!("Summary"));
    summary::render(&mut text, comparison);
    summary::scaling(&mut text, comparison);
    summary::findings(&mut text, &comparison.findings);
    for budget in &comparison.budgets {
        budget::render(&mut text, budget, comparison);
    }
    notes(&mut text, comparison);
    text.into_string()
}

fn notes(text: &mut Text, comparison: &Comparison) {
    if comparison.budgets.is_empty() {
        return;
    }
    text.heading(2, format_args!("What the figures mean"));
    let mut notes = vec![
        "**ω²** is the share of the variance that goes with a parameter, the others held fixed. *Survives* \
         where p is below the level after Holm's adjustment over the parameters of a budget. That a \
         parameter survives in one ladder only does not show that it matters more there: for that its \
         shares' intervals should not overlap.",
        "**May one value be best in both?** compares the sets of values that no other is told to be better \
         than. A value that differs (marked ≠) between two best configurations may differ by chance.",
    ];
    if comparison.budgets.iter().any(|budget| budget.distribution.is_some()) {
        notes.push(
            "**All trials** compares searches, not models: what was tried goes into it as much as what the \
             models can do. Its test (Mann and Whitney 1947) takes trials as drawn independently.",
        );
    }
    for note in notes {
        text.line(format_args!("- {note}"));
    }
}
