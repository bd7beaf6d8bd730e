//! The coordinate check: how the activations of a model, and what training changes of them, grow with its
//! width (Yang et al. 2022, appendix D.1).

use serde::Serialize;

use crate::estimate::Interval;
use crate::stats::distribution::t_half_width;
use crate::stats::moments::{mean, sample_sd};

/// Fewest widths from which an exponent is estimated.
pub const FEWEST_WIDTHS: usize = 4;
/// Exponent of the width above which activations grow: half of the smallest growth that theory knows, the
/// root of the width.
pub const GROWING: f64 = 0.25;
/// Exponent of the width below which the changes of a layer are not called flat.
pub const FALLING: f64 = -0.5;
/// Size below which a mean absolute activation counts as this size, so that it has a logarithm.
const SMALLEST_SIZE: f64 = 1e-30;

/// A layer whose activations are measured. Blocks count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoordinateLayer {
    /// The residual stream before the first block.
    Embedding,
    /// The scores of a block's attention.
    Scores(usize),
    /// The residual stream after a block.
    Block(usize),
    /// The outputs of the model.
    Output,
}

/// The measured activations of one layer of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerRun {
    /// The layer.
    pub layer: CoordinateLayer,
    /// Mean absolute activation before the first step and after each.
    pub sizes: Vec<f64>,
    /// Mean absolute change since the start, after each step.
    pub changes: Vec<f64>,
}

/// The first training steps of a model of one width under one seed.
#[derive(Debug, Clone, PartialEq)]
pub struct CoordinateRun {
    /// Width of the model.
    pub width: usize,
    /// Number of the seed.
    pub seed: usize,
    /// Its layers, the same for all runs.
    pub layers: Vec<LayerRun>,
}

/// An exponent of the width: the slope of `log2` of a size over `log2` of the width.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Exponent {
    /// Mean over seeds of the least-squares slopes.
    pub estimate: f64,
    /// Standard error of the mean over seeds.
    pub standard_error: f64,
    /// Student's interval.
    pub interval: Interval,
}

/// How a layer's change depends on the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// The interval of the exponent lies above a quarter.
    Grows,
    /// The interval lies below minus a quarter.
    Falls,
    /// The interval lies between minus a half and a quarter.
    Flat,
    /// None of these.
    Undecided,
}

/// A layer over widths and steps.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerGrowth {
    /// The layer.
    pub layer: CoordinateLayer,
    /// Geometric means over seeds of the sizes: one row for the start and for each step, one column per
    /// width.
    pub sizes: Vec<Vec<f64>>,
    /// Geometric means over seeds of the changes since the start: one row per step.
    pub changes: Vec<Vec<f64>>,
    /// Exponent of the size after the last step.
    pub size: Exponent,
    /// Exponent of the changes, as their geometric mean over the steps.
    pub change: Exponent,
    /// Conclusion from the exponent of the changes.
    pub growth: Growth,
}

/// The coordinate check of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct CoordinateCheck {
    /// Widths, ascending.
    pub widths: Vec<usize>,
    /// Number of seeds.
    pub seeds: usize,
    /// Number of steps.
    pub steps: usize,
    /// Level of the intervals.
    pub level: f64,
    /// Layers, from the input to the output.
    pub layers: Vec<LayerGrowth>,
}

/// Returns the growth of each layer with the width. `None` for fewer than four widths, fewer than two seeds,
/// no step, or a seed without a run of each width.
pub fn coordinate_check(runs: &[CoordinateRun], level: f64) -> Option<CoordinateCheck> {
    let mut widths: Vec<usize> = runs.iter().map(|run| run.width).collect();
    widths.sort_unstable();
    widths.dedup();
    let seeds = runs.iter().map(|run| run.seed + 1).max()?;
    let steps = runs[0].layers.first()?.changes.len();
    if widths.len() < FEWEST_WIDTHS || seeds < 2 || steps == 0 || runs.len() != widths.len() * seeds {
        return None;
    }
    let run = |width: usize, seed: usize| runs.iter().find(|run| run.width == width && run.seed == seed);
    let by_seed: Vec<Vec<&CoordinateRun>> = (0..seeds)
        .map(|seed| widths.iter().map(|width| run(*width, seed)).collect())
        .collect::<Option<_>>()?;
    let log_widths: Vec<f64> = widths.iter().map(|width| (*width as f64).log2()).collect();
    let layers = (0..runs[0].layers.len()).map(|place| {
        // Logarithms of a size, one row per seed and one column per width.
        let logs = |size: &dyn Fn(&LayerRun) -> f64| -> Vec<Vec<f64>> {
            let log = |run: &&CoordinateRun| size(&run.layers[place]).max(SMALLEST_SIZE).log2();
            by_seed.iter().map(|runs| runs.iter().map(log).collect()).collect()
        };
        let size_at = |step: usize| logs(&move |layer| layer.sizes[step]);
        let change_at = |step: usize| logs(&move |layer| layer.changes[step]);
        let change = exponent(&log_widths, &logs(&mean_change), level)?;
        Some(LayerGrowth {
            layer: runs[0].layers[place].layer,
            sizes: (0..=steps).map(|step| means(&size_at(step))).collect(),
            changes: (0..steps).map(|step| means(&change_at(step))).collect(),
            size: exponent(&log_widths, &size_at(steps), level)?,
            growth: growth(change.interval),
            change,
        })
    });
    let layers = layers.collect::<Option<_>>()?;
    Some(CoordinateCheck { widths, seeds, steps, level, layers })
}

fn growth(interval: Interval) -> Growth {
    if interval.lower > GROWING {
        Growth::Grows
    } else if interval.upper < -GROWING {
        Growth::Falls
    } else if interval.lower > FALLING && interval.upper < GROWING {
        Growth::Flat
    } else {
        Growth::Undecided
    }
}

/// Returns the geometric mean of the changes of a layer over the steps.
fn mean_change(layer: &LayerRun) -> f64 {
    let logs = layer.changes.iter().map(|change| change.max(SMALLEST_SIZE).log2());
    mean(logs).unwrap_or(f64::NAN).exp2()
}

/// Returns the geometric mean over seeds for each width.
fn means(logs: &[Vec<f64>]) -> Vec<f64> {
    let of_width = |place: usize| mean(logs.iter().map(|seed| seed[place])).unwrap_or(f64::NAN).exp2();
    (0..logs[0].len()).map(of_width).collect()
}

fn exponent(log_widths: &[f64], logs: &[Vec<f64>], level: f64) -> Option<Exponent> {
    let slopes: Vec<f64> = logs.iter().map(|seed| slope(log_widths, seed)).collect::<Option<_>>()?;
    let estimate = mean(slopes.iter().copied())?;
    let standard_error = sample_sd(slopes.iter().copied())? / (slopes.len() as f64).sqrt();
    let half_width = t_half_width(level, slopes.len() as f64 - 1.0)? * standard_error;
    let interval = Interval { lower: estimate - half_width, upper: estimate + half_width };
    Some(Exponent { estimate, standard_error, interval })
}

fn slope(x: &[f64], y: &[f64]) -> Option<f64> {
    let (center, level) = (mean(x.iter().copied())?, mean(y.iter().copied())?);
    let products: f64 = x.iter().zip(y).map(|(x, y)| (x - center) * (y - level)).sum();
    let squares: f64 = x.iter().map(|x| (x - center).powi(2)).sum();
    (squares > 0.0).then_some(products / squares)
}

#[cfg(test)]
mod tests {
    use allometry_core::rng::stream;

    use super::*;
    use crate::stats::random::{gauss, uniform};

    /// Runs whose output changes with this power of the width, times 1 + `noise` for the second seed.
    fn runs(power: f64, noise: f64) -> Vec<CoordinateRun> {
        let run = |width: usize, seed: usize| {
            let size = (width as f64).powf(power + noise * seed as f64);
            let layer = LayerRun {
                layer: CoordinateLayer::Output,
                sizes: vec![1.0, size, 2.0 * size],
                changes: vec![size / 2.0, 2.0 * size],
            };
            CoordinateRun { width, seed, layers: vec![layer] }
        };
        [64, 32, 256, 128].into_iter().flat_map(|width| (0..2).map(move |seed| run(width, seed))).collect()
    }

    #[test]
    fn exponents_are_those_of_the_generator() {
        let check = coordinate_check(&runs(1.0, 0.02), 0.95).unwrap();
        assert_eq!((check.widths.as_slice(), check.seeds, check.steps), (&[32, 64, 128, 256][..], 2, 2));
        let layer = &check.layers[0];
        // Slopes of 1 and 1.02: mean 1.01, standard deviation 0.02 / sqrt 2, error 0.01, t 12.706.
        assert!((layer.change.estimate - 1.01).abs() < 1e-12);
        assert!((layer.change.standard_error - 0.01).abs() < 1e-12);
        assert!((layer.change.interval.lower - (1.01 - 0.127_062)).abs() < 1e-6, "{:?}", layer.change);
        assert!((layer.size.estimate - 1.01).abs() < 1e-12);
        assert!((2.0 * layer.changes[0][0] - 32f64.powf(1.01)).abs() < 1e-9);
        assert_eq!(layer.sizes[0], [1.0; 4]);
    }

    #[test]
    fn conclusions_follow_the_interval() {
        let growth = |power, noise| coordinate_check(&runs(power, noise), 0.95).unwrap().layers[0].growth;
        assert_eq!(growth(1.0, 0.01), Growth::Grows);
        assert_eq!(growth(0.0, 0.01), Growth::Flat);
        assert_eq!(growth(0.2, 0.001), Growth::Flat);
        assert_eq!(growth(-0.3, 0.001), Growth::Falls);
        assert_eq!(growth(0.3, 0.1), Growth::Undecided);
        assert_eq!(growth(-0.5, 0.1), Growth::Undecided);
    }

    /// Seeds of all widths share batches, widths have noise of their own that falls with the width, and
    /// now and then a step is far off. The interval holds the true exponent at its level, and a layer that is
    /// flat is hardly ever said to grow.
    #[test]
    fn intervals_hold_the_true_exponent() {
        const CHECKS: u64 = 2_000;
        for (seeds, outliers) in [(2, 0.0), (3, 0.0), (5, 0.0), (3, 0.1), (5, 0.1)] {
            let (mut covered, mut grows) = (0, 0);
            for check in 0..CHECKS {
                let mut rng = stream(7, "coordinates", check);
                let mut runs = Vec::new();
                for seed in 0..seeds {
                    let (tilt, shared) = (0.05 * gauss(&mut rng), 0.2 * gauss(&mut rng));
                    for width in [32, 64, 128, 256, 512] {
                        let decades = (width as f64).ln();
                        let far = if uniform(&mut rng) < outliers { 1.0 } else { 0.0 };
                        let noise = (0.15 / (width as f64 / 32.0).sqrt() + far) * gauss(&mut rng);
                        let size = (tilt * decades + shared + noise).exp();
                        let layer = LayerRun {
                            layer: CoordinateLayer::Output,
                            sizes: vec![1.0, size],
                            changes: vec![size],
                        };
                        runs.push(CoordinateRun { width, seed, layers: vec![layer] });
                    }
                }
                let layer = &coordinate_check(&runs, 0.95).unwrap().layers[0];
                let Interval { lower, upper } = layer.change.interval;
                covered += u64::from(lower <= 0.0 && upper >= 0.0);
                grows += u64::from(layer.growth == Growth::Grows);
            }
            let share = |count: u64| count as f64 / CHECKS as f64;
            let (covered, grows) = (share(covered), share(grows));
            println!("{seeds} seeds, outliers {outliers}: covers {covered:.3}, grows {grows:.4}");
            assert!((0.935..0.98).contains(&covered) && grows < 0.025, "{covered} {grows}");
        }
    }

    #[test]
    fn too_few_runs_have_no_exponent() {
        let all = runs(0.0, 0.1);
        let without = |drop: &dyn Fn(&CoordinateRun) -> bool| {
            let kept: Vec<CoordinateRun> = all.iter().filter(|run| !drop(run)).cloned().collect();
            coordinate_check(&kept, 0.95)
        };
        assert_eq!(without(&|run| run.width == 32), None);
        assert_eq!(without(&|run| run.seed == 1), None);
        assert_eq!(without(&|run| run.seed == 1 && run.width == 64), None);
        assert_eq!(coordinate_check(&[], 0.95), None);
    }
}
