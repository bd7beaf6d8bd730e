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
/// The largest number of lines. Of more trials, the best ones fill a tenth of the lines; trials at even steps
/// of the rank fill the others.
const MOST_LINES: usize = 400;

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
    let (best, others): (Vec<&usize>, Vec<&usize>) =
        drawn.iter().partition(|trial| order[..tenth].contains(trial));
    for (class, group) in [("thin soft", others), (budget_class(position).as_str(), best)] {
        panel.layers.push(Layer::Lines {
            class: class.into(),
            lines: group.into_iter().map(|trial| line(*trial)).collect(),
        });
    }
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
    figure.entry("small soft", "others");
    let thinned = if drawn.len() < order.len() {
        format!(" {} of {} trials are drawn, at even steps of the rank.", drawn.len(), order.len())
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

/// Returns the best trials, and others at even steps of the rank.
fn thinned(order: &[usize]) -> Vec<usize> {
    if order.len() <= MOST_LINES {
        return order.to_vec();
    }
    let (best, rest) = order.split_at(MOST_LINES / 10);
    let wanted = MOST_LINES - best.len();
    let others = (0..wanted).map(|step| rest[step * rest.len() / wanted]);
    best.iter().copied().chain(others).collect()
}
