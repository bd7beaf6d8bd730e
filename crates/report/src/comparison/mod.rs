//! A comparison of two ladders, as Markdown and as a document for programs.

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
        "**ω²** is the share of a parameter in the variance, with the other parameters held fixed. A \
         parameter *survives* if p is below the level after Holm's adjustment over the parameters of a \
         budget. If it survives in one ladder only, this does not show that it matters more there: the \
         intervals of its shares would also have to be apart.",
        "**May one value be best in both?** compares the sets of values that may be best: no other value is \
         significantly better than these. If the best configurations differ in a value (marked ≠), the \
         difference may be chance.",
    ];
    if comparison.budgets.iter().any(|budget| budget.distribution.is_some()) {
        notes.push(
            "**All trials** compares searches, not models: it depends on the configurations that were tried \
             as well as on the models. Its test (Mann and Whitney 1947) assumes that trials are independent \
             draws.",
        );
    }
    for note in notes {
        text.line(format_args!("- {note}"));
    }
}
