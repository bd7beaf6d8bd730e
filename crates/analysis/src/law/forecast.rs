//! Forecasts of a law, and the test of one on runs that it has not seen.

use allometry_core::rng::{TrialRng, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::check;
use super::resample::{laws, variance};
use super::shared::SharedNoise;
use super::{
    DIVERGED, Fitted, LEAST_EXCESS, LawAxis, LawEstimate, LawOptions, LawPoint, LawProblem, distinct, is_same,
};
use crate::stats::random::{below, gauss};
use crate::stats::robust_law::Law;

/// Part of the largest compute from which runs of a law over two axes are held out.
const TOP_COMPUTE: f64 = 0.5;

/// The loss that a law predicts at some sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// Size on each axis.
    pub sizes: Vec<f64>,
    /// Predicted loss, with the interval of the law there.
    pub loss: LawEstimate,
}

/// A forecast of runs that were held out, and what they gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// Size on each axis: with two axes, the geometric means of the held-out runs.
    pub sizes: Vec<f64>,
    /// Number of held-out runs.
    pub runs: u64,
    /// Largest size of each axis among the other runs.
    pub up_to: Vec<f64>,
    /// Forecast of the geometric mean of their losses, with an interval that includes their noise.
    pub predicted: LawEstimate,
    /// Geometric mean of their losses.
    pub observed: f64,
    /// Observed less predicted loss, as a part of the predicted one.
    pub miss: f64,
    /// Whether the observed loss lies in the interval.
    pub is_inside: bool,
}

/// Holds the largest runs out, and forecasts them from the others.
///
/// # Errors
/// [`LawProblem`] where the runs that are left cannot bear a law.
pub(super) fn held_out(
    axes: &[LawAxis],
    points: &[LawPoint],
    options: &LawOptions,
) -> Result<Forecast, LawProblem> {
    let cost = |point: &LawPoint| point.sizes.iter().product::<f64>();
    let largest = points.iter().map(cost).fold(0.0, f64::max);
    let is_out = |point: &LawPoint| {
        if axes.len() == 1 { is_same(cost(point), largest) } else { cost(point) >= TOP_COMPUTE * largest }
    };
    let (out, rest): (Vec<LawPoint>, Vec<LawPoint>) = points.iter().cloned().partition(is_out);
    check(axes, &rest)?;
    let fitted = Fitted::new(&rest).refined();
    let mut rng = stream(options.seed, "law forecast", 0);
    let shared = SharedNoise::estimate(&fitted, &mut rng);
    let (laws, _) = laws(&fitted, shared.as_ref(), options.replicates, &mut rng);
    // Held-out runs that diverged are no test of the law.
    let middle = median(out.iter().map(|point| point.loss.ln()));
    let spread = variance(&fitted.sizes, &fitted.law).0.sqrt();
    let sound: Vec<&LawPoint> = out
        .iter()
        .filter(|point| point.loss.ln() <= middle + (DIVERGED * spread).max(LEAST_EXCESS))
        .collect();
    let count = sound.len() as f64;
    let mean =
        |of: &dyn Fn(&LawPoint) -> f64| (sound.iter().map(|point| of(point).ln()).sum::<f64>() / count).exp();
    let predicted = |law: &Law| mean(&|point| law.at(&point.sizes));
    let shared = shared.filter(SharedNoise::is_likely);
    // Numbers of the held-out runs of each size of weights.
    let mut weights: Vec<f64> = sound.iter().map(|point| point.sizes[0]).collect();
    weights.sort_by(f64::total_cmp);
    let runs: Vec<f64> =
        weights.chunk_by(|a, b| is_same(*a, *b)).map(|of_size| of_size.len() as f64).collect();
    // Few runs have normal noise with a known error; many have the noise that they show, outliers included.
    let noise = |rng: &mut TrialRng| {
        if axes.len() == 1 {
            return spread / count.sqrt() * gauss(rng);
        }
        if let Some(shared) = &shared {
            let of_sizes = shared.draw(runs.len(), rng);
            let together: f64 = of_sizes.iter().zip(&runs).map(|(noise, runs)| noise * runs).sum();
            return (together + (0..sound.len()).map(|_| shared.of_run(rng)).sum::<f64>()) / count;
        }
        let drawn = (0..sound.len()).map(|_| -fitted.residuals[below(rng, fitted.residuals.len())]);
        drawn.sum::<f64>() / count
    };
    let noisy = |law: &Law, rng: &mut TrialRng| predicted(law) * noise(rng).exp();
    let drawn = laws.iter().map(|law| noisy(law, &mut rng)).collect();
    let predicted = LawEstimate::new(predicted(&fitted.law), drawn, options.level);
    let observed = mean(&|point| point.loss);
    Ok(Forecast {
        sizes: (0..axes.len()).map(|axis| mean(&|point| point.sizes[axis])).collect(),
        runs: sound.len() as u64,
        up_to: (0..axes.len())
            .map(|axis| rest.iter().map(|point| point.sizes[axis]).fold(0.0, f64::max))
            .collect(),
        predicted,
        observed,
        miss: observed / predicted.point - 1.0,
        is_inside: predicted.interval().contains(observed),
    })
}

/// Predicts the next size: as far beyond the largest on each axis as the largest is beyond the one before, at
/// most tenfold.
pub(super) fn next(points: &[LawPoint], fitted: &Fitted, laws: &[Law], options: &LawOptions) -> Prediction {
    let sizes: Vec<f64> = (0..fitted.sizes.axes())
        .map(|axis| {
            let sizes = distinct(points, axis);
            let (last, before) = (sizes[sizes.len() - 1], sizes[sizes.len() - 2]);
            last * if fitted.sizes.axes() == 1 { (last / before).min(10.0) } else { 2.0 }
        })
        .collect();
    let drawn = laws.iter().map(|law| law.at(&sizes)).collect();
    let loss = LawEstimate::new(fitted.law.at(&sizes), drawn, options.level);
    Prediction { sizes, loss }
}

/// Returns the law of one axis at sizes between two ends, evenly on a log scale.
pub(super) fn curve(from: f64, to: f64, law: &Law, laws: &[Law], level: f64) -> Vec<Prediction> {
    const STEPS: u32 = 24;
    let at = |step: u32| {
        let size = from * (to / from).powf(f64::from(step) / f64::from(STEPS));
        let drawn = laws.iter().map(|law| law.at(&[size])).collect();
        Prediction { sizes: vec![size], loss: LawEstimate::new(law.at(&[size]), drawn, level) }
    };
    (0..=STEPS).map(at).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
