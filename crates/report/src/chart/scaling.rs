//! The metric by exact weights.

use allometry_analysis::sample::Sample;
use allometry_analysis::scaling::SizeOrder;
use allometry_analysis::{Analysis, Estimate, LadderTrials};
use allometry_core::human_weights;

use super::figure::Figure;
use super::panel::{Anchor, Axis, Layer, Panel, WIDTH, Zoom};
use super::parameter::jitter;
use super::scale::{Scale, TickFormat};
use super::{budget_class, shown};
use crate::number::{decimals, interval};

/// The part of the distance between budgets over which dots are spread, if exact sizes are not known.
const SPREAD: f64 = 0.5;

/// Draws every trial, the best trials with their intervals, the trend, and the sizes in the labels.
pub(super) fn figure(analysis: &Analysis, ladder: &LadderTrials) -> Option<Figure> {
    let points = &analysis.scaling.points;
    if points.is_empty() {
        return None;
    }
    let exact = analysis.scaling.order == SizeOrder::Exact;
    let dots: Vec<Vec<(f64, f64)>> = ladder
        .studies
        .iter()
        .enumerate()
        .map(|(position, study)| {
            let sample = Sample::new(study, ladder.direction());
            let pairs = sample.trials.iter().zip(&sample.values);
            pairs
                .filter_map(|(trial, value)| {
                    let x = if exact {
                        trial.record.size?.total as f64
                    } else {
                        position as f64 + SPREAD * jitter(trial.number)
                    };
                    Some((x, *value))
                })
                .collect()
        })
        .collect();
    let nominal = || analysis.studies.iter().filter_map(|study| study.sizes.nominal).filter(|_| exact);
    let x = if exact {
        Axis::new(
            "exact weights of the model",
            Scale::log(dots.iter().flatten().map(|dot| dot.0).chain(nominal())),
        )
        .format(TickFormat::Weights)
        .of("size")
    } else {
        let labels = analysis.studies.iter().map(|study| study.budget.label.clone()).collect();
        Axis::new("budget, as labelled", Scale::Places(labels))
    };
    let ends = points.iter().filter_map(|point| point.best.interval).flat_map(|i| [i.lower, i.upper]);
    let values = dots.iter().flatten().map(|dot| dot.1);
    let y = Axis::new(shown(&analysis.metric), Scale::linear(values.chain(ends))).of("value");
    let mut panel = Panel::new("", x, y, (WIDTH, 330.0));
    panel.zoom = Zoom::Offered;
    if exact {
        trend(&mut panel, analysis);
    }
    for (position, dots) in dots.into_iter().enumerate() {
        panel.layers.push(Layer::Points { class: format!("faint {}", budget_class(position)), at: dots });
    }
    let title = if exact { "The metric over exact sizes" } else { "The metric over the budgets" };
    let mut figure = Figure::new("scaling", title, Vec::new());
    for (position, study) in analysis.studies.iter().enumerate() {
        let label = &study.budget.label;
        let Some(point) = points.iter().find(|point| point.budget == *label) else { continue };
        figure.entry(budget_class(position), shown(label));
        let x = match (exact, point.size) {
            (true, Some(size)) => size.total as f64,
            _ => position as f64,
        };
        best(&mut panel, analysis, &budget_class(position), x, point);
    }
    if exact {
        nominal_ticks(&mut panel, analysis);
    }
    figure.entry("best small", "best trial");
    if analysis.scaling.resampled.as_ref().is_some_and(|resampled| !resampled.corrected.is_empty()) {
        figure.entry("hollow", "corrected best");
    }
    figure.panels.push(panel);
    figure.caption = format!(
        "{}. Dots are trials, with one colour per budget; large dots are the best trials{}{}.",
        analysis.verdict.outcome.as_str(),
        if points.iter().any(|point| point.best.interval.is_some()) {
            format!(" with their {:.0}% intervals", analysis.options.level * 100.0)
        } else {
            String::new()
        },
        if exact {
            "; triangles at the bottom mark the sizes in the labels"
        } else {
            "; exact sizes are not known"
        }
    );
    if exact && analysis.scaling.trend.is_some() {
        figure.caption.push_str(
            " The dashed line has the slope of the compared values of the searches; the grey band is its \
             interval.",
        );
    }
    figure.describe(points.iter().map(|point| {
        let size = point.size.map_or_else(String::new, |size| format!(" with {size} weights"));
        format!(
            "{}: best {}{size}, interval {}.",
            point.budget,
            decimals(point.best.point),
            interval(point.best.interval)
        )
    }));
    Some(figure)
}

fn best(
    panel: &mut Panel,
    analysis: &Analysis,
    class: &str,
    x: f64,
    point: &allometry_analysis::scaling::ScalingPoint,
) {
    let tip =
        format!("{}: best {} ({})", point.budget, decimals(point.best.point), interval(point.best.interval));
    if let Some(ends) = point.best.interval {
        let (from, to) = ((x, ends.lower), (x, ends.upper));
        panel.layers.push(Layer::segment(class, from, to, tip.clone()));
    }
    panel.layers.push(Layer::Mark { class: "best".into(), at: (x, point.best.point), tip: tip.clone() });
    panel.layers.push(Layer::Mark { class: format!("small {class}"), at: (x, point.best.point), tip });
    let corrected = analysis.scaling.resampled.iter().flat_map(|resampled| &resampled.corrected);
    for corrected in corrected.filter(|corrected| corrected.budget == point.budget) {
        let tip = format!("{}: corrected best {}", point.budget, decimals(corrected.best.point));
        panel.layers.push(Layer::Mark { class: "hollow".into(), at: (x, corrected.best.point), tip });
    }
    panel.layers.push(Layer::Words {
        at: (x, point.best.point),
        text: shown(&point.budget),
        anchor: Anchor::Middle,
    });
}

/// Returns the gain per tenfold weights of the searches' test, which the figure shows; `None` without one.
fn slope(analysis: &Analysis) -> Option<Estimate> {
    let judgement = analysis.scaling.judgement.as_ref().filter(|judgement| judgement.is_per_decade)?;
    Some(judgement.slope)
}

/// Draws the line through the compared values, and the band of lines within the interval of its slope:
/// that of the test or, without one, with sizes as units.
fn trend(panel: &mut Panel, analysis: &Analysis) {
    let Some(trend) = &analysis.scaling.trend else { return };
    let Some(center) = trend.center else { return };
    let sign = analysis.direction.sign();
    let (low, high) = (trend.smallest as f64, trend.largest as f64);
    let at = |weights: f64, slope: f64| center.value + sign * slope * (weights / center.weights).log10();
    let places = || (0..=24).map(|step| low * (high / low).powf(f64::from(step) / 24.0));
    let gain = slope(analysis).unwrap_or(trend.gain_per_decade);
    if let Some(slope) = gain.interval {
        let band = places().map(|x| {
            let (a, b) = (at(x, slope.lower), at(x, slope.upper));
            (x, a.min(b), a.max(b))
        });
        panel.layers.push(Layer::Band { class: "soft".into(), at: band.collect() });
    }
    let tip =
        format!("trend of the compared values: {} per tenfold weights", crate::number::signed(gain.point));
    let line = [low, high].map(|x| (x, at(x, gain.point)));
    panel.layers.push(Layer::Line { class: "guide".into(), at: line.to_vec(), tip });
}

fn nominal_ticks(panel: &mut Panel, analysis: &Analysis) {
    let (bottom, top) = panel.y.scale.ends();
    let height = (top - bottom) * 0.03;
    for (position, study) in analysis.studies.iter().enumerate() {
        let Some(nominal) = study.sizes.nominal else { continue };
        let tip = format!("the label {} says {} weights", study.budget.label, human_weights(nominal));
        let (left, right) = (nominal / 1.06, nominal * 1.06);
        let at = vec![(left, bottom), (nominal, bottom + height), (right, bottom), (left, bottom)];
        panel.layers.push(Layer::Line { class: budget_class(position), at, tip });
    }
}
