//! The part about one budget.

use allometry_analysis::collapse::{self, NaiveOutcome};
use allometry_analysis::coverage;
use allometry_analysis::importance;
use allometry_analysis::input::LadderTrials;
use allometry_analysis::level::{Level, levels};
use allometry_analysis::stats::moments::{mean, sample_sd};
use allometry_analysis::trend::{self, LevelMean};
use allometry_core::python;

use super::{ClassicStudy, PARAMETERS, decimals};
use crate::text::Text;

/// The only parameter without a trend.
const NO_TREND: &str = "d_ff_ratio";

/// The pairs of parameters whose combinations are counted.
const PAIRS: [(&str, &str); 3] =
    [("d_model", "n_layers"), ("d_model", "n_heads"), ("learning_rate", "dropout")];

/// The width of a full bar in characters: one for each 2% of the variance.
const BAR: usize = 50;

pub(super) fn render(text: &mut Text, study: &ClassicStudy<'_>, ladder: &LadderTrials) {
    let tag = ladder.tag.as_ref().map(|tag| format!(" ({tag})")).unwrap_or_default();
    text.heading(1, format_args!("HPO Analysis: {}{tag}", study.label));
    summary(text, study, ladder.metric());
    if study.sample.values.is_empty() {
        return;
    }
    let parameters: Vec<(&str, Vec<Level>)> = PARAMETERS
        .iter()
        .map(|&name| (name, levels(&study.sample, name)))
        .filter(|(_, levels)| !levels.is_empty())
        .collect();
    probability_collapse(text, study);
    parameter_importance(text, study, &parameters, ladder.metric());
    parameter_trends(text, study, &parameters, ladder.metric());
    coverage_matrices(text, &parameters);
}

fn summary(text: &mut Text, study: &ClassicStudy<'_>, metric: &str) {
    let values = &study.sample.values;
    text.line(format_args!("## Summary Statistics"));
    text.blank();
    text.line(format_args!("- Total trials: {}", values.len()));
    text.line(format_args!("- Best {metric}: {}", decimals(study.best_value())));
    text.line(format_args!("- Mean {metric}: {}", decimals(mean(values.iter().copied()))));
    text.line(format_args!("- Std {metric}: {}", decimals(sample_sd(values.iter().copied()))));
    if let Some(params) = study.best_params {
        text.blank();
        text.line(format_args!("**Best Configuration:**"));
        for (name, value) in params.iter() {
            text.line(format_args!("  - {name}: {value}"));
        }
    }
}

fn probability_collapse(text: &mut Text, study: &ClassicStudy<'_>) {
    text.heading(2, format_args!("Probability Collapse Analysis"));
    let collapse = collapse::naive(&study.sample);
    if collapse.outcome != NaiveOutcome::Collapsed {
        text.line(format_args!("No probability collapse detected."));
        return;
    }
    text.line(format_args!("**WARNING: Probability collapse detected!**"));
    text.blank();
    if let Some(range) = collapse.range {
        text.line(format_args!("- Mean prediction range: {range:.4}"));
    }
    if let Some(share) = collapse.zero_recall {
        text.line(format_args!("- Trials with zero recall: {:.1}%", share * 100.0));
    }
}

fn parameter_importance(
    text: &mut Text,
    study: &ClassicStudy<'_>,
    parameters: &[(&str, Vec<Level>)],
    metric: &str,
) {
    text.heading(2, format_args!("Parameter Importance"));
    text.line(format_args!("(Fraction of {metric} variance explained by each parameter)"));
    text.blank();
    let mut ranked: Vec<(&str, f64)> = parameters
        .iter()
        .map(|(name, levels)| (*name, python::round(importance::naive(&study.sample.values, levels), 4)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (name, share) in ranked {
        let bar = "#".repeat((share * BAR as f64) as usize);
        text.line(format_args!("  {name:<15} | {bar:<BAR$} | {share:.4}"));
    }
}

fn parameter_trends(
    text: &mut Text,
    study: &ClassicStudy<'_>,
    parameters: &[(&str, Vec<Level>)],
    metric: &str,
) {
    text.heading(2, format_args!("Parameter Trends"));
    for (name, levels) in parameters.iter().filter(|(name, _)| *name != NO_TREND) {
        let summaries = trend::summarize(&study.sample.values, levels);
        let Some(naive) = trend::naive(&summaries, study.sample.direction) else { continue };
        let extreme = |label: &str, level: &LevelMean| {
            let rounded = python::float_repr(python::round(level.mean, 4));
            format!("- {label} value: {} (mean {metric}: {rounded})", level.value)
        };
        text.heading(3, format_args!("{name}"));
        text.line(format_args!("- Trend: **{}**", naive.direction.as_str()));
        text.line(format_args!("{}", extreme("Best", &naive.best)));
        text.line(format_args!("{}", extreme("Worst", &naive.worst)));
        text.blank();
        text.line(format_args!("| Value | Mean {metric} | Std | Count |"));
        text.line(format_args!("|-------|{}|-----|-------|", "-".repeat(metric.chars().count() + 7)));
        for level in &summaries {
            text.line(format_args!(
                "| {} | {:.4} | {:.4} | {} |",
                level.value, level.mean, level.sd, level.count
            ));
        }
    }
}

fn coverage_matrices(text: &mut Text, parameters: &[(&str, Vec<Level>)]) {
    text.heading(2, format_args!("Coverage Matrices"));
    text.line(format_args!("(Count of trials testing each combination)"));
    let find = |wanted| parameters.iter().find(|(name, _)| *name == wanted).map(|(_, levels)| levels);
    for (row_name, column_name) in PAIRS {
        let (Some(rows), Some(columns)) = (find(row_name), find(column_name)) else { continue };
        text.heading(3, format_args!("{row_name} × {column_name}"));
        let header = [row_name.to_owned()].into_iter();
        text.row(header.chain(columns.iter().map(|level| level.value.to_string())));
        text.row(vec!["---"; columns.len() + 1]);
        for (row, counts) in rows.iter().zip(coverage::count(rows, columns)) {
            let cells = [row.value.to_string()].into_iter();
            text.row(cells.chain(counts.iter().map(ToString::to_string)));
        }
    }
}
