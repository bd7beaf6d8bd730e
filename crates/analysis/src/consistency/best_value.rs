//! Sets of possible best values of a parameter.

use allometry_core::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::coverage::Step;
use crate::level::Level;
use crate::model::Model;
use crate::options::Options;
use crate::stats::group::GroupSummary;
use crate::stats::{holm, two_sample};

/// The values of one parameter that may be the best in a budget, from the means of distinct evaluations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestValueSet {
    /// The parameter.
    pub parameter: String,
    /// Values that were tried, ascending; ranges where there are many.
    pub tried: Vec<Step>,
    /// Values that are not significantly worse than another, by one-sided Welch tests against every other
    /// value with Holm's adjustment. The set contains the best value with a probability of the level. Values
    /// with a single evaluation cannot be excluded.
    pub possible: Vec<Step>,
}

impl BestValueSet {
    /// Returns the possible values, with neighbouring ranges joined.
    pub(super) fn joined_possible(&self) -> Vec<Step> {
        self.joined(&self.possible)
    }

    /// Returns the values tried, with neighbouring ranges joined.
    pub(super) fn joined_tried(&self) -> Vec<Step> {
        self.joined(&self.tried)
    }

    fn joined(&self, steps: &[Step]) -> Vec<Step> {
        // Values in ranges have no gaps between them.
        let is_continuous = self.tried.iter().any(|tried| tried.upper.is_some());
        let mut joined: Vec<Step> = Vec::new();
        let mut last = None;
        for step in steps {
            let position = self.tried.iter().position(|tried| tried == step);
            let follows = last.zip(position).is_some_and(|(last, position)| position == last + 1);
            last = position;
            match joined.last_mut() {
                Some(range) if is_continuous && follows => {
                    range.upper = Some(step.upper.clone().unwrap_or_else(|| step.value.clone()));
                }
                _ => joined.push(step.clone()),
            }
        }
        joined
    }
}

/// Returns the set of each parameter of a study, in the order of the model's parameters; `levels` are those
/// of the model.
pub(crate) fn best_value_sets(
    model: &Model,
    levels: &[&[Level]],
    direction: Direction,
    options: &Options,
) -> Vec<BestValueSet> {
    let sign = if direction.better(1.0, 0.0) { 1.0 } else { -1.0 };
    model
        .factors
        .iter()
        .zip(levels)
        .map(|(factor, levels)| {
            let mut groups = vec![Vec::new(); levels.len()];
            for (&code, &value) in factor.codes.iter().zip(&model.values) {
                if let Some(group) = groups.get_mut(code) {
                    group.push(sign * value);
                }
            }
            let groups: Vec<Option<GroupSummary>> =
                groups.iter().map(|group| GroupSummary::of(group)).collect();
            let tried: Vec<Step> = levels.iter().map(Step::of).collect();
            let possible = if tried.len() > MOST_LEVELS {
                tried.clone()
            } else {
                let is_possible = |level: &usize| may_be_best(&groups, *level, 1.0 - options.level);
                (0..tried.len()).filter(is_possible).map(|level| tried[level].clone()).collect()
            };
            BestValueSet { parameter: factor.parameter.clone(), tried, possible }
        })
        .collect()
}

/// Most levels of a parameter for the tests; with more, no value is excluded.
const MOST_LEVELS: usize = 100;

/// Whether no other group's mean is significantly better than that of the group at `level`; higher is better.
/// Groups of fewer than two values neither exclude others nor are excluded.
pub(crate) fn may_be_best(groups: &[Option<GroupSummary>], level: usize, alpha: f64) -> bool {
    let Some(candidate) = &groups[level] else { return true };
    let p_values: Vec<f64> = groups
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != level)
        .filter_map(|(_, other)| two_sample::welch_of_summaries(other.as_ref()?, candidate))
        .map(|welch| welch.p_greater)
        .collect();
    holm::adjust(&p_values).into_iter().all(|p| p >= alpha)
}
