//! Best configurations of one budget in two ladders.

use allometry_core::{ParamValue, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::consistency::{Agreement, BestValueSet, agreement};
use crate::coverage::Step;
use crate::study::StudyAnalysis;

/// A parameter's best values in two ladders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OptimumComparison {
    /// The parameter.
    pub parameter: String,
    /// Its value in A's best configuration; left out where that has none, as `null` may be a value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub a: Option<ParamValue>,
    /// Its value in B's best configuration.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub b: Option<ParamValue>,
    /// Whether the two differ. Where values are as good within their error, that is chance.
    pub differs: bool,
    /// Whether a value may be the best of both, by the sets of values that none is told to be better than.
    pub agreement: Agreement,
    /// Values, or ranges of them, that may be the best of both.
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

/// A value that is there, `null` included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ParamValue>, D::Error> {
    ParamValue::deserialize(deserializer).map(Some)
}

/// Parameters of the trials in the order of the analysis, then those that only the recorded best
/// configuration has.
fn names(study: &StudyAnalysis) -> Vec<String> {
    let tried = study.best_values.iter().map(|set| set.parameter.clone()).collect();
    let recorded = study.best_params().map(Params::iter).into_iter().flatten();
    union(tried, recorded.map(|(name, _)| name.to_owned()).collect())
}

/// The first list, then what only the second has.
pub(super) fn union(mut first: Vec<String>, second: Vec<String>) -> Vec<String> {
    for name in second {
        if !first.contains(&name) {
            first.push(name);
        }
    }
    first
}
