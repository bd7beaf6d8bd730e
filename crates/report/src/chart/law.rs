//! Scaling laws: of the runs of a table, and of a ladder.

use allometry_analysis::law::{LawAnalysis, LawAxis, LawPoint};
use allometry_analysis::scaling::{DataCell, JudgedBudget, SizeForecast, SizeLaw};
use allometry_analysis::{Analysis, Estimate};
use allometry_core::human_weights;

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::{Scale, TickFormat};
use super::{budget_class, shown};
use crate::number::{decimals, interval};
use crate::words::{self, LadderLaws};

/// Height of a panel.
const HEIGHT: f64 = 300.0;

/// Draws the laws of a ladder with the values that they are fitted to; `None` without a law.
pub fn ladder_figure(analysis: &Analysis) -> Option<Figure> {
    let laws = LadderLaws::of(analysis);
    let judged = words::verdict::compared(analysis).map_or(&[][..], |one| &one.values[..]);
    let data = analysis.data_scaling.as_ref();
    let mut panels = Vec::new();
    if let Some(law) = laws.weights {
        let of = |value: &JudgedBudget| Some((value.weights?, value.value, value.budget.clone()));
        let axis = ("weights", TickFormat::Weights);
        panels.push(panel(axis, law, judged.iter().filter_map(of).collect(), analysis));
    }
    if let Some(law) = laws.compute {
        let of = |value: &JudgedBudget| Some((value.flops?, value.value, value.budget.clone()));
        let axis = ("floating-point operations", TickFormat::Number);
        panels.push(panel(axis, law, judged.iter().filter_map(of).collect(), analysis));
    }
    if let Some((law, data)) = laws.rows.zip(data) {
        let largest = &data.judgement.as_ref()?.largest;
        let of = |cell: &DataCell| (cell.rows, cell.value, cell.label.clone());
        let cells = data.cells.iter().filter(|cell| cell.budget == *largest).map(of);
        panels.push(panel(("training rows", TickFormat::Weights), law, cells.collect(), analysis));
    }
    if panels.is_empty() {
        return None;
    }
    let mut figure = Figure::new("laws", "Power laws and their forecasts", panels);
    figure.entry("ink", "compared values");
    figure.entry("b1", "forecast");
    figure.caption = format!(
        "Dots are the compared values with their {:.0}% intervals, the line is the fitted law, the grey band \
         its interval, and the last mark the forecast of the next size.",
        analysis.options.level * 100.0
    );
    let laws = [("weights", laws.weights), ("operations", laws.compute), ("rows", laws.rows)];
    figure.describe(laws.into_iter().filter_map(|(word, law)| {
        let law = law?;
        Some(format!(
            "Over {word}: exponent {}, forecast {} at {}.",
            interval(law.exponent.interval),
            interval(law.next.value.interval),
            human_weights(law.next.size)
        ))
    }));
    Some(figure)
}

fn panel(
    (label, format): (&str, TickFormat),
    law: &SizeLaw,
    values: Vec<(f64, Estimate, String)>,
    analysis: &Analysis,
) -> Panel {
    let ends = |value: &Estimate| {
        let ends = value.interval.map_or([value.point; 2], |ends| [ends.lower, ends.upper]);
        ends.into_iter().chain([value.point])
    };
    let curve = || law.curve.iter().chain([&law.next]);
    let x = Scale::log(curve().map(|one| one.size).chain(values.iter().map(|one| one.0)));
    let y = Scale::linear(
        curve().flat_map(|one| ends(&one.value)).chain(values.iter().flat_map(|one| ends(&one.1))),
    );
    let x = Axis::new(label, x).format(format);
    let mut panel = Panel::new("", x, Axis::new(shown(&analysis.metric), y), (WIDTH, HEIGHT));
    panel.zoom = Zoom::Offered;
    let band = |one: &SizeForecast| {
        let ends = one.value.interval?;
        Some((one.size, ends.lower, ends.upper))
    };
    panel.layers.push(Layer::Band { class: "soft".into(), at: law.curve.iter().filter_map(band).collect() });
    let line = law.curve.iter().map(|one| (one.size, one.value.point)).collect();
    panel.layers.push(Layer::Line { class: "guide".into(), at: line, tip: "the law".into() });
    for (size, value, label) in values {
        mark(&mut panel, "ink", (size, value), &label);
    }
    mark(&mut panel, "b1", (law.next.size, law.next.value), "forecast");
    panel
}

fn mark(panel: &mut Panel, class: &str, (size, value): (f64, Estimate), label: &str) {
    let tip = format!("{label}: {} ({})", decimals(value.point), interval(value.interval));
    if let Some(ends) = value.interval {
        panel.layers.push(Layer::segment(class, (size, ends.lower), (size, ends.upper), tip.clone()));
    }
    panel.layers.push(Layer::Mark { class: format!("small {class}"), at: (size, value.point), tip });
}

/// Draws the law of a table's runs: the loss over the sizes, or over the weights at about equal compute,
/// beside the best weights.
pub fn law_figure(law: &LawAnalysis, points: &[LawPoint]) -> Figure {
    match law.axes.as_slice() {
        [axis] => one_axis(law, axis.axis, points),
        _ => isoflops(law, points),
    }
}

fn one_axis(law: &LawAnalysis, axis: LawAxis, points: &[LawPoint]) -> Figure {
    let at: Vec<(f64, f64)> = points.iter().map(|point| (point.sizes[0], point.loss)).collect();
    let (label, format) = match axis {
        LawAxis::Weights => ("weights", TickFormat::Weights),
        LawAxis::Data => ("rows or tokens", TickFormat::Weights),
        LawAxis::Compute => ("floating-point operations", TickFormat::Number),
    };
    let x = Scale::log(law.curve.iter().map(|one| one.sizes[0]));
    // A diverged run far above would press all others together.
    let losses = || law.curve.iter().flat_map(|one| [one.loss.lower, one.loss.upper]);
    let top = losses().fold(0.0, f64::max) * 1.3;
    let inside = at.iter().map(|point| point.1).filter(|loss| *loss <= top);
    let y = Scale::linear(losses().chain(inside));
    let mut panel = Panel::new("", Axis::new(label, x).format(format), Axis::new("loss", y), (WIDTH, HEIGHT));
    let band = law.curve.iter().map(|one| (one.sizes[0], one.loss.lower, one.loss.upper)).collect();
    panel.layers.push(Layer::Band { class: "soft".into(), at: band });
    let line = law.curve.iter().map(|one| (one.sizes[0], one.loss.point)).collect();
    panel.layers.push(Layer::Line { class: "guide".into(), at: line, tip: "the law".into() });
    let shown: Vec<(f64, f64)> = at.iter().copied().filter(|point| point.1 <= top).collect();
    let hidden = at.len() - shown.len();
    panel.layers.push(Layer::Points { class: "b0".into(), at: shown });
    let next = &law.next;
    let tip = format!(
        "next: {} ({} to {})",
        decimals(next.loss.point),
        decimals(next.loss.lower),
        decimals(next.loss.upper)
    );
    let (size, ends) = (next.sizes[0], next.loss);
    panel.layers.push(Layer::segment("b1", (size, ends.lower), (size, ends.upper), tip.clone()));
    panel.layers.push(Layer::Mark { class: "small b1".into(), at: (size, ends.point), tip });
    let mut figure = Figure::new("law", "The law and its runs", vec![panel]);
    figure.entry("b0", "runs");
    figure.entry("b1", "next size");
    let above = if hidden == 0 { String::new() } else { format!(" {hidden} runs lie above the picture.") };
    figure.caption =
        format!("The line is the law, the grey band its {:.0}% interval.{above}", law.level * 100.0);
    figure.describe([figure.caption.clone()]);
    figure
}

fn isoflops(law: &LawAnalysis, points: &[LawPoint]) -> Figure {
    let groups = &law.isoflops;
    let of = |run: &u64| {
        let point = &points[*run as usize];
        (point.sizes[0], point.loss)
    };
    let dots: Vec<Vec<(f64, f64)>> = groups.iter().map(|group| group.runs.iter().map(of).collect()).collect();
    let losses = || dots.iter().flatten().map(|dot| dot.1);
    let x =
        Axis::new("weights", Scale::log(dots.iter().flatten().map(|dot| dot.0))).format(TickFormat::Weights);
    let mut losses_panel = Panel::new(
        "Runs of about equal compute",
        x,
        Axis::new("loss", Scale::log(losses())),
        (WIDTH, HEIGHT),
    );
    let mut figure = Figure::new("law", "Weights with the least loss for given compute", Vec::new());
    for (place, (group, dots)) in groups.iter().zip(dots).enumerate() {
        let class = budget_class(place);
        figure.entry(class.clone(), format!("{:.1e} operations", group.compute));
        let ends =
            dots.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), dot| (dot.0.min(low), dot.0.max(high)));
        let [a, b, c] = group.parabola;
        let at = |weights: f64| {
            let x = weights.log10();
            10.0_f64.powf(a + b * x + c * x * x)
        };
        let line = (0..=24).map(|step| ends.0 * (ends.1 / ends.0).powf(f64::from(step) / 24.0));
        let line = line.map(|weights| (weights, at(weights))).collect();
        let tip =
            format!("{:.1e} operations: least at {} weights", group.compute, human_weights(group.weights));
        losses_panel.layers.push(Layer::Points { class: format!("faint {class}"), at: dots });
        losses_panel.layers.push(Layer::Line { class: class.clone(), at: line, tip: tip.clone() });
        let least = (group.weights, at(group.weights));
        losses_panel.layers.push(Layer::Mark { class: format!("small {class}"), at: least, tip });
    }
    let best = || groups.iter().flat_map(|group| [group.weights, group.by_law.lower, group.by_law.upper]);
    let x = Axis::new("operations", Scale::log(groups.iter().map(|group| group.compute)));
    let y = Axis::new("best weights", Scale::log(best())).format(TickFormat::Weights);
    let mut weights_panel = Panel::new("Best weights", x, y, (WIDTH, HEIGHT));
    let band = groups.iter().map(|group| (group.compute, group.by_law.lower, group.by_law.upper)).collect();
    weights_panel.layers.push(Layer::Band { class: "soft".into(), at: band });
    let line = groups.iter().map(|group| (group.compute, group.by_law.point)).collect();
    weights_panel.layers.push(Layer::Line { class: "guide".into(), at: line, tip: "the law".into() });
    for (place, group) in groups.iter().enumerate() {
        let class = format!("small {}", budget_class(place));
        let at = (group.compute, group.weights);
        weights_panel.layers.push(Layer::Mark { class, at, tip: human_weights(group.weights) });
    }
    figure.panels = vec![losses_panel, weights_panel];
    figure.columns = 2;
    figure.caption =
        "Left: runs in groups of a quarter decade of compute, with parabolas over the logarithm of \
                      the weights. Right: the minima of the parabolas, which are biased where runs lie to \
                      one side of them, and the best weights of the law (dashed) with its interval."
            .into();
    figure.describe(groups.iter().map(|group| {
        format!(
            "At {:.1e} operations the runs have their least loss at {} weights, the law at {}.",
            group.compute,
            human_weights(group.weights),
            human_weights(group.by_law.point)
        )
    }));
    figure
}
