//! The recommended configuration, beside the best observed one.

use allometry_core::{
    Direction, Distribution, FrozenTrial, ModelSize, Params, SearchSpace, TrainingCost, TrialNumber,
};
use allometry_search::{NoExpectation, can_model, recommend};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use allometry_core::is_usable;

/// The recommended configuration, or why there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recommendation {
    /// The configuration; `null` if none can be recommended.
    pub trial: Option<RecommendedTrial>,
    /// Why the configuration or its mean is unknown; `null` if both are known.
    pub unknown: Option<NotRecommended>,
}

/// A tried configuration that probably has the best mean over seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecommendedTrial {
    /// Number of the configuration's first trial.
    pub number: TrialNumber,
    /// Value of that trial.
    pub value: Option<f64>,
    /// Exact size of its model, if known.
    pub size: Option<ModelSize>,
    /// What its training used, as far as known.
    #[serde(default)]
    pub cost: TrainingCost,
    /// Where its model is, if the trial says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The configuration.
    pub params: Params,
    /// Mean value over seeds, if a model could be fitted.
    pub mean: Option<Estimate>,
}

/// Why a recommendation or its mean is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotRecommended {
    /// The trials lack the search space.
    NoSpace,
    /// A parameter's set in the space is empty or not finite.
    OddSpace,
    /// A parameter has too many choices.
    ManyChoices,
    /// No complete trial inside the space has a value and meets all constraints.
    NoValue,
    /// The mean could not be modelled.
    #[serde(untagged)]
    NoExpectation(NoExpectation),
}

/// Returns why no model can be fitted over a space.
fn why_not(space: &SearchSpace) -> NotRecommended {
    let is_long = |set: &Distribution| match set {
        Distribution::Categorical { choices, .. } => !choices.is_empty(),
        _ => false,
    };
    let is_odd = |set: &Distribution| {
        let alone = SearchSpace([("x".to_owned(), set.clone())].into_iter().collect());
        !can_model(&alone) && !is_long(set)
    };
    let any_odd = space.iter().any(|(_, set)| is_odd(set));
    if any_odd { NotRecommended::OddSpace } else { NotRecommended::ManyChoices }
}

impl Recommendation {
    /// Recommends a configuration from a study's trials with [`recommend`]; trials without a usable value are
    /// skipped.
    pub fn new(
        trials: &[FrozenTrial],
        space: Option<&SearchSpace>,
        direction: Direction,
        options: &Options,
    ) -> Self {
        let none = |why| Self { trial: None, unknown: Some(why) };
        let Some(space) = space else { return none(NotRecommended::NoSpace) };
        if !can_model(space) {
            return none(why_not(space));
        }
        let usable = trials.iter().filter(|trial| trial.values.first().copied().is_none_or(is_usable));
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
                value: trial.and_then(FrozenTrial::value),
                size: trial.and_then(|trial| trial.record.size),
                cost: trial.map(FrozenTrial::cost).unwrap_or_default(),
                checkpoint: trial.and_then(FrozenTrial::checkpoint),
                params: found.params,
                mean: mean.ok(),
            }),
        }
    }

    /// Clamps the interval of the mean to [0, 1] for AUCs, because the normal model has no bounds.
    #[must_use]
    pub fn of_auc(mut self) -> Self {
        if let Some(mean) = self.trial.as_mut().and_then(|trial| trial.mean.as_mut()) {
            mean.interval = mean.interval.map(Interval::of_auc);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::{ParamValue, TrialState};

    use super::*;

    /// Recommends from five trials with values of `sets`; the third is the best.
    fn of(set: Distribution, values: [ParamValue; 5]) -> Recommendation {
        let trials = (0..).zip(values).map(|(number, value)| {
            let params = Params([("x".to_owned(), value)].into_iter().collect());
            FrozenTrial::new(number, TrialState::Complete, Some((number as f64 - 2.0).abs()), params)
        });
        let space = SearchSpace([("x".to_owned(), set)].into_iter().collect());
        let trials: Vec<FrozenTrial> = trials.collect();
        Recommendation::new(&trials, Some(&space), Direction::Minimize, &Options::default())
    }

    #[test]
    fn ranges_of_any_width_have_a_recommendation() {
        let top = i64::MAX;
        for (low, values) in [
            (0, [0, 1, top / 2, top - 1, top]),
            (i64::MIN, [i64::MIN, -1, 0, 1, top]),
            (1, [1, 5, 4097, 1 << 40, top]),
        ] {
            for log in [false, true].into_iter().filter(|log| !log || low > 0) {
                let set = Distribution::Int { low, high: top, log, step: 1 };
                let found = of(set, values.map(ParamValue::from));
                let trial = found.trial.unwrap_or_else(|| panic!("{low}: {:?}", found.unknown));
                assert!(trial.params.get("x").is_some());
                assert!(trial.mean.is_none_or(|mean| mean.point.is_finite()));
            }
        }
        let fine = Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(1e-9) };
        assert!(of(fine, [0.0, 0.25, 0.5, 0.75, 1.0].map(ParamValue::from)).trial.is_some());
    }

    #[test]
    fn what_has_no_model_has_one_reason() {
        let values = || [0, 1, 2, 3, 4].map(ParamValue::from);
        let long = Distribution::list((0..5000_i64).map(ParamValue::from).collect());
        let empty = Distribution::Int { low: 2, high: 1, log: false, step: 1 };
        let endless = Distribution::Float { low: 0.0, high: f64::INFINITY, log: false, step: None };
        assert_eq!(of(long, values()).unknown, Some(NotRecommended::ManyChoices));
        for odd in [empty, endless, Distribution::list(Vec::new())] {
            assert_eq!(of(odd, values()).unknown, Some(NotRecommended::OddSpace));
        }
    }
}
