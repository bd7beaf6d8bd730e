//! The Pareto front among all trials.

use allometry_analysis::front::{Front, Objectives};
use allometry_analysis::{Analysis, StudyAnalysis, StudyTrials};
use allometry_core::Direction;
use allometry_core::is_usable;

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel, WIDTH, Zoom};
use super::scale::Scale;
use super::{budget_class, shown};

/// The largest number of objectives after the first that have a panel.
const MOST_PANELS: usize = 6;

/// Draws one panel for each objective after the first, against the first: all trials, and the front among
/// them.
pub(super) fn figure(
    study: &StudyAnalysis,
    trials: &StudyTrials,
    position: usize,
    analysis: &Analysis,
) -> Option<Figure> {
    let objectives = analysis.objectives.as_ref()?;
    let front = study.front.as_ref().filter(|front| !front.trials.is_empty())?;
    let others = (1..objectives.metrics.len()).take(MOST_PANELS);
    let panels: Vec<Panel> = others.map(|other| panel(front, trials, objectives, other, position)).collect();
    let label = shown(&study.budget.label);
    let mut figure = Figure::new(format!("front-{position}"), format!("{label}: Pareto front"), panels);
    figure.columns = 2;
    figure.entry(budget_class(position), "complete trials");
    figure.entry("best small", "trials on the front");
    let way = |objective: usize| match objectives.metrics[objective].direction {
        Direction::Maximize => "larger",
        Direction::Minimize => "smaller",
    };
    let ways: Vec<String> = (0..objectives.metrics.len())
        .map(|objective| format!("{} {}", way(objective), shown(&objectives.metrics[objective].name)))
        .collect();
    figure.caption = if objectives.metrics.len() == 2 {
        format!("Better: {}. The line is the front: no trial lies beyond it.", ways.join(", "))
    } else {
        format!(
            "Better: {}. A trial on the front may look worse than another trial here, because the panel does \
             not show the objective in which it is better.",
            ways.join(", ")
        )
    };
    let ends: Vec<String> = [front.trials.first(), front.trials.last()]
        .into_iter()
        .flatten()
        .map(|trial| {
            let pairs = objectives.metrics.iter().zip(&trial.values);
            pairs
                .map(|(metric, value)| format!("{} {}", shown(&metric.name), crate::number::decimals(*value)))
                .collect::<Vec<_>>()
                .join(", ")
        })
        .collect();
    figure.describe([
        format!("Scatter plot of {} trials, {} of them on the front.", front.complete, front.trials.len()),
        format!("The front goes from {}.", ends.join(" to ")),
    ]);
    Some(figure)
}

fn panel(
    front: &Front,
    trials: &StudyTrials,
    objectives: &Objectives,
    other: usize,
    position: usize,
) -> Panel {
    let dots: Vec<(f64, f64)> = trials
        .trials
        .iter()
        .filter(|trial| trial.eligible_value().is_some())
        .map(|trial| &trial.values)
        .filter(|values| values.len() == objectives.metrics.len() && values.iter().copied().all(is_usable))
        .map(|values| (values[other], values[0]))
        .collect();
    let x = Scale::linear(dots.iter().map(|dot| dot.0));
    let y = Scale::linear(dots.iter().map(|dot| dot.1));
    let name = |objective: usize| shown(&objectives.metrics[objective].name);
    let (x, y) = (Axis::new(name(other), x), Axis::new(name(0), y).of("value"));
    let mut panel = Panel::new("", x, y, (WIDTH, 300.0));
    panel.zoom = Zoom::Offered;
    panel.layers.push(Layer::Points { class: budget_class(position), at: dots });
    let at: Vec<(f64, f64)> =
        front.trials.iter().map(|trial| (trial.values[other], trial.values[0])).collect();
    if objectives.metrics.len() == 2 && at.len() > 1 {
        // Between two trials, the line is what both have reached, so it is a step.
        let corners = at.windows(2).flat_map(|pair| [pair[0], (pair[0].0, pair[1].1)]);
        let line = corners.chain(at.last().copied()).collect();
        panel.layers.push(Layer::Line { class: "guide".into(), at: line, tip: "the front".into() });
    }
    for (trial, at) in front.trials.iter().zip(at) {
        let tip = format!("trial {}", trial.number);
        panel.layers.push(Layer::Mark { class: "best small".into(), at, tip });
    }
    panel
}
