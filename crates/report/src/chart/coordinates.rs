//! Activations and their changes over the width of a model.

use allometry_analysis::coordinates::{CoordinateCheck, LayerGrowth};

use super::figure::Figure;
use super::panel::{Axis, Layer, Panel};
use super::scale::{Scale, TickFormat};
use super::{budget_class, budget_line};
use crate::number::decimals;
use crate::words::coordinates::{growth, layer};

/// Size of a panel.
const SIZE: (f64, f64) = (300.0, 220.0);

/// Largest number of lines of a panel.
const MOST_LINES: usize = 8;

/// Draws two panels for each layer of a coordinate check: its size and the change since the start, over the
/// widths, with a line for each step.
pub fn coordinates_figure(check: &CoordinateCheck) -> Figure {
    let every = check.steps.div_ceil(MOST_LINES - 1).max(1);
    let steps: Vec<usize> = (0..=check.steps).rev().step_by(every).filter(|step| *step > 0).collect();
    let steps: Vec<usize> = steps.into_iter().chain([0]).rev().collect();
    let panels = check.layers.iter().flat_map(|layer| {
        let size: Vec<(usize, &[f64])> =
            steps.iter().enumerate().map(|(line, step)| (line, &*layer.sizes[*step])).collect();
        let changes = steps.iter().enumerate().skip(1);
        let change: Vec<(usize, &[f64])> =
            changes.map(|(line, step)| (line, &*layer.changes[*step - 1])).collect();
        [panel(check, layer, "size", &size), panel(check, layer, "change", &change)]
    });
    let mut figure = Figure::new("coordinates", "Activations over the width", panels.collect());
    figure.columns = 2;
    for (line, step) in steps.iter().enumerate() {
        let name = if *step == 0 { "start".to_owned() } else { format!("step {step}") };
        figure.entry(format!("small {}", budget_class(line)), name);
    }
    figure.caption = "Mean absolute activation of each layer, and its mean absolute change since the start, \
                      over the width, on logarithmic axes."
        .into();
    figure.describe(check.layers.iter().map(|one| {
        format!("{}: {}, exponent {:+.2}.", layer(one.layer), growth(one.growth), one.change.estimate)
    }));
    figure
}

/// Draws lines (place among the colours, size at each width). The vertical axis spans at least the ratio of
/// the widths, so that small differences look small.
fn panel(check: &CoordinateCheck, of: &LayerGrowth, quantity: &str, lines: &[(usize, &[f64])]) -> Panel {
    let widths = || check.widths.iter().map(|width| *width as f64);
    let sizes = || lines.iter().flat_map(|(_, sizes)| sizes.iter().copied()).filter(|size| *size > 0.0);
    let (low, high) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
    let ratio = widths().fold(1.0, f64::max) / widths().fold(f64::INFINITY, f64::min);
    let room = (ratio / (high / low)).max(1.0).sqrt();
    let x = Axis::new("d_model", Scale::log(widths())).format(TickFormat::Count);
    let y = Axis::new(quantity, Scale::log([low / room, high * room]));
    let mut panel = Panel::new(layer(of.layer), x, y, SIZE);
    for (line, sizes) in lines {
        let last = sizes.last().copied().unwrap_or(f64::NAN);
        let tip = format!("{} at the largest width", decimals(last));
        let at = widths().zip(sizes.iter().copied()).collect();
        panel.layers.push(Layer::Line { class: budget_line(*line), at, tip });
    }
    panel
}

#[cfg(test)]
mod tests {
    use allometry_analysis::coordinates::{CoordinateLayer, CoordinateRun, LayerRun, coordinate_check};

    use super::*;

    /// Long trainings have an even choice of their steps, the last one included.
    #[test]
    fn many_steps_are_subsampled() {
        let run = |width: usize, seed: usize| {
            let layer = CoordinateLayer::Output;
            let layer = LayerRun { layer, sizes: vec![1.0; 21], changes: vec![width as f64; 20] };
            CoordinateRun { width, seed, layers: vec![layer] }
        };
        let runs: Vec<CoordinateRun> =
            [8, 16, 32, 64].into_iter().flat_map(|width| [run(width, 0), run(width, 1)]).collect();
        let figure = coordinates_figure(&coordinate_check(&runs, 0.95).expect("there are enough runs"));
        let names: Vec<&str> = figure.legend.iter().map(|entry| &*entry.words).collect();
        assert_eq!(
            names,
            ["start", "step 2", "step 5", "step 8", "step 11", "step 14", "step 17", "step 20"]
        );
        assert_eq!(figure.panels.iter().map(|panel| panel.layers.len()).collect::<Vec<_>>(), [8, 7]);
        assert_eq!(figure.alt, "final output: grows with the width, exponent +1.00.");
    }
}
