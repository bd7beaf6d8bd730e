//! What more weights buy, and how sure that is.

use allometry_analysis::scaling::{NaiveScaling, Scaling, SizeOrder};
use allometry_analysis::{Analysis, EvidenceBasis, StudyAnalysis};
use allometry_core::ModelSize;
use allometry_core::size::human_weights;

use super::Pictures;
use crate::markdown::escape;
use crate::number::{UNKNOWN, decimals, interval, p_value, percent, rows};
use crate::text::Text;

pub(super) fn render(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    text.heading(2, format_args!("Scaling Law Analysis"));
    let metric = escape(&analysis.metric);
    let word = analysis.verdict.outcome.as_str().to_uppercase();
    text.line(format_args!("**Scaling law {word}** (see the summary). Best {metric} by budget, naive:"));
    naive(text, analysis);
    sizes(text, analysis);
    differences(text, &analysis.scaling, analysis);
    pictures.place(text, "differences");
    resampled(text, analysis);
    trend(text, analysis);
    pictures.place(text, "best-of");
    pictures.place(text, "distribution");
    caveats(text, analysis);
}

/// What all trials say over their exact sizes: the verdict's evidence beyond the differences, which have a table.
fn trend(text: &mut Text, analysis: &Analysis) {
    let evidence = analysis.verdict.evidence.iter().filter(|one| one.basis == EvidenceBasis::Trend);
    let mut evidence = evidence.peekable();
    if evidence.peek().is_none() {
        return;
    }
    text.heading(3, format_args!("All trials over exact sizes"));
    for evidence in evidence {
        text.line(format_args!("- {}.", escape(&capitalized(&evidence.statement))));
    }
}

fn capitalized(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn naive(text: &mut Text, analysis: &Analysis) {
    text.blank();
    for study in &analysis.studies {
        let best = study.summary.incumbent().map(|best| decimals(best.value.point));
        text.line(format_args!("- {}: {}", escape(&study.budget.label), best.as_deref().unwrap_or(UNKNOWN)));
    }
    let word = match analysis.scaling.naive {
        Some(NaiveScaling::Holds) => "HOLDS",
        Some(NaiveScaling::Violated) => "VIOLATED",
        Some(NaiveScaling::Partial) => "PARTIAL",
        None => return,
    };
    text.blank();
    text.line(format_args!(
        "Naive reading of these: {word}. It looks at the order of three maxima alone, by label, without their errors."
    ));
}

fn sizes(text: &mut Text, analysis: &Analysis) {
    text.heading(3, format_args!("Exact sizes"));
    text.table(
        &["Budget", "Label says", "Best model", "Tried", "Space reaches"],
        analysis.studies.iter().map(|study| {
            let StudyAnalysis { budget, sizes, .. } = study;
            let span = |ends: Option<(ModelSize, ModelSize)>| {
                ends.map_or_else(|| UNKNOWN.into(), |(smallest, largest)| format!("{smallest} to {largest}"))
            };
            vec![
                escape(&budget.label),
                sizes.nominal.map_or_else(|| "no size".into(), human_weights),
                sizes.best.map_or_else(|| UNKNOWN.into(), exact),
                span(sizes.smallest_tried.zip(sizes.largest_tried)),
                span(sizes.reach.map(|reach| (reach.smallest, reach.largest))),
            ]
        }),
    );
}

fn exact(size: ModelSize) -> String {
    format!("{size} ({})", allometry_analysis::number::grouped(size.total))
}

fn differences(text: &mut Text, scaling: &Scaling, analysis: &Analysis) {
    if scaling.differences.is_empty() {
        return;
    }
    text.heading(3, format_args!("Differences between budgets"));
    let order = match scaling.order {
        SizeOrder::Exact => "by the exact sizes of the best models",
        SizeOrder::Given => "in the order given, exact sizes being unknown",
    };
    text.line(format_args!("Gain of the larger over the smaller, {order}."));
    text.blank();
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    if scaling.differences.iter().all(|difference| difference.measured_correlation.is_some()) {
        measured(text, scaling, &level);
    } else {
        assumed(text, scaling, &level, analysis.options.correlation);
    }
}

/// Differences whose error is known from the scores of the same rows.
fn measured(text: &mut Text, scaling: &Scaling, level: &str) {
    text.table(
        &["Larger", "Smaller", "Gain", level, "Measured correlation", "p (Holm)", "Rows to tell"],
        scaling.differences.iter().map(|difference| {
            vec![
                escape(&difference.larger),
                escape(&difference.smaller),
                format!("{:+.4}", difference.gain.point),
                interval(difference.gain.interval),
                difference.measured_correlation.map_or_else(|| UNKNOWN.into(), |r| format!("{r:.2}")),
                p_value(difference.p_holm),
                rows(difference.rows_to_detect),
            ]
        }),
    );
}

/// Differences of which some rest on class counts and an assumed correlation.
fn assumed(text: &mut Text, scaling: &Scaling, level: &str, correlation: f64) {
    text.table(
        &[
            "Larger",
            "Smaller",
            "Gain",
            &format!("{level}, if independent"),
            &format!("{level}, at r = {correlation}"),
            "p (Holm)",
            &format!("Rows to tell, at r = {correlation}"),
        ],
        scaling.differences.iter().map(|difference| {
            let measured = difference.measured_correlation;
            let measured =
                measured.map_or_else(String::new, |r| format!(" (measured on the same rows: r = {r:.2})"));
            vec![
                escape(&difference.larger),
                escape(&difference.smaller),
                format!("{:+.4}", difference.gain.point),
                interval(difference.gain.interval),
                format!("{}{measured}", interval(difference.gain_correlated.interval)),
                p_value(difference.p_holm),
                rows(difference.rows_to_detect),
            ]
        }),
    );
}

/// What resampled validation rows say.
fn resampled(text: &mut Text, analysis: &Analysis) {
    let Some(resampled) = &analysis.scaling.resampled else { return };
    text.heading(3, format_args!("Other validation rows"));
    text.line(format_args!(
        "The validation rows resampled {} times, for all budgets at once.",
        allometry_analysis::number::grouped(resampled.replicates)
    ));
    if !resampled.orders.is_empty() {
        text.blank();
        text.table(
            &["Order of the best trials", "Probability"],
            resampled.orders.iter().map(|order| {
                let labels: Vec<String> = order.budgets.iter().map(|label| escape(label)).collect();
                vec![labels.join(" > "), percent(order.probability)]
            }),
        );
    }
    let metric = escape(&analysis.metric);
    text.blank();
    text.line(format_args!(
        "The best of many trials is best partly by luck. Chosen on a resample and scored on the rows it left out, it reaches:"
    ));
    text.blank();
    text.table(
        &[
            "Budget",
            &format!("Corrected best {metric}"),
            &format!("{:.0}% interval", analysis.options.level * 100.0),
            "Observed less corrected",
            "Trials that could win",
        ],
        resampled.corrected.iter().map(|corrected| {
            vec![
                escape(&corrected.budget),
                decimals(corrected.best.point),
                interval(corrected.best.interval),
                format!("{:+.4}", corrected.optimism),
                corrected.candidates.to_string(),
            ]
        }),
    );
}

fn caveats(text: &mut Text, analysis: &Analysis) {
    if analysis.verdict.caveats.is_empty() {
        return;
    }
    text.heading(3, format_args!("What the verdict does not take into account"));
    for caveat in &analysis.verdict.caveats {
        text.line(format_args!("- {}", escape(&caveat.statement)));
    }
}
