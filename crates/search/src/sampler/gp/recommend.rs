//! The recommendation of a tried configuration.

mod best_value;
mod expected;
mod stopped;

use std::collections::HashMap;

use allometry_core::{Direction, Distribution, FrozenTrial, Params, SearchSpace, TrialNumber, TrialState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::best_value::{BestValue, best_value};
use self::stopped::Stopped;
use super::carried::CarriedTrials;
use super::fit::kernel_of;
use super::observations::TELLING_REPEATS;
use super::{Fit, MOST_FITTED, MOST_TRIALS};
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome::{EndedTrial, Goal, Outcomes, Warp};

/// Nominal coverage of the interval.
const LEVEL: f64 = 0.9;
/// Largest number of values of a list or of a range with steps.
const MOST_CHOICES: usize = 4096;
/// The recommended configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// First trial of the configuration.
    pub number: TrialNumber,
    /// The configuration.
    pub params: Params,
    /// Mean of the configuration over seeds, or why it is unknown.
    pub expected: Result<Expected, NoExpectation>,
}

/// The estimated mean of a configuration over seeds, in the objective's units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Posterior mean.
    pub mean: f64,
    /// Interval of the mean.
    pub interval: (f64, f64),
    /// Nominal coverage of the interval: 0.9.
    pub level: f64,
}

/// Why a model gives no estimate of the mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NoExpectation {
    /// Fewer than two trials have a finite value.
    #[error("fewer than two trials have a finite value")]
    FewValues,
    /// The model uses only the best trials, whose noise is not representative.
    #[error("the model uses only the best {MOST_TRIALS} of the trials, whose noise is not representative")]
    ManyTrials,
    /// Repeated configurations have identical values, so that the noise between seeds is unknown.
    #[error("repeated configurations have identical values, so that the effect of the seed is unknown")]
    IdenticalRepeats,
    /// The squares of the values overflow.
    #[error("values are too large to compute with")]
    TooLarge,
}

/// Whether a model can be fitted over a space: every distribution has a value, bounds are finite, and lists
/// have at most 4,096 values. This holds for ladders, but not for all studies of other programs.
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

/// The tried configuration whose true mean is probably best among those that meet all constraints. `None`
/// where no complete trial in the space meets them, or where [`can_model`] rejects the space. `trials` are in
/// order of their numbers; trials that have not ended are skipped.
///
/// A trial that was stopped early is not recommended; its data are the final value predicted from its
/// intermediate values, or nothing where too few trials continued from its last step. A configuration with
/// several trials violates a constraint where more of them do than do not; its values are modelled like all
/// others.
///
/// Configurations are compared by the posterior mean of the Gaussian process of `gp`, plus the
/// configuration-specific share of the residual. Under noise the best observed value is often lucky, and the
/// posterior mean alone too smooth. Of more than 300 ended trials the best 300 are modelled.
///
/// The interval is computed from mixtures of normal distributions: the mean over seeds and its variance under
/// 32 draws of length scales, signal and noise from their posterior, on the scale of the values. Variances
/// are multiplied by `n / (n - D - 2)`, as for `D + 2` parameters fitted to `n` configurations. Only repeats
/// inform about the configuration-specific share of the noise, which recurs with another seed: with repeats
/// the share is drawn with the other parameters; without repeats the interval holds for every share, and
/// extends from the smooth function to the observed value. With identical repeats there is no interval,
/// because the noise between seeds is unknown. `docs/adr/0046` has its coverage.
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
    let stopped = Stopped::new(&outcomes.ended, direction);
    for (trial, _, value) in outcomes.ended.iter_mut().filter(|(trial, ..)| trial.state == TrialState::Pruned)
    {
        *value = stopped.means.get(&trial.number).copied();
    }
    outcomes.ended.retain(|(trial, _, value)| trial.state != TrialState::Pruned || value.is_some());
    let is_part = outcomes.ended.len() > MOST_TRIALS;
    outcomes.keep_best(MOST_TRIALS);
    let feasible = Feasibility::new(&outcomes.ended);
    let value_of = |i: usize| {
        let (trial, cell, value) = &outcomes.ended[i];
        value
            .filter(|_| trial.state == TrialState::Complete && feasible.holds(cell))
            .unwrap_or(f64::NEG_INFINITY)
    };
    let better = |a: usize, b: usize| if value_of(b) > value_of(a) { b } else { a };
    let first_best = (0..outcomes.ended.len()).reduce(better)?;
    if value_of(first_best) == f64::NEG_INFINITY {
        return None;
    }
    let take = |i: usize, expected| {
        let trial = outcomes.ended[i].0;
        Recommendation { number: trial.number, params: trial.params.clone(), expected }
    };
    let few = || take(first_best, Err(NoExpectation::FewValues));
    let observed = outcomes.values();
    let Some(warp) = Warp::new(&observed) else { return Some(few()) };
    let fit = Fit::new(&lattice, &outcomes.ended, &warp.values, &CarriedTrials::default());
    let most_probable = fit.likelihood().fit();
    let Some(posterior) = fit.posterior(kernel_of(&most_probable)) else { return Some(few()) };
    let mut places: HashMap<&Cell, Vec<usize>> = HashMap::new();
    for (i, (_, cell, _)) in outcomes.ended.iter().enumerate() {
        if value_of(i) > f64::NEG_INFINITY {
            places.entry(cell).or_default().push(i);
        }
    }
    let mut best: Option<(f64, usize)> = None;
    for (i, (_, cell, _)) in outcomes.ended.iter().enumerate() {
        if places.get(cell).is_none_or(|own| own[0] != i) {
            continue;
        }
        let mean = posterior.mean_over_seeds(cell);
        if best.is_none_or(|(highest, _)| mean > highest) {
            best = Some((mean, i));
        }
    }
    let (_, i) = best?;
    if is_part {
        return Some(take(i, Err(NoExpectation::ManyTrials)));
    }
    if are_identical(&places, &observed) {
        return Some(take(i, Err(NoExpectation::IdenticalRepeats)));
    }
    let cell = &outcomes.ended[i].1;
    let values = expected::Values::new(&outcomes, &warp, &stopped);
    let expected = expected::expected(&lattice, &outcomes.ended, &values, cell, &most_probable);
    let sign = direction.sign();
    let expected = expected.map(|Expected { mean, interval: (a, b), level }| {
        let (a, b) = (sign * a, sign * b);
        Expected { mean: sign * mean, interval: (a.min(b), a.max(b)), level }
    });
    Some(take(i, expected))
}

/// The configurations that violate a constraint.
struct Feasibility<'a> {
    /// For each configuration with constraints, the number of its trials that meet them less the number of
    /// those that do not.
    margins: HashMap<&'a Cell, i64>,
}

impl<'a> Feasibility<'a> {
    fn new(ended: &'a [EndedTrial<'_>]) -> Self {
        let mut margins: HashMap<&Cell, i64> = HashMap::new();
        for (trial, cell, _) in ended.iter().filter(|(trial, ..)| !trial.system_attributes.is_empty()) {
            *margins.entry(cell).or_default() += if trial.is_feasible() { 1 } else { -1 };
        }
        Self { margins }
    }

    fn holds(&self, cell: &Cell) -> bool {
        self.margins.get(cell).is_none_or(|margin| *margin >= 0)
    }
}

/// Whether there are at least [`TELLING_REPEATS`] repeats, all equal to their configuration's first value.
fn are_identical(places: &HashMap<&Cell, Vec<usize>>, values: &[Option<f64>]) -> bool {
    let mut repeats = 0;
    for own in places.values() {
        let first = values[own[0]];
        if own[1..].iter().any(|i| values[*i] != first) {
            return false;
        }
        repeats += own.len() - 1;
    }
    repeats as f64 >= TELLING_REPEATS
}

#[cfg(test)]
mod tests;
