//! The configuration to take, beside the best one observed.

use allometry_core::sampler::{NoExpectation, can_model, recommend};
use allometry_core::{Direction, FrozenTrial, ModelSize, Params, SearchSpace, TrialNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use crate::sample::is_usable;

/// The configuration to take, or why none is named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recommendation {
    /// The configuration; `null` where nothing tells one.
    pub trial: Option<RecommendedTrial>,
    /// Why it, or what it gives on average, is not known; `null` where both are.
    pub unknown: Option<NotRecommended>,
}

/// A tried configuration whose mean over seeds is probably the best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecommendedTrial {
    /// The configuration's first trial.
    pub number: TrialNumber,
    /// That trial's value.
    pub value: Option<f64>,
    /// Exact size of its model, where known.
    pub size: Option<ModelSize>,
    /// The configuration.
    pub params: Params,
    /// What a trial of it gives on average over seeds, where a model tells.
    pub mean: Option<Estimate>,
}

/// Why a recommendation, or its mean, is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotRecommended {
    /// The trials came without the sets of their parameters.
    NoSpace,
    /// A set of the space is empty, not finite, or has too many values.
    OddSpace,
    /// No complete trial inside the space has a value and breaks no constraint.
    NoValue,
    /// There is no model of the mean.
    #[serde(untagged)]
    NoExpectation(NoExpectation),
}

impl Recommendation {
    /// Of a study's trials by [`recommend`]; those with a value that nothing can be computed with are passed
    /// over.
    pub fn new(
        trials: &[FrozenTrial],
        space: Option<&SearchSpace>,
        direction: Direction,
        options: &Options,
    ) -> Self {
        let none = |why| Self { trial: None, unknown: Some(why) };
        let Some(space) = space else { return none(NotRecommended::NoSpace) };
        if !can_model(space) {
            return none(NotRecommended::OddSpace);
        }
        let usable = trials.iter().filter(|trial| trial.value.is_none_or(is_usable));
        let Some(found) = recommend(usable, space, direction) else { return none(NotRecommended::NoValue) };
        let mean = found.expected.map(|expected| Estimate {
            interval: Some(expected.interval.into()),
            level: expected.level,
            method: Method::GaussianProcess,
            ..Estimate::observed(expected.mean, options)
        });
        let trial = trials.iter().find(|trial| trial.number == found.number);
        Self {
            unknown: mean.err().map(NotRecommended::NoExpectation),
            trial: Some(RecommendedTrial {
                number: found.number,
                value: trial.and_then(|trial| trial.value),
                size: trial.and_then(|trial| trial.record.size),
                params: found.params,
                mean: mean.ok(),
            }),
        }
    }

    /// Where the values are AUCs: a normal model knows nothing of their ends, an interval does.
    #[must_use]
    pub fn of_auc(mut self) -> Self {
        if let Some(mean) = self.trial.as_mut().and_then(|trial| trial.mean.as_mut()) {
            mean.interval = mean.interval.map(Interval::of_auc);
        }
        self
    }
}
