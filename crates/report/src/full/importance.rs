//! How much of the metric goes with each parameter of a budget.

use allometry_analysis::importance::Importance;
use allometry_analysis::model::Coding;
use allometry_analysis::{Analysis, Interval, StudyAnalysis};

use super::space_importance;
use crate::markdown::escape;
use crate::number::{UNKNOWN, decimals, known_p, percent, signed3};
use crate::text::Text;
use crate::words;

/// Width of the bars in characters: one for each 2% of the variance.
const BAR: f64 = 50.0;

pub(super) fn render(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    text.heading(2, format_args!("Parameter Importance"));
    let model = &study.importance_model;
    text.line(format_args!("**{}**", escape(&words::importance(model))));
    text.blank();
    shares(text, study, analysis);
    tests(text, study, analysis);
    basis(text, study);
    space_importance::render(text, study);
    naive(text, study, analysis);
}

fn shares(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    let model = &study.importance_model;
    let Some(r_squared) = model.r_squared else { return };
    let level = analysis.options.level * 100.0;
    text.line(format_args!(
        "Shares of the variance of {} that add up to what all parameters take up together ({} of it, {} \
         corrected for the number of coefficients):",
        escape(&analysis.metric),
        percent(r_squared),
        model.adjusted_r_squared.map_or_else(|| UNKNOWN.into(), percent),
    ));
    text.blank();
    let mut sorted: Vec<&Importance> = study.importance.iter().filter(|one| one.share.is_some()).collect();
    sorted.sort_by(|a, b| share(b).total_cmp(&share(a)));
    text.table(
        &["Parameter", "Share", &format!("{level:.0}% interval"), "By chance", "As a bar of 50"],
        sorted.iter().map(|importance| {
            let bar = "#".repeat((share(importance).max(0.0) * BAR) as usize);
            let interval = importance.share.and_then(|share| share.interval);
            vec![
                escape(&importance.parameter),
                percent(share(importance)),
                interval.map_or_else(
                    || UNKNOWN.into(),
                    |Interval { lower, upper }| format!("{} to {}", percent(lower), percent(upper)),
                ),
                importance.share_by_chance.map_or_else(|| UNKNOWN.into(), percent),
                if bar.is_empty() { String::new() } else { format!("`{bar}`") },
            ]
        }),
    );
    text.blank();
}

fn share(importance: &Importance) -> f64 {
    importance.share.map_or(0.0, |share| share.point)
}

fn tests(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    let level = analysis.options.level * 100.0;
    text.line(format_args!(
        "Is there an effect? *Adjusted* holds the other parameters fixed; *alone* does not, and finds \
         effects that belong to others."
    ));
    text.blank();
    text.table(
        &[
            "Parameter",
            "Adjusted share (ω²)",
            &format!("{level:.0}% interval"),
            "F",
            "df",
            "p",
            "p (Holm)",
            "Alone (ω²)",
            "p alone (BH)",
        ],
        study.importance.iter().map(|importance| {
            let adjusted = importance.adjusted;
            let partial = adjusted.and_then(|effect| effect.partial_omega_squared);
            let number = |x: Option<f64>| x.map_or_else(|| UNKNOWN.into(), signed3);
            vec![
                escape(&importance.parameter),
                number(partial.map(|share| share.point)),
                partial.and_then(|share| share.interval).map_or_else(
                    || UNKNOWN.into(),
                    |Interval { lower, upper }| format!("{lower:.3} to {upper:.3}"),
                ),
                adjusted.and_then(|effect| effect.f).map_or_else(|| UNKNOWN.into(), |f| format!("{f:.2}")),
                adjusted.map_or_else(|| UNKNOWN.into(), |effect| effect.freedom.to_string()),
                known_p(adjusted.and_then(|effect| effect.p)),
                known_p(adjusted.and_then(|effect| effect.p_holm)),
                number(importance.omega_squared),
                known_p(importance.p_permutation_adjusted),
            ]
        }),
    );
}

fn basis(text: &mut Text, study: &StudyAnalysis) {
    let model = &study.importance_model;
    let mut notes = Vec::new();
    if model.coding == Some(Coding::Scores) {
        notes.push(
            "There are too few evaluations for an effect of each value: ordered parameters have one slope \
             each."
                .to_owned(),
        );
    }
    if !model.aliased.is_empty() {
        notes.push(format!("Partly determined by other parameters: {}.", escape(&model.aliased.join(", "))));
    }
    if !model.left_out.is_empty() {
        notes.push(format!("Left out for their many values: {}.", escape(&model.left_out.join(", "))));
    }
    notes.push(match model.noise_ceiling {
        Some(ceiling) => {
            format!(
                "Repeats of one configuration differ, so that no model can take up more than {}.",
                percent(ceiling)
            )
        }
        None => "How much any model could take up is unknown: no configuration was repeated with a \
                 different result."
            .to_owned(),
    });
    text.blank();
    text.line(format_args!("{}", notes.join(" ")));
}

fn naive(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    text.heading(3, format_args!("Naive importance"));
    let sum: f64 = study.importance.iter().map(|importance| importance.naive).sum();
    text.line(format_args!(
        "The classic report's figures for {}, one parameter at a time. They add up to {sum:.2}: they are \
         no shares of a whole, and by chance alone each is about what its column says.",
        escape(&analysis.metric)
    ));
    text.blank();
    text.table(
        &["Parameter", "Values", "Naive", "Naive by chance", "Corrected (ε²)", "Naive, as a bar of 50"],
        study.importance.iter().map(|importance| {
            let bar = "#".repeat((importance.naive * BAR) as usize);
            vec![
                escape(&importance.parameter),
                importance.values.to_string(),
                decimals(importance.naive),
                decimals(importance.naive_by_chance),
                importance.epsilon_squared.map_or_else(|| UNKNOWN.into(), signed3),
                if bar.is_empty() { String::new() } else { format!("`{bar}`") },
            ]
        }),
    );
}
