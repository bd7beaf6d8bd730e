//! The part about one budget.

use allometry_analysis::collapse::NaiveOutcome;
use allometry_analysis::coverage::{Coverage, Step};
use allometry_analysis::trend::{LevelSummary, Trend};
use allometry_analysis::{Analysis, StudyAnalysis};
use allometry_core::ParamValue;

use super::{parameters, tag};
use crate::markdown::{code, escape};
use crate::number::{UNKNOWN, decimals, interval, known, percent, share, short, step};
use crate::text::Text;

/// Trials at a value below which its mean is marked.
const FEW: u64 = 5;

/// Width of the bars in characters: one for each 2% of the variance.
const BAR: f64 = 50.0;

pub(super) fn render(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    text.heading(1, format_args!("HPO Analysis: {}{}", escape(&study.budget.label), tag(analysis)));
    statistics(text, study, analysis);
    if study.summary.trials == 0 {
        return;
    }
    configurations(text, study, analysis);
    collapse(text, study);
    importance(text, study, analysis);
    trends(text, study, analysis);
    coverage(text, study);
}

fn statistics(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    let (summary, metric) = (&study.summary, escape(&analysis.metric));
    let counts = summary.counts;
    let others: Vec<String> = [
        (counts.failed, "failed"),
        (counts.pruned, "pruned"),
        (counts.running, "running"),
        (counts.waiting, "waiting"),
        (counts.complete_without_number, "complete without a finite value"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, state)| format!("{count} {state}"))
    .collect();
    let others = if others.is_empty() { String::new() } else { format!(" (and {})", others.join(", ")) };
    text.heading(2, format_args!("Summary Statistics"));
    text.line(format_args!("- Source: {}", code(&study.source)));
    text.line(format_args!("- Total trials: {}{others}", summary.trials));
    let Some(best) = summary.incumbent() else { return };
    let level = best.value.level * 100.0;
    text.line(format_args!(
        "- Best {metric}: {} (trial {}; {level:.0}% interval {})",
        decimals(best.value.point),
        best.number,
        interval(best.value.interval)
    ));
    text.line(format_args!("- Mean {metric}: {}", known(summary.mean)));
    text.line(format_args!("- Std {metric}: {}", known(summary.sd)));
    let duplicates = study.duplicates;
    let repeat_sd = duplicates.repeat_sd.map_or_else(String::new, |sd| {
        format!("; repeats: {}, with a standard deviation of {}", duplicates.repeats, decimals(sd))
    });
    text.line(format_args!("- Distinct configurations: {}{repeat_sd}", duplicates.configurations));
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
    let header: Vec<String> = ["Trial".to_owned(), escape(&analysis.metric), "Weights".to_owned()]
        .into_iter()
        .chain(names.iter().map(|name| escape(name)))
        .collect();
    text.table(
        &header.iter().map(String::as_str).collect::<Vec<_>>(),
        best.iter().map(|trial| {
            let mut cells = vec![
                trial.number.to_string(),
                decimals(trial.value.point),
                trial.size.map_or_else(|| UNKNOWN.into(), |size| size.to_string()),
            ];
            cells.extend(names.iter().map(|name| {
                trial.params.get(name).map_or_else(|| "N/A".into(), |value| escape(&short(value)))
            }));
            cells
        }),
    );
}

fn collapse(text: &mut Text, study: &StudyAnalysis) {
    text.heading(2, format_args!("Probability Collapse Analysis"));
    let collapse = &study.collapse;
    let (naive, kinds) = (collapse.naive, collapse.kinds);
    match naive.outcome {
        NaiveOutcome::Unknown if kinds.unknown == study.summary.trials => {
            text.line(format_args!("Unknown: no trial recorded its predictions."));
            return;
        }
        NaiveOutcome::Unknown => text.line(format_args!("Naive rule: nothing recorded that it looks at.")),
        NaiveOutcome::Collapsed => text.line(format_args!("**Naive rule: probability collapse detected.**")),
        NaiveOutcome::NotCollapsed => {
            text.line(format_args!("Naive rule: no probability collapse detected."));
        }
    }
    text.blank();
    text.line(format_args!("- Mean prediction range: {}", known(naive.range)));
    let zeros = naive.zero_recall.map_or_else(|| UNKNOWN.into(), percent);
    text.line(format_args!("- Trials with zero recall: {zeros}"));
    if let Some(constant) = collapse.constant_share {
        text.line(format_args!("- Models with constant predictions: {}", share(constant)));
    }
    let kinds = [
        (kinds.constant, "constant"),
        (kinds.shrunken, "shrunken (recalibrate)"),
        (kinds.shifted, "shifted"),
        (kinds.healthy, "healthy as far as was recorded"),
        (kinds.unknown, "unknown"),
    ];
    let kinds: Vec<String> =
        kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}")).collect();
    text.line(format_args!("- Trials by kind: {}", kinds.join(", ")));
}

fn importance(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    text.heading(2, format_args!("Parameter Importance"));
    let sum: f64 = study.importance.iter().map(|importance| importance.naive).sum();
    text.line(format_args!(
        "How much of the variance of {} goes with each parameter, one at a time. The naive figures add up to {sum:.2}: they \
         are no shares of a whole, and by chance alone each is about what its column says.",
        escape(&analysis.metric)
    ));
    text.blank();
    text.table(
        &["Parameter", "Values", "Corrected share", "Naive", "Naive by chance", "Naive, as a bar of 50"],
        study.importance.iter().map(|importance| {
            let bar = "#".repeat((importance.naive * BAR) as usize);
            vec![
                escape(&importance.parameter),
                importance.values.to_string(),
                importance.epsilon_squared.map_or_else(|| UNKNOWN.into(), |share| format!("{share:.3}")),
                decimals(importance.naive),
                decimals(importance.naive_by_chance),
                if bar.is_empty() { String::new() } else { format!("`{bar}`") },
            ]
        }),
    );
}

fn trends(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    text.heading(2, format_args!("Parameter Trends"));
    text.line(format_args!(
        "Means by value. The naive word compares the mean at the last value with that at the first, and is no test; values \
         tried fewer than {FEW} times are marked with \\*."
    ));
    if study.duplicates.repeats > 0 {
        text.blank();
        text.line(format_args!(
            "Repeated configurations count as often as they were tried, so that standard errors are too small where trials \
             repeat one."
        ));
    }
    for trend in &study.trends {
        text.heading(3, format_args!("{}", escape(&trend.parameter)));
        one_trend(text, trend, study, analysis);
    }
}

fn one_trend(text: &mut Text, trend: &Trend, study: &StudyAnalysis, analysis: &Analysis) {
    let metric = escape(&analysis.metric);
    let naive = &trend.naive;
    text.line(format_args!("- Naive trend: **{}**", naive.direction.as_str().replace('_', " ")));
    for (word, extreme) in [("Best", &naive.best), ("Worst", &naive.worst)] {
        let value = escape(&short(&extreme.value));
        text.line(format_args!("- {word} value: {value} (mean {metric}: {})", decimals(extreme.mean)));
    }
    text.blank();
    let best = study.summary.incumbent().and_then(|trial| trial.params.get(&trend.parameter));
    text.table(
        &["Value", &format!("Mean {metric}"), "Std. error", "Std", "Count"],
        trend.levels.iter().map(|level| {
            let winner = if best.is_some_and(|best| holds(level, best)) { " (best trial)" } else { "" };
            let error = level.sd / (level.count as f64).sqrt();
            vec![
                format!("{}{winner}", escape(&step(&level.value, level.upper.as_ref()))),
                decimals(level.mean),
                if level.count > 1 { decimals(error) } else { UNKNOWN.into() },
                if level.count > 1 { decimals(level.sd) } else { UNKNOWN.into() },
                format!("{}{}", level.count, if level.count < FEW { " \\*" } else { "" }),
            ]
        }),
    );
}

/// Whether a value is that of a level, or in its range.
fn holds(level: &LevelSummary, value: &ParamValue) -> bool {
    let upper = level.upper.as_ref().unwrap_or(&level.value);
    level.value.total_cmp(value).is_le() && value.total_cmp(upper).is_le()
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
}

fn matrix(text: &mut Text, coverage: &Coverage) {
    let (row, column) = (escape(&coverage.row_parameter), escape(&coverage.column_parameter));
    text.heading(3, format_args!("{row} × {column}"));
    let name = |step_: &Step| escape(&step(&step_.value, step_.upper.as_ref()));
    let header: Vec<String> = [row].into_iter().chain(coverage.columns.iter().map(name)).collect();
    text.table(
        &header.iter().map(String::as_str).collect::<Vec<_>>(),
        coverage.rows.iter().zip(&coverage.counts).map(|(row, counts)| {
            [name(row)].into_iter().chain(counts.iter().map(ToString::to_string)).collect()
        }),
    );
    let cells = coverage.rows.len() * coverage.columns.len();
    text.blank();
    text.line(format_args!(
        "{} of {cells} combinations tried ({} empty; {:.1} would be if trials fell on them at random); the fullest holds {}; \
         evenly filled, the trials would cover {:.1}.",
        cells as u64 - coverage.empty_cells,
        coverage.empty_cells,
        coverage.empty_by_chance,
        coverage.largest_cell,
        coverage.effective_cells
    ));
}
