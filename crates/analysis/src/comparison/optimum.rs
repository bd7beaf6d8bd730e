//! Comparison of the best configurations of one budget in two ladders.

use allometry_core::{ParamValue, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::consistency::{Agreement, BestValueSet, agreement};
use crate::coverage::Step;
use crate::study::StudyAnalysis;

/// The best values of a parameter in two ladders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OptimumComparison {
    /// The parameter.
    pub parameter: String,
    /// Value in A's best configuration; omitted where it has none, because `null` may be a value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub a: Option<ParamValue>,
    /// Value in B's best configuration.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub b: Option<ParamValue>,
    /// Whether the two values differ. Values within the error of each other may differ by chance.
    pub differs: bool,
    /// Whether a value may be the best in both, from the sets of values that are not significantly worse than
    /// another.
    pub agreement: Agreement,
    /// Values, or ranges of values, that may be the best in both.
    pub common: Vec<Step>,
}

impl OptimumComparison {
    pub(super) fn all(a: &StudyAnalysis, b: &StudyAnalysis) -> Vec<Self> {
        union(names(a), names(b))
            .into_iter()
            .map(|parameter| {
                let best = |study: &StudyAnalysis| study.best_params()?.get(&parameter).cloned();
                let (first, second) = (best(a), best(b));
                let sets: Vec<&BestValueSet> = [a, b]
                    .into_iter()
                    .filter_map(|study| study.best_values.iter().find(|set| set.parameter == parameter))
                    .collect();
                let (agreement, common) = agreement(&sets);
                Self { differs: first != second, a: first, b: second, agreement, common, parameter }
            })
            .collect()
    }
}

/// Deserializes a present value, which may be `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ParamValue>, D::Error> {
    ParamValue::deserialize(deserializer).map(Some)
}

/// Returns the parameters of the trials in the order of the analysis, then those of the recorded best
/// configuration alone.
fn names(study: &StudyAnalysis) -> Vec<String> {
    let tried = study.best_values.iter().map(|set| set.parameter.clone()).collect();
    let recorded = study.best_params().map(Params::iter).into_iter().flatten();
    union(tried, recorded.map(|(name, _)| name.to_owned()).collect())
}

/// Returns the first list followed by the items that only the second contains.
pub(super) fn union(mut first: Vec<String>, second: Vec<String>) -> Vec<String> {
    for name in second {
        if !first.contains(&name) {
            first.push(name);
        }
    }
    first
}
