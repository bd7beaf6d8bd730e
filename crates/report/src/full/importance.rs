//! The share of each parameter of a budget in the variance of the metric.

use allometry_analysis::importance::Importance;
use allometry_analysis::model::Coding;
use allometry_analysis::{Analysis, Interval, StudyAnalysis};

use super::space_importance;
use crate::markdown::escape;
use crate::number::{UNKNOWN, known_p, percent, signed3};
use crate::text::Text;
use crate::words;

/// The width of a full bar in characters: one for each 2% of the variance.
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
}

fn shares(text: &mut Text, study: &StudyAnalysis, analysis: &Analysis) {
    let model = &study.importance_model;
    let Some(r_squared) = model.r_squared else { return };
    let level = analysis.options.level * 100.0;
    text.line(format_args!(
        "Shares of the variance of {}. They add up to the share that a model of all parameters explains ({}, \
         or {} corrected for the number of coefficients):",
        escape(&analysis.metric),
        percent(r_squared),
        model.adjusted_r_squared.map_or_else(|| UNKNOWN.into(), percent),
    ));
    text.blank();
    let mut sorted: Vec<&Importance> = study.importance.iter().filter(|one| one.share.is_some()).collect();
    sorted.sort_by(|a, b| share(b).total_cmp(&share(a)));
    text.table(
        &["Parameter", "Share", &format!("{level:.0}% interval"), "By chance", "Bar (# is 2%)"],
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
        "Tests of the effects. *Adjusted* holds the other parameters fixed. *Alone* does not, so it may show \
         effects of other parameters."
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
            "There are too few evaluations to estimate an effect of each value, so each ordered parameter \
             has one slope."
                .to_owned(),
        );
    }
    if !model.aliased.is_empty() {
        notes.push(format!("Partly determined by other parameters: {}.", escape(&model.aliased.join(", "))));
    }
    if !model.left_out.is_empty() {
        notes.push(format!(
            "Left out because they have too many values: {}.",
            escape(&model.left_out.join(", "))
        ));
    }
    notes.push(match model.noise_ceiling {
        Some(ceiling) => {
            format!(
                "Repeats of one configuration differ, so no model can explain more than {}.",
                percent(ceiling)
            )
        }
        None => "The share that a model could explain is unknown: no configuration was repeated with a \
                 different result."
            .to_owned(),
    });
    text.blank();
    text.line(format_args!("{}", notes.join(" ")));
}
