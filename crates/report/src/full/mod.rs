//! The full report: the results with their uncertainty, their limits, and the classic figures marked as
//! naive.

mod collapse;
mod comparison;
pub(crate) mod confirmation;
pub(crate) mod data;
pub(crate) mod eras;
pub(crate) mod front;
mod importance;
mod pictures;
mod scaling;
pub(crate) mod series;
mod space_importance;
mod study;
mod summary;
pub(crate) mod transfer;
mod trend;

pub(crate) use pictures::INSIDE;
pub use pictures::Pictures;
pub(crate) use study::unused_trials;
pub(crate) use summary::is_lone;

use allometry_analysis::Analysis;
use allometry_core::Params;

use crate::markdown::escape;
use crate::text::Text;

/// Renders the full report as Markdown, with `pictures` at their places.
pub fn full(analysis: &Analysis, pictures: &Pictures<'_>) -> String {
    let mut text = Text::default();
    text.heading(1, format_args!("{}", title(analysis)));
    summary::render(&mut text, analysis, pictures);
    parts(&mut text, analysis, pictures);
    text.into_string()
}

/// Renders the parts of the full report that a page has behind its answer.
pub(crate) fn behind(analysis: &Analysis, pictures: &Pictures<'_>) -> String {
    let mut text = Text::default();
    summary::tables(&mut text, analysis);
    parts(&mut text, analysis, pictures);
    text.into_string()
}

/// Writes what follows the summary: the ladder, then each budget.
fn parts(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    comparison::best_results(text, analysis);
    front::ladder(text, analysis);
    if !is_lone(analysis) {
        scaling::render(text, analysis, pictures);
    }
    data::render(text, analysis, pictures);
    confirmation::render(text, analysis, pictures);
    eras::render(text, analysis);
    series::render(text, analysis);
    if analysis.studies.len() != 1 {
        comparison::consistency(text, analysis);
    }
    transfer::render(text, analysis, pictures);
    if collapse::concerns(analysis) {
        collapse::ladder(text, analysis);
    }
    pictures.place(text, "reliability");
    pictures.place_on_page(text, "timeline");
    for (position, study) in analysis.studies.iter().enumerate() {
        text.blank();
        text.line(format_args!("---"));
        study::render(text, study, analysis, &pictures.of_study(position));
    }
    notes(text, analysis);
}

fn notes(text: &mut Text, analysis: &Analysis) {
    text.blank();
    text.line(format_args!("---"));
    text.heading(2, format_args!("What the figures mean"));
    let level = analysis.options.level * 100.0;
    let of_auc = allometry_analysis::is_auc(&analysis.metric).then(|| {
        format!(
            "**Intervals** ({level:.0}%) of an AUC are computed from the trial's stored scores (DeLong et \
             al. 1988) or, without scores, from the numbers of positive and negative validation rows (Hanley \
             and McNeil 1982); they are symmetric on the logit scale. They cover new rows with the same \
             share of positives, but neither new seeds nor a new search."
        )
    });
    let notes = [
        "**Shares** are averages over all orders in which parameters can be added to the model (Lindeman, \
         Merenda and Gold 1980), so they add up. **ω², ε²** are shares of the variance minus the share \
         expected by chance; below 0 means no effect. If a configuration was repeated with exactly equal \
         results, only one evaluation counts."
            .to_owned(),
        "**Shares over the whole space** (Hutter, Hoos and Leyton-Brown 2014) are shares of the variance of \
         a regression forest's predictions. All values of a discrete parameter have equal weight, and log \
         parameters are measured on the log scale. The shares include effects of any form. **Among the \
         best** (Watanabe, Bansal and Hutter 2023) is the default importance of Optuna 5."
            .to_owned(),
        "**p (Holm)** is adjusted for the number of tests in its table: without any effect, at most 5% of \
         reports have a p below 0.05 in the table."
            .to_owned(),
        "**↓ ↑** mark best values at the lowest or highest end of their range. Without any effect, the best \
         of four values is at an end in half of the budgets; a finding says when the metric improves \
         significantly towards an end."
            .to_owned(),
        "**Some intervals cover less than their level** in simulations: the expected value of one trial if \
         one trial in ten diverges and there are 20 or fewer (83 to 87% instead of 95%); the mean of the \
         recommended configuration after 100 trials with repeats if most of the noise comes from the \
         configuration itself (86% instead of 90%), or if two thirds of the trials were stopped early and \
         the parameters have no effect (82% instead of 90%)."
            .to_owned(),
    ];
    for note in of_auc.into_iter().chain(notes) {
        text.line(format_args!("- {note}"));
    }
}

/// Returns the title with the name and the tag of the ladder.
pub(crate) fn title(analysis: &Analysis) -> String {
    let name = analysis.name.as_deref().map(|name| format!(": {}", escape(name))).unwrap_or_default();
    let title = match analysis.studies.as_slice() {
        [only] if is_lone(analysis) => format!("HPO Study: {}", escape(&only.budget.label)),
        [_] => format!("HPO Study{name}"),
        _ => format!("Cross-Budget HPO Comparison{name}"),
    };
    format!("{title}{}", tag(analysis))
}

/// Returns the tag in brackets, such as ` (a100)`; empty without a tag.
fn tag(analysis: &Analysis) -> String {
    analysis.tag.as_deref().map(|tag| format!(" ({})", escape(tag))).unwrap_or_default()
}

/// Returns the parameters of best configurations, in the order of the studies' analyses.
pub(crate) fn parameters<'a>(
    configurations: impl Iterator<Item = &'a Params>,
    order: &[&'a str],
) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for params in configurations {
        for (name, _) in params.iter() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort_by_key(|name| order.iter().position(|known| known == name).unwrap_or(order.len()));
    names
}
