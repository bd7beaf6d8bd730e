//! The metric by each parameter.

use allometry_analysis::sample::Sample;
use allometry_analysis::{Analysis, StudyAnalysis, StudyTrials};

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, Zoom};
use super::parameter::{ParameterAxis, jitter};
use super::scale::Scale;
use super::shown;
use crate::number::{decimals, short};

/// The largest number of parameters that are shown, the most important.
const MOST: usize = 24;
/// The part of the distance between named places over which dots are spread.
const SPREAD: f64 = 0.6;
/// The number of trials at a named place from which it has a box.
const FEWEST_IN_BOX: usize = 20;

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
    let mut panels_have_boxes = false;
    for importance in study.importance.iter().take(MOST) {
        let name = importance.parameter.as_str();
        let Some(axis) = ParameterAxis::new(trials, name) else { continue };
        let spread = if axis.names().is_some() { SPREAD } else { 0.0 };
        let x = Axis { spread, ..Axis::new("", axis.scale.clone()).of(format!("param:{name}")) };
        let mut panel = Panel::new(name, x, Axis::new("", y.clone()).of("value"), (290.0, 210.0));
        panel.study = Some(position);
        panel.zoom = Zoom::Offered;
        let dots: Vec<Option<(f64, f64)>> = sample
            .trials
            .iter()
            .zip(&sample.values)
            .map(|(trial, value)| Some((axis.of(trial, name)? + spread * jitter(trial.number), *value)))
            .collect();
        panels_have_boxes |= boxes(&mut panel, &axis, name, &sample);
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
    if panels_have_boxes {
        figure.entry("soft", "box: the middle half of the trials at a value, with the median");
    }
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

/// Draws the quartiles of the values at each named place with many trials. Returns whether there is any.
fn boxes(panel: &mut Panel, axis: &ParameterAxis, name: &str, sample: &Sample<'_>) -> bool {
    let places = axis.names().map_or(0, <[String]>::len);
    let mut is_drawn = false;
    for place in 0..places {
        let at = place as f64;
        let pairs = sample.trials.iter().zip(&sample.values);
        let mut values: Vec<f64> =
            pairs.filter(|(trial, _)| axis.of(trial, name) == Some(at)).map(|(_, value)| *value).collect();
        if values.len() < FEWEST_IN_BOX {
            continue;
        }
        values.sort_by(f64::total_cmp);
        let quartile = |part: usize| values[(values.len() - 1) * part / 4];
        let tip = format!("median {}", decimals(quartile(2)));
        let (left, right) = (at - SPREAD / 2.0 - 0.08, at + SPREAD / 2.0 + 0.08);
        let (from, to) = ((left, quartile(1)), (right, quartile(3)));
        panel.layers.push(Layer::Bar { class: "box soft".into(), from, to, tip: tip.clone() });
        panel.layers.push(Layer::segment("ink", (left, quartile(2)), (right, quartile(2)), tip));
        is_drawn = true;
    }
    is_drawn
}
