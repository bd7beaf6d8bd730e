//! The part about one budget.

use allometry_analysis::coverage::{Coverage, Step};
use allometry_analysis::effort::Support;
use allometry_analysis::pruning::Pruning;
use allometry_analysis::recommendation::{NotRecommended, Recommendation};
use allometry_analysis::summary::Summary;
use allometry_analysis::{Analysis, StudyAnalysis};

use super::{Pictures, collapse, front, importance, parameters, tag, trend};
use crate::markdown::{code, escape};
use crate::number::{Notation, UNKNOWN, counted, decimals, interval, known, known_p, short, step};
use crate::text::Text;
use crate::words;

pub(super) fn render(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis, pictures: &Pictures<'_>) {
    text.heading(1, format_args!("HPO Analysis: {}{}", escape(&study.budget.label), tag(analysis)));
    statistics(text, study, analysis);
    pictures.place(text, "history");
    if study.summary.trials == 0 {
        return;
    }
    configurations(text, study, analysis);
    front::study(text, study, analysis, pictures);
    pictures.place(text, "parallel");
    effort(text, study, analysis);
    pictures.place(text, "learning");
    if collapse::concerns(analysis) {
        collapse::study(text, study);
    }
    importance::render(text, study, analysis);
    pictures.place(text, "importance");
    pictures.place(text, "interaction");
    trend::render(text, study, analysis);
    pictures.place(text, "slice");
    coverage(text, study);
    pictures.place(text, "coverage");
}

/// Returns the numbers of trials that statistics do not use, by state; without zeros.
pub(crate) fn unused_trials(summary: &Summary) -> Vec<(u64, &'static str)> {
    let counts = summary.counts;
    let others = [
        (counts.failed, "failed"),
        (counts.interrupted, "interrupted"),
        (counts.pruned, "pruned"),
        (counts.running, "running"),
        (counts.waiting, "waiting"),
        (counts.infeasible, "infeasible"),
        (counts.complete_without_number, "complete without a usable value"),
    ];
    others.into_iter().filter(|(count, _)| *count > 0).collect()
}

fn statistics(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    let (summary, metric) = (&study.summary, escape(&analysis.metric));
    let others = unused_trials(summary);
    let total = summary.trials + others.iter().map(|(count, _)| count).sum::<u64>();
    let others: Vec<String> = others.iter().map(|(count, state)| format!("{count} {state}")).collect();
    let others = if others.is_empty() {
        String::new()
    } else {
        format!(" ({} with a value, {})", summary.trials, others.join(", "))
    };
    text.heading(2, format_args!("Summary Statistics"));
    text.line(format_args!("- Source: {}", code(&study.source)));
    text.line(format_args!("- Total trials: {total}{others}"));
    if let Some(ended) = summary.ended {
        text.line(format_args!("- Last run: {ended}"));
    }
    if let Some(handover) = summary.handover {
        text.line(format_args!("- Sampler: {}", escape(&handover.to_string())));
    }
    if let Some(carried) = &summary.carried_over {
        text.line(format_args!("- Carried over: {}", escape(&carried.to_string())));
        if carried.guard.is_none_or(|guard| guard.holds()) {
            text.line(format_args!(
                "  The search of this budget used information beyond the trials listed here. If two budgets \
                 differ in this, their difference is not due to size alone."
            ));
        }
    }
    if let Some(pruning) = summary.pruning {
        stopped_early(text, pruning, summary.counts.pruned, words::step(analysis));
    }
    let Some(best) = summary.incumbent() else { return };
    let level = best.value.level * 100.0;
    text.line(format_args!(
        "- Best {metric}: {} (trial {}; {level:.0}% interval {})",
        decimals(best.value.point),
        best.number,
        interval(best.value.interval)
    ));
    recommended(text, study);
    text.line(format_args!("- Mean {metric}: {}", known(summary.mean)));
    text.line(format_args!("- Std {metric}: {}", known(summary.sd.filter(|_| summary.trials > 1))));
    let duplicates = study.duplicates;
    let repeat_sd = duplicates.repeat_sd.map_or_else(String::new, |sd| {
        format!("; repeats: {}, with a standard deviation of {}", duplicates.repeats, decimals(sd))
    });
    text.line(format_args!("- Distinct configurations: {}{repeat_sd}", duplicates.configurations));
}

fn recommended(text: &mut Text, study: &StudyAnalysis) {
    let Recommendation { trial, unknown } = &study.recommended;
    let why = unknown.map_or_else(String::new, |why| format!(" ({})", words::not_recommended(why)));
    let Some(trial) = trial else {
        if unknown.is_some_and(|why| why != NotRecommended::NoSpace) {
            text.line(format_args!("- Recommended: none{why}"));
        }
        return;
    };
    let mean = trial.mean.map_or_else(
        || format!("mean over seeds unknown{why}"),
        |mean| {
            let (level, ends) = (mean.level * 100.0, interval(mean.interval));
            format!("{} on average over seeds, {level:.0}% interval {ends}", decimals(mean.point))
        },
    );
    let values = trial.params.iter().map(|(name, value)| format!("{name}={}", short(value)));
    let values = values.collect::<Vec<_>>().join(" ");
    text.line(format_args!("- Recommended: trial {} ({mean}): {}", trial.number, escape(&values)));
}

fn stopped_early(text: &mut Text, pruning: Pruning, count: u64, step: &str) {
    let Pruning { collapsed, exempt, epochs, saved } = pruning;
    let collapsed = if collapsed > 0 { format!(", {collapsed} of them collapsed") } else { String::new() };
    let after = if epochs > 0 { format!(" after {} in total", counted(epochs, step)) } else { String::new() };
    let saved = match saved {
        Some(saved) => format!("about {saved:.0} {step}s saved, judged by the lengths of complete trials"),
        None if epochs > 0 => {
            format!("the number of {step}s saved is unknown because no complete trial ran longer")
        }
        None => "when is unknown because there are no learning curves".to_owned(),
    };
    let exempt = if exempt > 0 {
        format!(". Pruning could not stop {}", counted(exempt, "trial"))
    } else {
        String::new()
    };
    text.line(format_args!(
        "- Stopped early: {}{after}{collapsed}; {saved}{exempt}",
        counted(count, "trial")
    ));
}

fn configurations(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    text.blank();
    if let Some(params) = &study.summary.recorded_best_params {
        text.line(format_args!("**Best Configuration:**"));
        text.blank();
        for (name, value) in params.iter() {
            text.line(format_args!("- {}: {}", escape(name), escape(&value.to_string())));
        }
        text.blank();
    }
    let best = &study.summary.best;
    text.line(format_args!("**Best distinct configurations:**"));
    text.blank();
    let order: Vec<&str> = study.trends.iter().map(|trend| trend.parameter.as_str()).collect();
    let names = parameters(best.iter().map(|trial| &trial.params), &order);
    let notations: Vec<Notation> = names
        .iter()
        .map(|name| Notation::of(best.iter().filter_map(|trial| trial.params.get(name))))
        .collect();
    let header: Vec<String> = ["Trial".to_owned(), escape(&analysis.metric), "Weights".to_owned()]
        .into_iter()
        .chain(names.iter().map(|name| escape(name)))
        .collect();
    text.table(
        &header,
        best.iter().map(|trial| {
            let mut cells = vec![
                trial.number.to_string(),
                decimals(trial.value.point),
                trial.size.map_or_else(|| UNKNOWN.into(), |size| size.to_string()),
            ];
            cells.extend(names.iter().zip(&notations).map(|(name, notation)| {
                trial.params.get(name).map_or_else(|| "N/A".into(), |value| escape(&notation.write(value)))
            }));
            cells
        }),
    );
}

fn effort(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    if study.best_of.len() < 2 {
        return;
    }
    text.heading(2, format_args!("Search Effort"));
    let left_out = if study.summary.counts.infeasible > 0 {
        " Trials that break a constraint are left out."
    } else {
        ""
    };
    text.line(format_args!(
        "*Expected best* is the best {} of k trials drawn at random from these; *best so far* is the best of \
         the first k trials in their order. If the sampler learns from earlier trials, read *best so \
         far*.{left_out}",
        escape(&analysis.metric)
    ));
    text.blank();
    let level = analysis.options.level * 100.0;
    text.table(
        &["k", "Expected best", &format!("{level:.0}% interval"), "Best so far"],
        study.best_of.iter().map(|best| {
            let mark = if best.support == Support::Thin { " (thin)" } else { "" };
            vec![
                best.k.to_string(),
                format!("{}{mark}", decimals(best.expected.point)),
                interval(best.expected.interval),
                decimals(best.incumbent),
            ]
        }),
    );
    text.blank();
    text.line(format_args!(
        "Trials are distinct evaluations. Thin: k is more than a tenth of their number, so the result \
         depends on a few of the best trials, and the interval may cover less than its level."
    ));
}

fn coverage(text: &mut Text, study: &StudyAnalysis) {
    if study.coverage.is_empty() {
        return;
    }
    text.heading(2, format_args!("Coverage Matrices"));
    text.line(format_args!("(Count of trials testing each combination)"));
    for coverage in &study.coverage {
        matrix(text, coverage);
    }
    space(text, study);
}

fn space(text: &mut Text, study: &StudyAnalysis) {
    let space = &study.space_coverage;
    text.heading(3, format_args!("The space as a whole"));
    text.line(format_args!(
        "- Combinations of two values, over all pairs of parameters: {} of {} tried",
        space.pairs_tried, space.pairs
    ));
    if let Some((discrepancy, at_random)) = space.discrepancy.zip(space.discrepancy_at_random) {
        text.line(format_args!(
            "- Centred discrepancy: {discrepancy:.4} ({at_random:.4} expected for random points; smaller is \
             more even)"
        ));
    }
    for pair in &space.confounded {
        text.line(format_args!(
            "- Confounded: {} with {} (Cramer's V {:.2}, p (Holm) {})",
            escape(&pair.first),
            escape(&pair.second),
            pair.cramers_v,
            known_p(Some(pair.p_holm))
        ));
    }
}

fn matrix(text: &mut Text, coverage: &Coverage) {
    let (row, column) = (escape(&coverage.row_parameter), escape(&coverage.column_parameter));
    text.heading(3, format_args!("{row} × {column}"));
    let name = |step_: &Step| escape(&step(&step_.value, step_.upper.as_ref()));
    let header: Vec<String> = [row].into_iter().chain(coverage.columns.iter().map(name)).collect();
    text.table(
        &header,
        coverage.rows.iter().zip(&coverage.counts).map(|(row, counts)| {
            [name(row)].into_iter().chain(counts.iter().map(ToString::to_string)).collect()
        }),
    );
    let cells = coverage.rows.len() * coverage.columns.len();
    text.blank();
    text.line(format_args!(
        "{} of {cells} combinations were tried ({} are empty; {:.1} expected if trials fell on them at \
         random). The largest count is {}; the effective number of combinations is {:.1}. Cramer's V, \
         corrected: {} (0: varied independently; 1: one determines the other).",
        cells as u64 - coverage.empty_cells,
        coverage.empty_cells,
        coverage.empty_by_chance,
        coverage.largest_cell,
        coverage.effective_cells,
        coverage.cramers_v.map_or_else(|| UNKNOWN.into(), |v| format!("{v:.2}"))
    ));
}
