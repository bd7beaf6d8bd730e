//! Whether models stopped telling rows apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sample::Sample;
use crate::stats::moments::mean;

/// Range of predictions below which the classic report sees a collapse.
const NAIVE_RANGE: f64 = 0.2;
/// Share of trials without recall above which the classic report sees a collapse.
const NAIVE_ZERO_RECALL: f64 = 0.3;

/// What the classic report concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveOutcome {
    /// A rule fired.
    Collapsed,
    /// No rule fired.
    NotCollapsed,
    /// Nothing was recorded that a rule could look at; the classic report prints "No".
    Unknown,
}

/// The classic report's collapse rules over the trials of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NaiveCollapse {
    /// Conclusion.
    pub outcome: NaiveOutcome,
    /// Mean of the largest predictions less the mean of the smallest, where recorded.
    pub range: Option<f64>,
    /// Mean recall at a threshold of 0.5, where recorded.
    pub recall: Option<f64>,
    /// Share of the trials with a recorded recall whose recall is 0.
    pub zero_recall: Option<f64>,
}

/// Applies the classic rules: the mean range of predictions is below 0.2, or more than 30% of the trials recall nothing.
pub fn naive(sample: &Sample<'_>) -> NaiveCollapse {
    let values = |name: &str| sample.metric(name).into_iter().map(|(_, value)| value).collect::<Vec<f64>>();
    let recalls =
        Some(values("recall_at_half")).filter(|own| !own.is_empty()).unwrap_or_else(|| values("recall"));
    let range = mean(values("pred_max")).zip(mean(values("pred_min"))).map(|(high, low)| high - low);
    let zeros = recalls.iter().filter(|&&recall| recall == 0.0).count();
    let zero_recall = (!recalls.is_empty()).then(|| zeros as f64 / recalls.len() as f64);
    let outcome = match (range, zero_recall) {
        (None, None) => NaiveOutcome::Unknown,
        (range, zero)
            if range.is_some_and(|x| x < NAIVE_RANGE) || zero.is_some_and(|x| x > NAIVE_ZERO_RECALL) =>
        {
            NaiveOutcome::Collapsed
        }
        _ => NaiveOutcome::NotCollapsed,
    };
    NaiveCollapse { outcome, range, recall: mean(recalls), zero_recall }
}
