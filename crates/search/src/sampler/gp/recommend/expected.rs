//! The estimated mean of a configuration over seeds, with its interval.

use std::collections::HashMap;

use allometry_core::TrialNumber;
use allometry_core::rng::stream;

use super::stopped::Stopped;
use super::{Expected, LEVEL, MOST_FITTED, NoExpectation};
use crate::normal;
use crate::sampler::gp::fit::{Likelihood, kernel_of};
use crate::sampler::gp::kernel::Kernel;
use crate::sampler::gp::observations::{Observations, noise_factor};
use crate::sampler::gp::point::Point;
use crate::sampler::gp::posterior::Posterior;
use crate::sampler::gp::representative;
use crate::sampler::gp::slice::draws;
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome::{Clipped, EndedTrial, Outcomes, Warp};

/// Number of draws of the kernel parameters.
const DRAWS: usize = 32;
/// Number of discarded draws before them.
const WARM_UP: usize = 12;
/// Mean and standard deviation of the normal prior of the logarithm of the noise variance, for values with
/// variance 1. The prior of suggestions assumes less noise (`fit.rs`); but where no parameter has an effect
/// all variance is noise, and an interval must hold there too.
pub(super) const NOISE_PRIOR: (f64, f64) = (-0.7, 1.5);
/// Smallest variance of a mean: with entirely configuration-specific noise the variance is otherwise 0.
const LEAST_VARIANCE: f64 = 1e-12;
/// Prior probability that none of the noise is configuration-specific. The other shares, where repeats inform
/// about them, have a uniform prior.
const NOTHING_OWN: f64 = 0.5;

/// The values of the ended trials in the scale of the process.
pub(super) struct Values {
    clipped: Clipped,
    /// Imputed values. Where trials were stopped early there are several imputations, each with other draws
    /// of their final values.
    imputed: Vec<Vec<f64>>,
}

impl Values {
    /// The values of outcomes in which trials that were stopped early have their predicted final values.
    pub(super) fn new(outcomes: &Outcomes<'_>, warp: &Warp, stopped: &Stopped) -> Self {
        let clipped = Clipped::new(&outcomes.values(), warp);
        let imputed = |ends: &HashMap<TrialNumber, f64>| {
            let value = |((trial, ..), value): (&EndedTrial<'_>, &f64)| match ends.get(&trial.number) {
                Some(end) => clipped.scaled(*end),
                None => *value,
            };
            outcomes.ended.iter().zip(&clipped.values).map(value).collect()
        };
        let none = HashMap::new();
        let draws = if stopped.draws.is_empty() { vec![&none] } else { stopped.draws.iter().collect() };
        let imputed = draws.into_iter().map(imputed).collect();
        Self { clipped, imputed }
    }
}

/// The evaluations of each configuration. A repeat with an identical value does not count.
fn evaluations(lattice: &Lattice, ended: &[EndedTrial<'_>], values: &[f64]) -> Observations {
    Observations::of_distinct(lattice, ended.iter().map(|(_, cell, _)| cell).zip(values.iter().copied()))
}

/// Draws of the kernel parameters from their posterior, each with the configuration-specific share of the
/// noise. Only repeats inform about that share; without them it is 0 in all draws.
fn parameter_draws(
    all: &Observations,
    lattice: &Lattice,
    most_probable: &[f64],
    trials: usize,
) -> Vec<(Vec<f64>, f64)> {
    let fitted = representative(&all.means, MOST_FITTED);
    let points: Vec<&Point> = fitted.iter().map(|i| &all.points[*i]).collect();
    let y: Vec<f64> = fitted.iter().map(|i| all.means[*i]).collect();
    let counts = fitted.iter().map(|i| all.counts[*i]).collect();
    let likelihood = Likelihood::new(lattice.scales(), &points, &y, counts, all.repeats);
    let mut rng = stream(0, "recommendation", trials as u64);
    let start = most_probable.to_vec();
    if all.repeats.freedom == 0.0 {
        let energy = |theta: &[f64]| likelihood.energy(theta, NOISE_PRIOR, 0.0);
        let draws = draws(energy, start, WARM_UP, DRAWS, &mut rng);
        return draws.into_iter().map(|theta| (theta, 0.0)).collect();
    }
    let energy = |theta: &[f64]| {
        let (place, parameters) = theta.split_last().expect("the share follows the parameters");
        own_share(*place).map_or(f64::INFINITY, |own| likelihood.energy(parameters, NOISE_PRIOR, own))
    };
    let draws = draws(energy, [start, vec![0.5 * NOTHING_OWN]].concat(), WARM_UP, DRAWS, &mut rng);
    let split = |mut theta: Vec<f64>| {
        let own = theta.pop().and_then(own_share).unwrap_or(0.0);
        (theta, own)
    };
    draws.into_iter().map(split).collect()
}

/// The quantile `place` of the prior of the configuration-specific share of the noise; `None` outside `[0,
/// 1)`.
fn own_share(place: f64) -> Option<f64> {
    (0.0..1.0).contains(&place).then(|| ((place - NOTHING_OWN) / (1.0 - NOTHING_OWN)).max(0.0))
}

/// The estimated mean of the configuration `cell` over seeds, given all ended trials.
///
/// With repeats the interval is the middle 90% of the mixture over the draws. Without repeats it is the hull
/// of three intervals: with no configuration-specific noise (the middle 80%: a selected value is above its
/// smooth mean, so that the truth can only be missed on one side), with half of the noise being
/// configuration-specific (90%), and with all of it (the observed value).
pub(super) fn expected(
    lattice: &Lattice,
    ended: &[EndedTrial<'_>],
    values: &Values,
    cell: &Cell,
    most_probable: &[f64],
) -> Result<Expected, NoExpectation> {
    let imputed: Vec<Observations> =
        values.imputed.iter().map(|values| evaluations(lattice, ended, values)).collect();
    let all = &imputed[0];
    let n = all.means.len() as f64;
    let widening = n / (n - lattice.dimension() as f64 - 2.0).max(1.0);
    let place = all.place(cell).expect("the configuration was tried");
    let draws = parameter_draws(all, lattice, most_probable, ended.len());
    // Each draw is combined with the next imputation.
    let posteriors: Vec<(Posterior<'_>, (f64, f64), f64, &Observations)> = draws
        .iter()
        .zip(imputed.iter().cycle())
        .filter_map(|((parameters, own), all)| {
            let kernel = Kernel { own: *own, ..kernel_of(parameters) };
            let posterior = Posterior::new(lattice, kernel, all.clone())?;
            let at = posterior.at(cell, &mut Vec::new());
            Some((posterior, at, *own, all))
        })
        .collect();
    let normals = |own: Option<f64>| -> Vec<(f64, f64)> {
        let normal = |(posterior, at, drawn, all): &(Posterior<'_>, (f64, f64), f64, &Observations)| {
            let (value, count) = (all.means[place], all.counts[place]);
            let (mean, variance) = with_own(*at, own.unwrap_or(*drawn), value, count, posterior.kernel.noise);
            (mean, widening * variance.max(LEAST_VARIANCE))
        };
        posteriors.iter().map(normal).collect()
    };
    let tail = 0.5 * (1.0 - LEVEL);
    // Without repeats the covariance, and so the draws, do not depend on the share.
    let assumptions = if all.repeats.freedom > 0.0 {
        vec![(normals(None), tail)]
    } else {
        vec![(normals(Some(0.0)), 2.0 * tail), (normals(Some(0.5)), tail), (normals(Some(1.0)), tail)]
    };
    let means = assumptions.iter().flat_map(|(normals, _)| normals).map(|(mean, _)| mean);
    let mean = means.clone().sum::<f64>() / means.count() as f64;
    let ends = |p: fn(f64) -> f64| {
        assumptions.iter().map(move |(normals, tail)| mixture_quantile(normals, p(*tail)))
    };
    let low = ends(|tail| tail).fold(f64::INFINITY, f64::min);
    let high = ends(|tail| 1.0 - tail).fold(f64::NEG_INFINITY, f64::max);
    let [mean, low, high] = [mean, low, high].map(|x| values.clipped.back(x));
    let is_finite = mean.is_finite() && low.is_finite() && high.is_finite();
    if is_finite {
        Ok(Expected { mean, interval: (low, high), level: LEVEL })
    } else {
        Err(NoExpectation::TooLarge)
    }
}

/// The mean and variance of a configuration over seeds, where its `count` evaluations have the mean `value`,
/// the share `own` of the `noise` is configuration-specific, and the smooth function has the mean and
/// variance `at` there.
///
/// The mean of `k` evaluations has the noise `n_k = n (s + (1 - s) / k)`. The estimate is the smooth mean
/// plus `w = s / (s + (1 - s) / k)` of the residual, with variance `w (1 - w) n_k + (1 - w)^2 v` (Rasmussen &
/// Williams 2006, section 2.2).
fn with_own(at: (f64, f64), own: f64, value: f64, count: f64, noise: f64) -> (f64, f64) {
    let (smooth, variance) = at;
    let spread = noise_factor(own, count);
    let share = own / spread;
    let own_variance = share * (1.0 - share) * spread * noise;
    (smooth + share * (value - smooth), own_variance + (1.0 - share).powi(2) * variance)
}

/// The quantile `p` of a mixture of normal distributions, given by means and variances.
fn mixture_quantile(normals: &[(f64, f64)], p: f64) -> f64 {
    let share = |x: f64| {
        let below = normals.iter().map(|(mean, variance)| normal::cdf((x - mean) / variance.sqrt()));
        below.sum::<f64>() / normals.len() as f64
    };
    let single = |(mean, variance): &(f64, f64)| mean + variance.sqrt() * normal::quantile(p);
    let (mut low, mut high) = normals
        .iter()
        .map(single)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if share(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}
