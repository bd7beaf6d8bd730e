//! The summary of the report.

use allometry_analysis::baseline::BaselineComparison;
use allometry_analysis::{Analysis, Finding, FindingCode, StudyAnalysis};
use allometry_core::human_weights;

use super::Pictures;
use crate::markdown::escape;
use crate::number::{UNKNOWN, about, decimals, interval};
use crate::text::Text;
use crate::words;

/// Whether there is a single study that belongs to no ladder, so that scale is not a question.
pub(crate) fn is_lone(analysis: &Analysis) -> bool {
    analysis.name.is_none() && analysis.studies.len() == 1
}

pub(super) fn render(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    text.heading(2, format_args!("Summary"));
    verdict(text, analysis);
    baselines_ahead(text, analysis);
    budgets(text, analysis);
    recommended(text, analysis);
    pictures.place(text, "scaling");
    baselines(text, analysis);
    findings(text, analysis);
}

/// Writes the tables of the summary as a part of their own.
pub(super) fn tables(text: &mut Text, analysis: &Analysis) {
    text.heading(2, format_args!("Best and recommended trials"));
    budgets(text, analysis);
    recommended(text, analysis);
    baselines(text, analysis);
}

fn verdict(text: &mut Text, analysis: &Analysis) {
    if is_lone(analysis) {
        return;
    }
    text.line(format_args!("**Do more weights pay?** {}", escape(&words::verdict::paragraph(analysis))));
    text.blank();
}

fn baselines_ahead(text: &mut Text, analysis: &Analysis) {
    for finding in analysis.findings.iter().filter(|finding| finding.code == FindingCode::BehindBaseline) {
        let (what, numbers) = words::finding::headline(finding);
        text.line(format_args!("**{}:** {}.", escape(&what), escape(&numbers)));
        text.blank();
    }
}

fn budgets(text: &mut Text, analysis: &Analysis) {
    let level = analysis.options.level * 100.0;
    let metric = escape(&analysis.metric);
    text.table(
        &[
            "Budget",
            &format!("Observed best {metric}"),
            &format!("{level:.0}% interval"),
            "Weights of the best",
            "Trials",
        ],
        analysis.studies.iter().map(|study| {
            let best = study.summary.incumbent();
            vec![
                escape(&study.budget.label),
                best.map_or_else(|| UNKNOWN.into(), |best| decimals(best.value.point)),
                interval(best.and_then(|best| best.value.interval)),
                best_weights(study),
                study.summary.trials.to_string(),
            ]
        }),
    );
    effective_rows(text, analysis);
}

/// Writes the number of independent rows that the validation rows are worth, if their order in time is known.
fn effective_rows(text: &mut Text, analysis: &Analysis) {
    let worth: Vec<String> = analysis
        .studies
        .iter()
        .filter_map(|study| {
            let rows = study.summary.incumbent()?.value.effective_rows?;
            Some(format!("{} ({})", about(rows.rows), escape(&study.budget.label)))
        })
        .collect();
    if !worth.is_empty() {
        text.blank();
        let dependent = match analysis.per_series {
            Some(_) => "rows of one time and rows of one series",
            None => "rows in time order",
        };
        text.line(format_args!(
            "These intervals take into account that {dependent} depend on each other. The validation rows \
             are worth about this many independent rows: {}.",
            worth.join(", ")
        ));
    }
}

/// Writes the recommended configurations, if any budget has one.
fn recommended(text: &mut Text, analysis: &Analysis) {
    let trials = || analysis.studies.iter().filter_map(|study| study.recommended.trial.as_ref());
    let Some(level) = trials().find_map(|trial| Some(trial.mean?.level)) else { return };
    text.blank();
    text.table(
        &[
            "Budget",
            "Best trial",
            "Recommended",
            "Mean over seeds",
            &format!("{:.0}% interval", level * 100.0),
        ],
        analysis.studies.iter().map(|study| {
            let trial = study.recommended.trial.as_ref();
            let mean = trial.and_then(|trial| trial.mean);
            let best = study.summary.incumbent();
            vec![
                escape(&study.budget.label),
                best.map_or_else(|| UNKNOWN.into(), |best| best.number.to_string()),
                trial.map_or_else(|| UNKNOWN.into(), |trial| trial.number.to_string()),
                mean.map_or_else(|| UNKNOWN.into(), |mean| decimals(mean.point)),
                interval(mean.and_then(|mean| mean.interval)),
            ]
        }),
    );
    text.blank();
    text.line(format_args!(
        "With noise, the best value is often a lucky one. *Recommended* is the configuration that probably \
         has the best mean over seeds, according to a Gaussian process over the space; the interval is for \
         this mean on these rows.{}",
        if analysis.confirmation.is_some() {
            " The confirmation trained the best configurations of each search again; the one to take is that \
             of *What to take*, whichever the model recommends."
        } else {
            ""
        }
    ));
}

/// Returns the exact size of the best model in short form.
fn best_weights(study: &StudyAnalysis) -> String {
    study.sizes.best.map_or_else(|| UNKNOWN.into(), |size| human_weights(size.total as f64))
}

fn baselines(text: &mut Text, analysis: &Analysis) {
    if analysis.baselines.is_empty() {
        return;
    }
    text.heading(3, format_args!("Baselines"));
    let metric = escape(&analysis.metric);
    text.line(format_args!("Simple models on the same validation rows."));
    text.blank();
    text.table(
        &["Baseline", &metric, "Interval", "Gain of the best trial", "Description"],
        analysis.baselines.iter().map(|baseline| {
            vec![
                escape(&baseline.name.replace('_', " ")),
                baseline.value.map_or_else(|| UNKNOWN.into(), |value| decimals(value.point)),
                interval(baseline.value.and_then(|value| value.interval)),
                gain(baseline),
                escape(&baseline.description),
            ]
        }),
    );
}

fn gain(baseline: &BaselineComparison) -> String {
    let Some(gain) = baseline.gain else { return UNKNOWN.into() };
    let budget = baseline.best_budget.as_deref().map(|label| format!(" ({})", escape(label)));
    format!("{}{}", crate::number::signed(gain.point), budget.unwrap_or_default())
}

fn findings(text: &mut Text, analysis: &Analysis) {
    let advice = words::finding::advice;
    text.heading(3, format_args!("Findings"));
    if analysis.findings.is_empty() {
        text.line(format_args!("None."));
        return;
    }
    for group in words::finding::groups(&analysis.findings) {
        let Finding { code, severity, .. } = &group[0];
        let severity = severity.as_str();
        let advice = escape(&advice(&group[0]));
        match group {
            [finding] => {
                let message = escape(&words::finding::message(finding));
                text.line(format_args!("- **{severity}** `{code}`: {message}. *{advice}*"));
            }
            several => {
                text.line(format_args!("- **{severity}** `{code}`: *{advice}*"));
                for finding in several {
                    text.line(format_args!("  - {}", escape(&words::finding::message(finding))));
                }
            }
        }
    }
}
