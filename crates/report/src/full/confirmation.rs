//! What the best configurations are worth on rows that nothing was chosen by.

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
        &["Budget", "Trial", "The search said", "Trained anew", "On test rows", &level, "Seeds", "Chosen"],
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
    text.blank();
    text.line(format_args!(
        "Each budget's best configurations were trained anew under the same fresh seeds. *The search said* \
         is the value that made them the best, a lucky one; *trained anew* is their mean on the same \
         validation rows, by which one is *chosen*; *on test rows* is what that choice is worth, for \
         nothing was chosen by them. The error is over {}.",
        covered(confirmation)
    ));
}

/// The two claims: about these configurations, and about what another search would have recommended.
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
    text.table(&["Claim about", "The error covers", "Gain", level, "p", "Outcome"], known);
    text.blank();
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

/// What the errors are about.
fn covered(confirmation: &Confirmation) -> &'static str {
    let mut methods =
        confirmation.budgets.iter().flat_map(|budget| &budget.configurations).map(|one| one.test.method);
    if methods.clone().any(|method| method == Method::SeedsAndRows) {
        "seeds and, where predictions are stored, test rows"
    } else if methods.any(|method| method != Method::Observed) {
        "test rows, not over seeds: `--seeds` trains each more often"
    } else {
        "nothing: neither predictions nor several seeds are there"
    }
}
