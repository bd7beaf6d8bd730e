//! Which tried configuration to take.

mod expected;
mod stopped;

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::stopped::Stopped;
use super::carried::CarriedTrials;
use super::fit::kernel_of;
use super::posterior::Posterior;
use super::{Fit, MOST_FITTED, MOST_TRIALS};
use crate::distribution::Distribution;
use crate::param::Params;
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome::{Goal, Outcomes, Told, Warp};
use crate::space::SearchSpace;
use crate::trial::{Direction, FrozenTrial, TrialNumber, TrialState};

/// Share of the noise variance that is taken for a configuration's own in the choice: what a smooth function cannot follow, but comes again when the
/// configuration is trained again. `docs/adr/0014` has the measurements. The interval of the mean does not use it.
const OWN_SHARE: f64 = 0.4;
/// Probability with which the interval covers.
const LEVEL: f64 = 0.9;
/// Values of a list or of a range with steps, at most.
const MOST_CHOICES: usize = 4096;
/// Identical repeats from which on the evaluation is taken not to depend on a seed: fewer may agree by chance where a metric has few values.
const TELLING_REPEATS: usize = 3;

/// The configuration to take.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Its first trial.
    pub number: TrialNumber,
    /// The configuration.
    pub params: Params,
    /// What a trial of it gives on average over seeds, or why that is not known.
    pub expected: Result<Expected, NoExpectation>,
}

/// What a trial of a configuration gives on average over seeds, in the objective's units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The posterior mean.
    pub mean: f64,
    /// The interval of that mean.
    pub interval: (f64, f64),
    /// Probability with which it covers: 0.9.
    pub level: f64,
}

/// Why a model tells no mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoExpectation {
    /// Fewer than two trials have a finite value.
    #[error("fewer than two trials have a finite value")]
    FewValues,
    /// The model is one of the best trials alone, whose noise is not that of all.
    #[error(
        "of more than {MOST_TRIALS} trials the best {MOST_TRIALS} alone are modelled, and their luck is not that of all"
    )]
    ManyTrials,
    /// Repeats of configurations gave the very same values: what a seed changes was not seen.
    #[error("repeats of configurations gave the very same values, so that nothing tells what a seed changes")]
    IdenticalRepeats,
    /// Values are too large for squares.
    #[error("values are too large to compute with")]
    TooLarge,
}

/// Whether a model can be made over a space: every set has a value, bounds are finite numbers, and lists have no more
/// than 4,096 values. What a ladder declares is so; what other programs recorded need not be.
pub fn can_model(space: &SearchSpace) -> bool {
    space.iter().all(|(_, set)| match set {
        Distribution::Float { low, high, log, step } => {
            let is_range = low.is_finite() && high.is_finite() && low <= high && (!log || *low > 0.0);
            is_range && step.is_none_or(|step| step > 0.0 && step.is_finite())
        }
        Distribution::Int { low, high, log, step } => low <= high && *step > 0 && (!log || *low > 0),
        Distribution::Categorical { choices, .. } => !choices.is_empty() && choices.len() <= MOST_CHOICES,
    })
}

/// The tried configuration whose true mean is probably best, of those that break no constraint; `None` where no complete trial of the space does, or
/// the space is not one that [`can_model`] allows. Of `trials`, in order of their numbers, those that
/// have not ended are passed over. One that was stopped early is not recommended; it counts with the final value that its curve leads to,
/// or not at all where too few trials went on from there to tell. A configuration of several trials breaks a constraint where more of them do
/// than do not; its values are modelled like all others.
///
/// Of the Gaussian process that `gp` samples by the posterior mean at each tried configuration, plus the share of its residual that is the
/// configuration's own. Under noise the best told value is often a lucky one and the posterior mean alone too smooth. Of more than
/// 300 ended trials the best 300 are modelled.
///
/// The interval is made of mixtures of normal distributions: the mean over seeds and its variance under 32 draws of length scales, signal and noise from
/// their posterior density, on the values' own scale. Variances are `n / (n - D - 2)` times as large, as for `D + 2` parameters fitted to `n`
/// configurations. How much of the noise is a configuration's own, and comes again with another seed, only repeats tell: where there are any the share is
/// drawn with the rest; where there are none the interval holds whatever it is, and reaches from the smooth function to the told value. Where repeats are
/// identical there is no interval: the noise between seeds was not seen. `docs/adr/0046` has its coverage.
pub fn recommend<'a>(
    trials: impl IntoIterator<Item = &'a FrozenTrial>,
    space: &SearchSpace,
    direction: Direction,
) -> Option<Recommendation> {
    if !can_model(space) {
        return None;
    }
    let lattice = Lattice::of_space(space);
    let ended = trials.into_iter().filter(|trial| trial.state.is_finished());
    let mut outcomes = Outcomes::of_ended(ended, &lattice, Goal::first(direction));
    let stopped = Stopped::new(&outcomes.told, direction);
    for (trial, _, value) in outcomes.told.iter_mut().filter(|(trial, ..)| trial.state == TrialState::Pruned)
    {
        *value = stopped.means.get(&trial.number).copied();
    }
    outcomes.told.retain(|(trial, _, value)| trial.state != TrialState::Pruned || value.is_some());
    let is_part = outcomes.told.len() > MOST_TRIALS;
    outcomes.keep_best(MOST_TRIALS);
    let feasible = Feasibility::new(&outcomes.told);
    let told = |i: usize| {
        let (trial, cell, value) = &outcomes.told[i];
        value
            .filter(|_| trial.state == TrialState::Complete && feasible.holds(cell))
            .unwrap_or(f64::NEG_INFINITY)
    };
    let first_best = (0..outcomes.told.len()).reduce(|a, b| if told(b) > told(a) { b } else { a })?;
    if told(first_best) == f64::NEG_INFINITY {
        return None;
    }
    let take = |i: usize, expected| {
        let trial = outcomes.told[i].0;
        Recommendation { number: trial.number, params: trial.params.clone(), expected }
    };
    let few = || take(first_best, Err(NoExpectation::FewValues));
    let told_values = outcomes.values();
    let Some(warp) = Warp::new(&told_values) else { return Some(few()) };
    let fit = Fit::new(&lattice, &outcomes.told, &warp.values, &CarriedTrials::default());
    let most_probable = fit.likelihood().fit();
    let Some(posterior) = fit.posterior(kernel_of(&most_probable)) else { return Some(few()) };
    let mut places: HashMap<&Cell, Vec<usize>> = HashMap::new();
    for (i, (_, cell, _)) in outcomes.told.iter().enumerate() {
        if told(i) > f64::NEG_INFINITY {
            places.entry(cell).or_default().push(i);
        }
    }
    let mut best: Option<(f64, usize)> = None;
    for (i, (_, cell, _)) in outcomes.told.iter().enumerate() {
        let Some(own) = places.get(cell).filter(|own| own[0] == i) else { continue };
        let (mean, _) = own_mean(&posterior, cell, own, &warp.values);
        if best.is_none_or(|(highest, _)| mean > highest) {
            best = Some((mean, i));
        }
    }
    let (_, i) = best?;
    if is_part {
        return Some(take(i, Err(NoExpectation::ManyTrials)));
    }
    if are_identical(&places, &told_values) {
        return Some(take(i, Err(NoExpectation::IdenticalRepeats)));
    }
    let cell = &outcomes.told[i].1;
    let values = expected::Values::new(&outcomes, &warp, &stopped);
    let expected = expected::expected(&lattice, &outcomes.told, &values, cell, &most_probable);
    let sign = direction.sign();
    let expected = expected.map(|Expected { mean, interval: (a, b), level }| {
        let (a, b) = (sign * a, sign * b);
        Expected { mean: sign * mean, interval: (a.min(b), a.max(b)), level }
    });
    Some(take(i, expected))
}

/// Which configurations break a constraint.
struct Feasibility<'a> {
    /// For each configuration with constraints, by how many more of its trials meet them than do not.
    margins: HashMap<&'a Cell, i64>,
}

impl<'a> Feasibility<'a> {
    fn new(told: &'a [Told<'_>]) -> Self {
        let mut margins: HashMap<&Cell, i64> = HashMap::new();
        for (trial, cell, _) in told.iter().filter(|(trial, ..)| !trial.system_attributes.is_empty()) {
            *margins.entry(cell).or_default() += if trial.is_feasible() { 1 } else { -1 };
        }
        Self { margins }
    }

    fn holds(&self, cell: &Cell) -> bool {
        self.margins.get(cell).is_none_or(|margin| *margin >= 0)
    }
}

/// Whether there are at least [`TELLING_REPEATS`] repeats, and none differs from its configuration's first value.
fn are_identical(places: &HashMap<&Cell, Vec<usize>>, values: &[Option<f64>]) -> bool {
    let mut repeats = 0;
    for own in places.values() {
        let first = values[own[0]];
        if own[1..].iter().any(|i| values[*i] != first) {
            return false;
        }
        repeats += own.len() - 1;
    }
    repeats >= TELLING_REPEATS
}

/// Mean and variance of what a configuration gives on average over seeds, of which `own` are the places of its told `values`.
///
/// Of the noise variance `n` the share `s = 0.4` is the configuration's own. With `k` values, whose mean has the noise `n_k = n (s + (1 - s) / k)`,
/// the mean is that of the smooth function plus `w = s / (s + (1 - s) / k)` of the residual, the variance `w (1 - w) n_k + (1 - w)^2 v`, `v` the smooth
/// function's: for one value what follows from its noise given all values, `n_e - n_e^2 K^-1`, `n_e = (1 - s) n` (Rasmussen & Williams 2006, section 2.2).
fn own_mean(posterior: &Posterior<'_>, cell: &Cell, own: &[usize], values: &[f64]) -> (f64, f64) {
    let (smooth, variance) = posterior.at(cell, &mut Vec::new());
    let count = own.len() as f64;
    let spread = OWN_SHARE + (1.0 - OWN_SHARE) / count;
    let share = OWN_SHARE / spread;
    let mean = smooth + share * (own.iter().map(|i| values[*i]).sum::<f64>() / count - smooth);
    let noise = spread * posterior.kernel.noise;
    (mean, share * (1.0 - share) * noise + (1.0 - share).powi(2) * variance)
}

#[cfg(test)]
mod tests;
