//! The course of a search.

use allometry_analysis::sample::Sample;
use allometry_analysis::{Analysis, StudyTrials};
use allometry_core::{FrozenTrial, Standing, TrialState, is_usable};

use super::figure::{Figure, FigureTable};
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::{Scale, TickFormat};
use super::{budget_class, shown};
use crate::number::decimals;

/// The largest number of improvements in the table, which lists the latest.
const MOST_ROWS: usize = 20;

/// Draws the optimization history: every trial by its number, the best value so far, and trials without a
/// value.
pub(super) fn figure(study: &StudyTrials, position: usize, analysis: &Analysis) -> Option<Figure> {
    let sample = Sample::new(study, analysis.direction);
    let last = study.trials.last()?.number.0 as f64;
    let dots = |is_shown: fn(&FrozenTrial) -> bool| -> Vec<(f64, f64)> {
        let trials = study.trials.iter().filter(|trial| is_shown(trial));
        trials.filter_map(|t| Some((t.number.0 as f64, t.value().filter(|v| is_usable(*v))?))).collect()
    };
    let complete = dots(FrozenTrial::is_eligible);
    let infeasible = dots(FrozenTrial::is_infeasible);
    let pruned = dots(|trial| trial.state == TrialState::Pruned);
    let mut incumbent: Vec<(f64, f64)> = Vec::new();
    let mut improvements = Vec::new();
    for (trial, value) in sample.trials.iter().zip(&sample.values) {
        if incumbent.last().is_none_or(|(_, best)| analysis.direction.better(*value, *best)) {
            let x = trial.number.0 as f64;
            incumbent.extend(incumbent.last().map(|(_, best)| (x, *best)));
            incumbent.push((x, *value));
            improvements.push((trial.number, *value));
        }
    }
    incumbent.extend(incumbent.last().map(|(_, best)| (last, *best)));
    let y = Scale::linear(complete.iter().chain(&infeasible).chain(&pruned).map(|dot| dot.1));
    let bottom = y.ends().0;
    let failed: Vec<(f64, f64)> = study
        .trials
        .iter()
        .filter(|trial| trial.standing() == Standing::Of(TrialState::Failed))
        .map(|trial| (trial.number.0 as f64, bottom))
        .collect();
    let x = Axis::new("trial", Scale::Linear { low: -0.5, high: last + 0.5 })
        .format(TickFormat::Count)
        .of("number");
    let mut panel = Panel::new("", x, Axis::new(shown(&analysis.metric), y).of("value"), (WIDTH, 300.0));
    panel.study = Some(position);
    panel.zoom = Zoom::Offered;
    let mut figure = Figure::new(
        format!("history-{position}"),
        format!("{}: history", shown(&study.budget.label)),
        Vec::new(),
    );
    for (class, words, at) in [
        (budget_class(position), "complete", complete),
        ("infeasible".into(), "infeasible", infeasible),
        ("pruned".into(), "pruned", pruned),
        ("bad".into(), "failed", failed),
    ] {
        if !at.is_empty() {
            figure.entry(class.clone(), words);
            panel.layers.push(Layer::Points { class, at });
        }
    }
    if !incumbent.is_empty() {
        figure.entry("ink small", "best so far");
        panel.layers.push(Layer::Line { class: "ink".into(), at: incumbent, tip: "best so far".into() });
    }
    figure.panels.push(panel);
    figure.caption =
        "Each dot is a trial in the order of its start; the line is the best value so far.".into();
    let best = improvements.last().map_or_else(
        || "no best trial".to_owned(),
        |(number, value)| format!("best {} by trial {number}", decimals(*value)),
    );
    figure.alt = format!(
        "{} trials, {best}, after {} improvements.",
        study.trials.len(),
        improvements.len().saturating_sub(1)
    );
    let latest = improvements.iter().skip(improvements.len().saturating_sub(MOST_ROWS));
    figure.table = Some(FigureTable {
        header: vec!["Trial".into(), "Best so far".into()],
        rows: latest.map(|(number, value)| vec![number.to_string(), decimals(*value)]).collect(),
    });
    Some(figure)
}
