//! The values of the best configurations on test rows, which were not used for any choice.

use allometry_analysis::confirmation::{Confirmation, ConfirmedBudget};
use allometry_analysis::{Analysis, Method};

use super::Pictures;
use crate::markdown::escape;
use crate::number::{decimals, interval, known, known_p};
use crate::text::Text;
use crate::words;

pub(crate) fn render(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    let Some(confirmation) = &analysis.confirmation else { return };
    text.heading(2, format_args!("Confirmation on Test Rows"));
    text.line(format_args!("{}", escape(&words::confirmation(confirmation, &analysis.options))));
    text.blank();
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    text.table(
        &[
            "Budget",
            "Trial",
            "Value in the search",
            "Trained again",
            "On test rows",
            &level,
            "Seeds",
            "Chosen",
        ],
        confirmation.budgets.iter().flat_map(rows),
    );
    pictures.place(text, "confirmation");
    if !confirmation.comparisons.is_empty() {
        text.blank();
        slopes(text, confirmation, &level);
        text.table(
            &["Larger", "Smaller", "Gain on test rows", &level, "p (Holm)", "More weights"],
            confirmation.comparisons.iter().map(|comparison| {
                vec![
                    escape(&comparison.larger),
                    escape(&comparison.smaller),
                    crate::number::signed(comparison.gain.point),
                    interval(comparison.gain.interval),
                    known_p(comparison.p_holm),
                    comparison.outcome.as_str().to_owned(),
                ]
            }),
        );
    }
    let rows = if analysis.per_era.is_some() {
        "the last rows before the test part, which choose the epoch"
    } else {
        "the same validation rows"
    };
    text.blank();
    text.line(format_args!(
        "The best configurations of each budget were trained again with the same new seeds. *Value in the \
         search* is the value for which they were selected, so it is biased towards better values. *Trained \
         again* is the mean over the new seeds on {rows}; the configuration with the best mean is *chosen*. \
         *On test rows* is the mean on rows that were not used for any choice. The error covers {}.",
        covered(confirmation)
    ));
}

/// Writes the two claims: on these configurations, and on the configurations that another search would have
/// recommended.
fn slopes(text: &mut Text, confirmation: &Confirmation, level: &str) {
    let claims = [
        ("these configurations", "seeds and test rows", &confirmation.configurations),
        ("another search at each size", "search, seeds and test rows", &confirmation.search),
    ];
    let known = claims.into_iter().filter_map(|(claim, covers, judgement)| {
        let judgement = judgement.as_ref()?;
        let per = if judgement.is_per_decade { "per tenfold weights" } else { "per step" };
        Some(vec![
            claim.to_owned(),
            covers.to_owned(),
            format!("{} {per}", crate::number::signed(judgement.slope.point)),
            interval(judgement.slope.interval),
            known_p(judgement.p),
            judgement.outcome.as_str().to_lowercase(),
        ])
    });
    let known: Vec<Vec<String>> = known.collect();
    if !known.is_empty() {
        text.table(&["Claim about", "The error covers", "Gain", level, "p", "Outcome"], known);
        text.blank();
    }
}

fn rows(budget: &ConfirmedBudget) -> impl Iterator<Item = Vec<String>> {
    budget.configurations.iter().enumerate().map(|(place, one)| {
        vec![
            escape(&budget.budget),
            one.trial.to_string(),
            known(one.search),
            known(one.validation),
            decimals(one.test.point),
            interval(one.test.interval),
            one.seeds.to_string(),
            if place == budget.chosen { "yes".into() } else { String::new() },
        ]
    })
}

/// Returns what the errors cover.
fn covered(confirmation: &Confirmation) -> &'static str {
    let tests = || confirmation.budgets.iter().flat_map(|budget| &budget.configurations).map(|one| one.test);
    let mut methods = tests().map(|test| test.method);
    let knows_rows = tests().any(|test| test.effective_rows.is_some());
    if methods.clone().any(|method| method == Method::SeedsAndRows) && !knows_rows {
        "seeds alone, because the error over test rows is not known"
    } else if methods.clone().any(|method| method == Method::SeedsAndRows) {
        "seeds and, if predictions are stored, test rows"
    } else if methods.any(|method| method != Method::Observed) {
        "test rows but not seeds: use `--seeds` to train each configuration several times"
    } else {
        "nothing, because there are neither predictions nor several seeds"
    }
}
