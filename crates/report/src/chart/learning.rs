//! Learning curves.

use allometry_analysis::sample::Sample;
use allometry_analysis::{Analysis, StudyTrials};
use allometry_core::is_usable;

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::{Scale, TickFormat};
use super::{budget_class, shown};
use crate::number::decimals;

/// The largest number of curves that are drawn; more trials are subsampled at an even stride.
const MOST: usize = 150;

/// A metric by epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The name of the curve.
    pub label: String,
    /// Pairs of an epoch and a value, in the order of epochs. Values that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

/// What is drawn behind curves, to compare them with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Behind {
    /// Points of other curves; of more than 150 an even subsample is drawn.
    pub curves: Vec<Vec<(f64, f64)>>,
    /// The values below which a pruner stops a trial, or above which if smaller is better.
    pub threshold: Vec<(f64, f64)>,
}

/// Draws a few curves in one panel, each with its own colour.
pub fn curves_figure(id: &str, title: &str, metric: &str, curves: &[Curve]) -> Option<Figure> {
    curves_figure_over(id, title, metric, curves, &Behind::default())
}

/// Draws the figure of [`curves_figure`] over other curves and the threshold of a pruner.
pub fn curves_figure_over(
    id: &str,
    title: &str,
    metric: &str,
    curves: &[Curve],
    behind: &Behind,
) -> Option<Figure> {
    curves.iter().flat_map(|curve| usable(&curve.points)).next()?;
    let every = behind.curves.len().div_ceil(MOST).max(1);
    let others: Vec<Vec<(f64, f64)>> =
        behind.curves.iter().step_by(every).map(|points| usable(points).collect()).collect();
    let drawn = || curves.iter().map(|curve| &curve.points).chain(&others).chain([&behind.threshold]);
    let points = || drawn().flat_map(|points| usable(points));
    let x = Axis::new("epoch", Scale::linear(points().map(|point| point.0))).format(TickFormat::Count);
    let y = Axis::new(shown(metric), Scale::linear(points().map(|point| point.1)));
    let mut panel = Panel::new("", x, y, (WIDTH, 280.0));
    panel.zoom = Zoom::Offered;
    let mut figure = Figure::new(id, title, Vec::new());
    if !others.is_empty() {
        panel.layers.push(Layer::Lines { class: "thin soft".into(), lines: others });
        figure.entry("small soft", "finished trials");
    }
    if !behind.threshold.is_empty() {
        let tip = "threshold of the pruner".to_owned();
        figure.entry("small bad", &*tip);
        panel.layers.push(Layer::Line { class: "bad dash-1".into(), at: behind.threshold.clone(), tip });
    }
    for (position, curve) in curves.iter().enumerate() {
        let at: Vec<(f64, f64)> = usable(&curve.points).collect();
        if at.len() == 1 {
            panel.layers.push(Layer::Mark {
                class: format!("small {}", budget_class(position)),
                at: at[0],
                tip: shown(&curve.label),
            });
        }
        panel.layers.push(Layer::Line { class: super::budget_line(position), at, tip: shown(&curve.label) });
        figure.entry(format!("small {}", budget_class(position)), shown(&curve.label));
    }
    figure.panels.push(panel);
    figure.describe(
        curves
            .iter()
            .filter_map(|curve| Some((curve, usable(&curve.points).last()?)))
            .map(|(curve, (epoch, value))| format!("{}: {} at epoch {epoch}.", curve.label, decimals(value))),
    );
    Some(figure)
}

fn usable(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().copied().filter(|(_, value)| is_usable(*value))
}

/// Draws the intermediate values of a study's trials, with those of the best trial in a stronger colour.
pub(super) fn figure(study: &StudyTrials, position: usize, analysis: &Analysis) -> Option<Figure> {
    let curve = |trial: &allometry_core::FrozenTrial| -> Vec<(f64, f64)> {
        let points = trial.intermediate.iter().map(|(step, value)| (*step as f64, *value));
        points.filter(|(_, value)| is_usable(*value)).collect()
    };
    let sample = Sample::new(study, analysis.direction);
    let best = sample.best().map(|best| sample.trials[best].number);
    let curves: Vec<_> = study
        .trials
        .iter()
        .map(|trial| (trial.number, curve(trial)))
        .filter(|(_, curve)| curve.len() > 1)
        .collect();
    if curves.is_empty() {
        return None;
    }
    let every = curves.len().div_ceil(MOST);
    let points = || curves.iter().flat_map(|(_, curve)| curve);
    let step = crate::words::step(analysis);
    let x = Axis::new(step, Scale::linear(points().map(|point| point.0))).format(TickFormat::Count);
    let y = Axis::new(shown(&analysis.metric), Scale::linear(points().map(|point| point.1)));
    let mut panel = Panel::new("", x, y, (WIDTH, 300.0));
    panel.zoom = Zoom::Offered;
    let drawn: Vec<Vec<(f64, f64)>> = curves.iter().step_by(every).map(|(_, curve)| curve.clone()).collect();
    let mut figure = Figure::new(
        format!("learning-{position}"),
        format!("{}: learning curves", shown(&study.budget.label)),
        Vec::new(),
    );
    figure.entry(format!("small {}", budget_class(position)), "trials");
    figure.alt = format!("{} trials have curves.", curves.len());
    let count = drawn.len();
    panel.layers.push(Layer::Lines { class: format!("thin {}", budget_class(position)), lines: drawn });
    if let Some((number, curve)) = curves.iter().find(|(number, _)| Some(*number) == best) {
        figure.entry("small ink", format!("best trial, {number}"));
        let peak =
            curve.iter().copied().reduce(|a, b| if analysis.direction.better(b.1, a.1) { b } else { a });
        panel.layers.push(Layer::Line {
            class: "ink".into(),
            at: curve.clone(),
            tip: format!("trial {number}"),
        });
        if let Some(at) = peak {
            panel.layers.push(Layer::Mark {
                class: "best small".into(),
                at,
                tip: format!("trial {number}, {step} {}: {}", at.0, decimals(at.1)),
            });
            figure.alt = format!(
                "{} The best, trial {number}, peaks at {} in {step} {}.",
                figure.alt,
                decimals(at.1),
                at.0
            );
        }
    }
    figure.panels.push(panel);
    let some = if count < curves.len() {
        format!(" {count} of {} trials are drawn.", curves.len())
    } else {
        String::new()
    };
    let caption = if analysis.per_era.is_some() {
        "The metric on the era of each fold. Folds that are better or worse for all trials are eras that are \
         easier or harder to predict."
    } else {
        "The metric on the validation rows after each epoch. If a curve still improves at its end, training \
         stopped too early; if it gets worse, the model overfitted."
    };
    figure.caption = format!("{caption}{some}");
    Some(figure)
}
