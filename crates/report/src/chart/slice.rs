//! The metric by each parameter.

use allometry_analysis::sample::Sample;
use allometry_analysis::{Analysis, StudyAnalysis, StudyTrials};

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, Zoom};
use super::parameter::ParameterAxis;
use super::scale::Scale;
use super::shown;
use crate::number::short;

/// The largest number of parameters that are shown, the most important.
const MOST: usize = 24;

/// Draws one panel per parameter with every trial; early trials are pale.
pub(super) fn figure(
    study: &StudyAnalysis,
    trials: &StudyTrials,
    position: usize,
    analysis: &Analysis,
) -> Option<Figure> {
    let sample = Sample::new(trials, analysis.direction);
    if sample.values.is_empty() {
        return None;
    }
    let y = Scale::linear(sample.values.iter().copied());
    let best = sample.best();
    let mut panels = Vec::new();
    for importance in study.importance.iter().take(MOST) {
        let name = importance.parameter.as_str();
        let Some(axis) = ParameterAxis::new(trials, name) else { continue };
        let x = Axis::new("", axis.scale.clone()).of(format!("param:{name}"));
        let mut panel = Panel::new(name, x, Axis::new("", y.clone()).of("value"), (290.0, 210.0));
        panel.study = Some(position);
        panel.zoom = Zoom::Offered;
        let dots: Vec<Option<(f64, f64)>> = sample
            .trials
            .iter()
            .zip(&sample.values)
            .map(|(trial, value)| Some((axis.of(trial, name)?, *value)))
            .collect();
        let thirds = dots.chunks(dots.len().div_ceil(3).max(1)).zip(["early", "middle", "late"]);
        for (dots, class) in thirds {
            panel
                .layers
                .push(Layer::Points { class: class.into(), at: dots.iter().flatten().copied().collect() });
        }
        if let Some(at) = best.and_then(|best| dots[best]) {
            let tip = format!("best trial, {}", sample.trials[best?].number);
            panel.layers.push(Layer::Mark { class: "best small".into(), at, tip });
        }
        panels.push(panel);
    }
    if panels.is_empty() {
        return None;
    }
    let label = shown(&study.budget.label);
    let mut figure = Figure::new(
        format!("slice-{position}"),
        format!("{label}: {} over each parameter", shown(&analysis.metric)),
        panels,
    );
    figure.columns = 3;
    for (class, words) in [
        ("early", "first third of the trials"),
        ("middle", "second"),
        ("late", "last"),
        ("best small", "best trial"),
    ] {
        figure.entry(class, words);
    }
    figure.caption = "Each panel shows one parameter; an apparent effect may come from another parameter \
                      that varied with it. Late dots gather where a model-based sampler found the best \
                      values."
        .into();
    let params = study.best_params().map(|params| {
        let listed: Vec<String> =
            params.iter().map(|(name, value)| format!("{name} {}", short(value))).collect();
        listed.join(", ")
    });
    figure.alt = format!(
        "Scatter plots of {} trials; the best has {}.",
        sample.values.len(),
        params.unwrap_or_default()
    );
    Some(figure)
}
