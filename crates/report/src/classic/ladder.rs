//! The part about all budgets.

use allometry_analysis::collapse::{self, NaiveOutcome};
use allometry_analysis::consistency::{self, BestValue, NaiveConsistency};
use allometry_analysis::input::LadderTrials;
use allometry_analysis::scaling::{self, NaiveScaling};
use allometry_core::python;

use super::{ClassicStudy, decimals};
use crate::text::Text;

/// The parameters of the first table, with their names in the table.
const COLUMNS: [(&str, &str); 5] = [
    ("d_model", "d_model"),
    ("n_layers", "n_layers"),
    ("learning_rate", "LR"),
    ("dropout", "dropout"),
    ("weight_decay", "WD"),
];

/// The parameters whose best values are compared across budgets.
const COMPARED: [&str; 3] = ["dropout", "learning_rate", "weight_decay"];

pub(super) fn render(text: &mut Text, studies: &[ClassicStudy<'_>], ladder: &LadderTrials) {
    text.heading(1, format_args!("Cross-Budget HPO Comparison"));
    best_results(text, studies, ladder);
    scaling_law(text, studies, ladder);
    parameter_consistency(text, studies);
    probability_collapse(text, studies);
}

fn best_results(text: &mut Text, studies: &[ClassicStudy<'_>], ladder: &LadderTrials) {
    let metric = ladder.metric();
    let header: Vec<String> = ["Budget".into(), format!("Best {metric}")]
        .into_iter()
        .chain(COLUMNS.iter().map(|(_, name)| format!("Best {name}")))
        .collect();
    text.line(format_args!("## Best Results by Budget"));
    text.blank();
    text.row(&header);
    let rule: Vec<String> = header.iter().map(|name| "-".repeat(name.chars().count() + 2)).collect();
    text.line(format_args!("|{}|", rule.join("|")));
    for study in studies {
        let value = |name| study.best_params.and_then(|params| params.get(name));
        let cells = [study.label.to_owned(), decimals(study.best_value())].into_iter();
        text.row(cells.chain(
            COLUMNS.iter().map(|(name, _)| value(name).map_or_else(|| "N/A".into(), ToString::to_string)),
        ));
    }
}

fn scaling_law(text: &mut Text, studies: &[ClassicStudy<'_>], ladder: &LadderTrials) {
    text.heading(2, format_args!("Scaling Law Analysis"));
    for study in studies {
        text.line(format_args!("- {}: {}", study.label, decimals(study.best_value())));
    }
    let best: Option<Vec<f64>> = studies.iter().map(ClassicStudy::best_value).collect();
    let verdict = best.and_then(|best| scaling::naive(&best, ladder.direction()));
    let (Some(verdict), [small, medium, large]) = (verdict, studies) else { return };
    let (small, medium, large) = (small.label, medium.label, large.label);
    text.blank();
    match verdict {
        NaiveScaling::Holds => text.line(format_args!("**Scaling law HOLDS**: {large} > {medium} > {small}")),
        NaiveScaling::Violated => {
            text.line(format_args!("**Scaling law VIOLATED**: {medium} > {small} > {large}"));
            text.line(format_args!(
                "This suggests larger models may be overfitting or need different regularization."
            ));
        }
        NaiveScaling::Partial => {
            text.line(format_args!("**Scaling law PARTIAL**: Non-monotonic relationship"));
        }
    }
}

fn parameter_consistency(text: &mut Text, studies: &[ClassicStudy<'_>]) {
    text.heading(2, format_args!("Parameter Consistency Across Budgets"));
    let mut is_empty = true;
    for name in COMPARED {
        let values: Vec<BestValue> = studies
            .iter()
            .filter_map(|study| {
                let value = study.best_params?.get(name)?.clone();
                Some(BestValue { budget: study.label.to_owned(), value })
            })
            .collect();
        let word = match consistency::naive(&values) {
            None => continue,
            Some(NaiveConsistency::Consistent) => "Consistent",
            Some(NaiveConsistency::Inconsistent) => "Inconsistent",
        };
        let pairs: Vec<String> = values
            .iter()
            .map(|best| format!("{}: {}", python::string_repr(&best.budget), best.value.repr()))
            .collect();
        text.line(format_args!("- **{name}**: {word} - {{{}}}", pairs.join(", ")));
        is_empty = false;
    }
    // An empty list leaves an empty line, as in the original report.
    if is_empty {
        text.line(format_args!(""));
    }
}

fn probability_collapse(text: &mut Text, studies: &[ClassicStudy<'_>]) {
    text.heading(2, format_args!("Probability Collapse by Budget"));
    text.row(["Budget", "Collapse?", "Pred Range", "Avg Recall"]);
    text.line(format_args!("|--------|-----------|------------|------------|"));
    for study in studies {
        let collapse = collapse::naive(&study.sample);
        let word = match collapse.outcome {
            NaiveOutcome::Collapsed => "Yes",
            NaiveOutcome::NotCollapsed | NaiveOutcome::Unknown => "No",
        };
        text.row([
            study.label.to_owned(),
            word.to_owned(),
            decimals(collapse.range),
            decimals(collapse.recall),
        ]);
    }
}
