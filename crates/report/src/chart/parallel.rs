//! Whole configurations in parallel coordinates.

use allometry_analysis::sample::Sample;
use allometry_analysis::{Analysis, StudyAnalysis, StudyTrials};

use super::figure::Figure;
use super::label::cut;
use super::panel::{Anchor, Axis, Layer, Panel, WIDTH};
use super::parameter::ParameterAxis;
use super::scale::{Scale, TickFormat};
use super::{budget_class, shown};

/// The largest number of parameters that are shown, the most important.
const MOST: usize = 14;
/// The largest number of lines. Of more trials, the best ones are a tenth as many lines, over ribbons of all.
const MOST_LINES: usize = 400;
/// The parts of the trials outside each end of a ribbon.
const RIBBONS: [f64; 2] = [0.05, 0.25];

/// The largest number of names along an axis, which have room above each other.
const MOST_NAMES: usize = 20;

/// Draws parallel coordinates: one line per trial through its values, the best tenth in a stronger colour.
pub(super) fn figure(
    study: &StudyAnalysis,
    trials: &StudyTrials,
    position: usize,
    analysis: &Analysis,
) -> Option<Figure> {
    let sample = Sample::new(trials, analysis.direction);
    let axes: Vec<(&str, ParameterAxis)> = study
        .importance
        .iter()
        .take(MOST)
        .filter_map(|one| Some((one.parameter.as_str(), ParameterAxis::new(trials, &one.parameter)?)))
        .collect();
    if sample.values.len() < 2 || axes.is_empty() {
        return None;
    }
    let values = Scale::linear(sample.values.iter().copied());
    let mut names: Vec<String> = axes.iter().map(|(name, _)| cut(name, 16)).collect();
    names.push(cut(&analysis.metric, 16));
    let last = names.len() - 1;
    let width = 120.0 + last as f64 * 105.0;
    let blank = Axis::new("", Scale::Places(names));
    let mut panel = Panel::new(
        "",
        blank,
        Axis::new("", Scale::Linear { low: -0.06, high: 1.06 }),
        (width.max(WIDTH), 340.0),
    );
    panel.study = Some(position);
    let mut order: Vec<usize> = (0..sample.values.len()).collect();
    order.sort_by(|a, b| sample.values[*b].total_cmp(&sample.values[*a]).then(a.cmp(b)));
    if analysis.direction == allometry_core::Direction::Minimize {
        order.reverse();
    }
    let tenth = order.len().div_ceil(10);
    let drawn = thinned(&order);
    let line = |trial: usize| -> Vec<(f64, f64)> {
        let params = axes.iter().enumerate().filter_map(|(place, (name, axis))| {
            Some((place as f64, axis.scale.unit(axis.of(sample.trials[trial], name)?)))
        });
        params.chain([(last as f64, values.unit(sample.values[trial]))]).collect()
    };
    let is_crowded = order.len() > MOST_LINES;
    let (best, others): (Vec<&usize>, Vec<&usize>) =
        drawn.iter().partition(|trial| order[..tenth].contains(trial));
    if is_crowded {
        let lines: Vec<Vec<(f64, f64)>> = order.iter().map(|trial| line(*trial)).collect();
        for tail in RIBBONS {
            panel.layers.push(Layer::Band { class: "soft".into(), at: ribbon(&lines, last, tail) });
        }
    } else {
        let lines = others.into_iter().map(|trial| line(*trial)).collect();
        panel.layers.push(Layer::Lines { class: "thin soft".into(), lines });
    }
    panel.layers.push(Layer::Lines {
        class: budget_class(position),
        lines: best.into_iter().map(|trial| line(*trial)).collect(),
    });
    let mut is_thinned = false;
    for (place, scale) in axes.iter().map(|(_, axis)| &axis.scale).chain([&values]).enumerate() {
        let x = place as f64;
        panel.layers.push(Layer::segment("ruler", (x, 0.0), (x, 1.0), ""));
        let ticks = scale.ticks(4, TickFormat::Number);
        let step = ticks.len().div_ceil(MOST_NAMES).max(1);
        is_thinned |= step > 1;
        for tick in ticks.into_iter().step_by(step) {
            let text = cut(&tick.label, 10);
            panel.layers.push(Layer::Words { at: (x, scale.unit(tick.at)), text, anchor: Anchor::Start });
        }
    }
    let described =
        axes.iter().map(|(name, axis)| Axis::new(*name, axis.scale.clone()).of(format!("param:{name}")));
    panel.axes = described.chain([Axis::new(analysis.metric.clone(), values.clone()).of("value")]).collect();
    let mut figure = Figure::new(
        format!("parallel-{position}"),
        format!("{}: whole configurations", shown(&study.budget.label)),
        vec![panel],
    );
    figure.entry(format!("small {}", budget_class(position)), "best tenth");
    figure.entry("small soft", if is_crowded { "all trials" } else { "others" });
    let thinned = if is_crowded {
        format!(
            " The ribbons hold half and nine tenths of all {} trials at each axis; lines are the best {}.",
            order.len(),
            MOST_LINES / 10
        )
    } else {
        String::new()
    };
    let unnamed =
        if is_thinned { " Of more than 20 names along an axis, some at even steps are written." } else { "" };
    figure.caption = format!(
        "Each line is a trial. On a page, drag along an axis to keep only the trials in that range, also in \
         the table of trials.{thinned}{unnamed}"
    );
    figure.alt = format!("{} trials over {} parameters and {}.", order.len(), axes.len(), analysis.metric);
    Some(figure)
}

/// Returns the trials that are drawn as lines: all, or the best of many.
fn thinned(order: &[usize]) -> &[usize] {
    if order.len() <= MOST_LINES { order } else { &order[..MOST_LINES / 10] }
}

/// Returns the range of the lines at each axis, without a part of them at each end.
fn ribbon(lines: &[Vec<(f64, f64)>], last: usize, tail: f64) -> Vec<(f64, f64, f64)> {
    let at_axis = |axis: usize| {
        let place = axis as f64;
        let mut heights: Vec<f64> =
            lines.iter().flatten().filter(|(x, _)| *x == place).map(|(_, height)| *height).collect();
        heights.sort_by(f64::total_cmp);
        let end =
            |part: f64| heights.get((part * (heights.len().max(1) - 1) as f64).round() as usize).copied();
        Some((place, end(tail)?, end(1.0 - tail)?))
    };
    (0..=last).filter_map(at_axis).collect()
}
