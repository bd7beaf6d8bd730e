//! The gain from more weights, and its uncertainty.

use allometry_analysis::scaling::{FOR_LACK_OF_FIT, MOST_IN_PAIRS, Quantity, Share, SizeOrder, Source};
use allometry_analysis::{Analysis, Confirmation, Estimate, EvidenceBasis, StudyAnalysis};
use allometry_core::{Direction, ModelSize, human_weights};

use super::Pictures;
use crate::markdown::escape;
use crate::number::{UNKNOWN, decimals, interval, known_p, percent};
use crate::text::Text;
use crate::words;

pub(super) fn render(text: &mut Text, analysis: &Analysis, pictures: &Pictures<'_>) {
    text.heading(2, format_args!("Scaling Law Analysis"));
    let metric = escape(&analysis.metric);
    let word = analysis.verdict.outcome.as_str().to_uppercase();
    text.line(format_args!("**Scaling law {word}** (see the summary). Best {metric} by budget:"));
    best(text, analysis);
    sizes(text, analysis);
    judged(text, analysis);
    pictures.place(text, "differences");
    pictures.place(text, "laws");
    resampled(text, analysis);
    trend(text, analysis);
    pictures.place(text, "best-of");
    pictures.place(text, "distribution");
    caveats(text, analysis);
}

/// Writes the evidence of the verdict other than the differences, which have a table: the trend with sizes as
/// units, and the trend within budgets.
fn trend(text: &mut Text, analysis: &Analysis) {
    let evidence = analysis.verdict.evidence.iter().filter(|one| one.basis == EvidenceBasis::Trend);
    let mut evidence = evidence.peekable();
    if evidence.peek().is_none() {
        return;
    }
    let exact = analysis.scaling.order == SizeOrder::Exact;
    let sizes = if exact { "exact sizes" } else { "the sizes in the labels" };
    text.heading(3, format_args!("Over {sizes}"));
    for evidence in evidence {
        text.line(format_args!(
            "- {}.",
            escape(&capitalized(&words::verdict::evidence_clause(evidence, &analysis.metric)))
        ));
    }
}

fn capitalized(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn best(text: &mut Text, analysis: &Analysis) {
    text.blank();
    for study in &analysis.studies {
        let best = study.summary.incumbent().map(|best| decimals(best.value.point));
        text.line(format_args!("- {}: {}", escape(&study.budget.label), best.as_deref().unwrap_or(UNKNOWN)));
    }
}

fn sizes(text: &mut Text, analysis: &Analysis) {
    text.heading(3, format_args!("Exact sizes"));
    text.table(
        &["Budget", "Label says", "Best model", "Range tried", "Range of the space"],
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
    format!("{size} ({})", crate::number::grouped(size.total))
}

/// Returns what the verdict compares, and what it does not use.
fn what_is_compared(analysis: &Analysis) -> &'static str {
    let confirmed = analysis.confirmation.as_ref().and_then(Confirmation::headline);
    if confirmed.is_some() {
        return "Without the confirmation, the verdict would compare this quantity across budgets. The \
                confirmation replaces it: the verdict compares the values on test rows below.";
    }
    "The verdict compares this quantity across budgets. It does not use the observed best, which is biased \
     towards better values."
}

/// Writes the quantity that is compared, for each budget and for each pair.
fn judged(text: &mut Text, analysis: &Analysis) {
    let scaling = &analysis.scaling;
    let Some(judgement) = &scaling.judgement else { return };
    let metric = escape(&analysis.metric);
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    let quantity = words::verdict::quantity(judgement.quantity, &metric);
    let units = match judgement.quantity {
        Quantity::BestOf { .. } => "Configurations",
        Quantity::Configuration | Quantity::Confirmed => "Seeds",
        Quantity::Mean => "Trials",
    };
    text.heading(3, format_args!("What is compared"));
    text.line(format_args!("{}", what_is_compared(analysis)));
    text.blank();
    text.table(
        &["Budget", "Weights", &quantity, &level, units],
        judgement.values.iter().map(|value| {
            vec![
                escape(&value.budget),
                value.weights.map_or_else(|| UNKNOWN.into(), human_weights),
                decimals(value.value.point),
                interval(value.value.interval),
                value.units.to_string(),
            ]
        }),
    );
    text.blank();
    let share = |shares: &[Share], source| {
        let found = shares.iter().find(|share| share.source == source);
        found.map_or_else(|| "0%".to_owned(), |share| percent(share.share))
    };
    let sources = [Source::Search, Source::Seeds, Source::Rows];
    let known = sources.into_iter().filter(|source| judgement.shares.iter().any(|one| one.source == *source));
    let known: Vec<Source> = known.collect();
    let names = known.iter().map(|source| format!("share of variance: {}", source_name(*source)));
    let header: Vec<String> =
        ["Gain".to_owned(), metric.clone(), level.clone(), "p (pairs: Holm)".to_owned()]
            .into_iter()
            .chain(names)
            .collect();
    let per = if judgement.is_per_decade { "per tenfold weights" } else { "per step of the ladder" };
    let row = |name: String, gain: &Estimate, p: Option<f64>, shares: &[Share]| {
        let cells = [name, crate::number::signed(gain.point), interval(gain.interval), known_p(p)];
        cells.into_iter().chain(known.iter().map(|source| share(shares, *source))).collect::<Vec<String>>()
    };
    let slope = row(per.to_owned(), &judgement.slope, judgement.p, &judgement.shares);
    let pairs = scaling.differences.iter().map(|d| {
        let name = format!("{} over {}", escape(&d.larger), escape(&d.smaller));
        row(name, &d.gain, d.p_holm, &d.shares)
    });
    text.table(&header, std::iter::once(slope).chain(pairs));
    text.blank();
    let fit = judgement.lack_of_fit.map_or_else(String::new, |p| {
        format!(
            " The slope is significant below p = {:.3}, and a departure from a straight line below p = \
             {:.3}; the departure here has {}.",
            (1.0 - FOR_LACK_OF_FIT) * (1.0 - analysis.options.level),
            FOR_LACK_OF_FIT * (1.0 - analysis.options.level),
            crate::number::p_is(p)
        )
    });
    let decides = if judgement.values.len() > MOST_IN_PAIRS {
        "The verdict depends on the slope or, if the budgets depart from a straight line, on the pairs. With \
         this many budgets, only neighbours are compared, and each budget with the smallest and the largest; \
         *Flat* requires the intervals of these pairs to lie within half of the smallest difference of \
         interest. Each interval is for its pair alone; the p-values of the pairs are adjusted by Holm's \
         method."
    } else if judgement.values.len() > 2 {
        "The verdict depends on the slope or, if the budgets depart from a straight line, on the pairs. \
         *Flat* depends on the intervals of all pairs. Each interval is for its pair alone; the p-values of \
         the pairs are adjusted by Holm's method."
    } else {
        "The verdict depends on the slope."
    };
    text.line(format_args!("{decides}{fit}"));
    if let Some(step) = judgement.last_step.as_ref().filter(|step| step.is_told)
        && let Some(p) = step.p
    {
        text.line(format_args!(
            "The last step, {} to {}, was tested only after the slopes over larger sets of the largest \
             budgets were significant (a closed test). Its {} therefore needs no Holm adjustment.",
            escape(&step.from),
            escape(&step.to),
            crate::number::p_is(p)
        ));
    }
    if analysis.direction == Direction::Minimize {
        text.line(format_args!("A gain is a decrease of {metric}."));
    }
    if !judgement.left_out.is_empty() {
        let left: Vec<&str> = judgement.left_out.iter().map(|source| source_name(*source)).collect();
        text.line(format_args!(
            "No error covers {}, because nothing about it is recorded.",
            left.join(" or ")
        ));
    }
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Rows => "rows",
        Source::Seeds => "seeds",
        Source::Search => "search and seeds",
    }
}

/// Writes the results on resampled validation rows.
fn resampled(text: &mut Text, analysis: &Analysis) {
    let Some(resampled) = &analysis.scaling.resampled else { return };
    text.heading(3, format_args!("Other validation rows"));
    text.line(format_args!(
        "The validation rows were resampled {} times, jointly for all budgets{}.",
        crate::number::grouped(resampled.replicates),
        if resampled.block > 1 {
            format!(
                ", in blocks of {} consecutive rows because neighbouring rows depend on each other",
                resampled.block
            )
        } else {
            String::new()
        }
    ));
    if !resampled.orders.is_empty() {
        text.blank();
        text.table(
            &["Order of the best trials on new rows", "Probability"],
            resampled.orders.iter().map(|order| {
                let labels: Vec<String> = order.budgets.iter().map(|label| escape(label)).collect();
                vec![labels.join(" > "), percent(order.probability)]
            }),
        );
    }
    let metric = escape(&analysis.metric);
    text.blank();
    text.line(format_args!(
        "The best value of many trials is partly luck. The corrected value is that of the best trial when it \
         is chosen on a resample and scored on the rows left out of it:"
    ));
    text.blank();
    text.table(
        &[
            "Budget",
            &format!("Corrected best {metric}"),
            &format!("{:.0}% interval", analysis.options.level * 100.0),
            "Observed minus corrected",
            "Candidate trials",
        ],
        resampled.corrected.iter().map(|corrected| {
            vec![
                escape(&corrected.budget),
                decimals(corrected.best.point),
                interval(corrected.best.interval),
                crate::number::signed(corrected.optimism),
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
        text.line(format_args!("- {}", escape(&words::verdict::caveat_sentence(caveat))));
    }
}
