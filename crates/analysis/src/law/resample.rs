//! Laws fitted to resampled runs.

use allometry_core::rng::TrialRng;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shared::SharedNoise;
use super::{DELTA, Fitted, ROUNDING};
use crate::stats::distribution::f_upper_tail;
use crate::stats::random::{gauss, resample};
use crate::stats::robust_law::{Law, Sizes};

/// Number of steps of a resampled fit, which starts at the law of all runs.
const STEPS: usize = 200;
/// Largest number of resampled runs of all laws; of more, fewer laws are fitted, down to [`FEWEST_LAWS`].
const MOST_DRAWS: u64 = 4_000_000;
/// Smallest number of resampled laws.
const FEWEST_LAWS: u64 = 100;
/// Level at which the means of repeated sizes depart from the law. At 5% their own noise would be missed so
/// often that intervals cover too rarely.
const DEPARTS: f64 = 0.25;

/// What the resampling varies, and its intervals cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resampled {
    /// The noise of runs around a law of this form, at the same sizes.
    Noise,
    /// The runs, drawn with replacement.
    Runs,
    /// The runs, drawn with replacement, and the noise that the runs of a size of weights share.
    SharedNoise,
}

/// Returns laws of resampled runs: with one axis from losses drawn around the law, with two from runs drawn
/// with replacement, with noise that sizes share where it is likely.
pub(super) fn laws(
    fitted: &Fitted,
    shared: Option<&SharedNoise>,
    replicates: u64,
    rng: &mut TrialRng,
) -> (Vec<Law>, Resampled) {
    let replicates = replicates.min((MOST_DRAWS / fitted.sizes.len() as u64).max(FEWEST_LAWS));
    if fitted.sizes.axes() == 1 {
        return (from_noise(fitted, replicates, rng), Resampled::Noise);
    }
    if let Some(shared) = shared.filter(|shared| shared.is_likely()) {
        return (from_shared_noise(fitted, shared, replicates, rng), Resampled::SharedNoise);
    }
    let count = fitted.sizes.len();
    let drawn: Vec<Vec<f64>> = (0..replicates)
        .map(|_| {
            let mut weights = vec![0.0; count];
            resample(rng, 1, &mut weights);
            weights
        })
        .collect();
    let law = |weights: Vec<f64>| fitted.sizes.fit_from(&fitted.law, &weights, DELTA, STEPS);
    (drawn.into_par_iter().map(law).collect(), Resampled::Runs)
}

/// Returns least-squares laws of losses drawn around the law. The variance of each draw is drawn
/// from its own distribution given the residuals, so that few runs give wide intervals, as Student's t does.
fn from_noise(fitted: &Fitted, replicates: u64, rng: &mut TrialRng) -> Vec<Law> {
    let count = fitted.sizes.len();
    let weights = vec![1.0; count];
    let base = &fitted.law;
    let (variance, freedom) = variance(&fitted.sizes, base);
    let draws: Vec<Vec<f64>> = (0..replicates)
        .map(|_| {
            let chi_squared: f64 = (0..freedom).map(|_| gauss(rng).powi(2)).sum();
            let sd = (variance * freedom as f64 / chi_squared.max(f64::MIN_POSITIVE)).sqrt();
            (0..count).map(|_| sd * gauss(rng)).collect()
        })
        .collect();
    let law = |noise: Vec<f64>| {
        let drawn: Sizes = fitted.sizes.around(base, &noise);
        drawn.fit_from(base, &weights, f64::INFINITY, STEPS)
    };
    draws.into_par_iter().map(law).collect()
}

/// Returns laws of runs drawn with replacement, to whose losses noise is added that the runs of a size of
/// weights share. The drawn runs keep the noise that each has: it may differ from size to size.
fn from_shared_noise(fitted: &Fitted, shared: &SharedNoise, replicates: u64, rng: &mut TrialRng) -> Vec<Law> {
    let draws: Vec<(Vec<f64>, Vec<f64>)> = (0..replicates)
        .map(|_| {
            let mut weights = vec![0.0; fitted.sizes.len()];
            resample(rng, 1, &mut weights);
            let of_sizes = shared.draw(shared.count, rng);
            (weights, shared.groups.iter().map(|group| of_sizes[*group]).collect())
        })
        .collect();
    let law = |(weights, noise): (Vec<f64>, Vec<f64>)| {
        fitted.sizes.moved(&noise).fit_from(&fitted.law, &weights, DELTA, STEPS)
    };
    draws.into_par_iter().map(law).collect()
}

/// Returns the variance of `log loss` around the law and its degrees of freedom: that of all residuals, or
/// that of the means of repeated sizes where these depart from the law significantly.
pub(super) fn variance(sizes: &Sizes, law: &Law) -> (f64, usize) {
    let residuals = sizes.residuals(law);
    let total: f64 = residuals.iter().map(|residual| residual * residual).sum();
    let free = residuals.len().saturating_sub(sizes.unknowns()).max(1);
    match Departure::new(sizes, &residuals) {
        Some(Departure { variance, freedom, p }) if p < DEPARTS => (variance, freedom),
        _ => (total / free as f64, free),
    }
}

/// How far the means of repeated sizes are from a law.
pub(super) struct Departure {
    /// Variance of a mean around the law, times its number of runs.
    variance: f64,
    freedom: usize,
    /// P-value of no departure beyond the noise of runs.
    pub(super) p: f64,
}

impl Departure {
    /// Returns the departure; `None` without repeated sizes, or with no more sizes than unknowns.
    pub(super) fn new(sizes: &Sizes, residuals: &[f64]) -> Option<Self> {
        let groups = sizes.groups();
        let freedom = groups.len().checked_sub(sizes.unknowns()).filter(|freedom| *freedom > 0)?;
        let free_within = residuals.len().checked_sub(groups.len()).filter(|free| *free > 0)?;
        let total: f64 = residuals.iter().map(|residual| residual * residual).sum();
        let of = |group: &Vec<usize>| {
            let mean = group.iter().map(|row| residuals[*row]).sum::<f64>() / group.len() as f64;
            group.len() as f64 * mean * mean
        };
        let between: f64 = groups.iter().map(of).sum();
        let within = (total - between).max(f64::MIN_POSITIVE) / free_within as f64;
        let variance = between / freedom as f64;
        let p = f_upper_tail(variance / within.max(ROUNDING), freedom as f64, free_within as f64)?;
        Some(Self { variance, freedom, p })
    }
}
