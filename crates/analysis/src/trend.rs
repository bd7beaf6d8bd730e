//! Trends: the change of the metric over the values of a parameter.

mod adjusted;

use allometry_core::{Direction, ParamValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use adjusted::adjusted_trends;
pub use adjusted::{AdjustedTrend, MonotoneShape, OrderTest, TrendClass};

use crate::level::{Level, values_at};
use crate::sample::first_best;
use crate::stats::moments::{mean, sample_sd};

/// Difference of means below which the classic report calls a trend flat.
pub(crate) const NAIVE_FLAT: f64 = 0.01;

/// The trend of the metric over one parameter in one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// The parameter.
    pub parameter: String,
    /// Trials at each value, ascending; at ranges of values where there are many.
    pub levels: Vec<LevelSummary>,
    /// The classic report's trend over the single values.
    pub naive: NaiveTrend,
    /// The trend with tests, adjusted for other parameters; `null` for a parameter without an order, or with
    /// a single value.
    pub adjusted: Option<AdjustedTrend>,
}

/// The trials at one value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelSummary {
    /// The value; for a range, the smallest value.
    pub value: ParamValue,
    /// The largest value of a range; `null` for a single value.
    pub upper: Option<ParamValue>,
    /// Number of trials.
    pub count: u64,
    /// Mean of the metric.
    pub mean: f64,
    /// Sample standard deviation of the metric; 0 for one trial.
    pub sd: f64,
}

/// The classic report's name of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveDirection {
    /// The mean at the largest value is at least 0.01 above that at the smallest.
    Increasing,
    /// The mean at the largest value is at least 0.01 below that at the smallest.
    Decreasing,
    /// The two differ by less.
    Flat,
    /// There is one value.
    InsufficientData,
}

impl NaiveDirection {
    /// Returns the word that the classic report prints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Increasing => "increasing",
            Self::Decreasing => "decreasing",
            Self::Flat => "flat",
            Self::InsufficientData => "insufficient_data",
        }
    }
}

/// The classic report's trend of a parameter: means at each value, without uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NaiveTrend {
    /// Comparison of the last mean with the first.
    pub direction: NaiveDirection,
    /// The value with the best mean; the first of equals.
    pub best: LevelMean,
    /// The value with the worst mean; the first of equals.
    pub worst: LevelMean,
}

/// A value of a parameter and the mean metric there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelMean {
    /// The value.
    pub value: ParamValue,
    /// Mean of the metric.
    pub mean: f64,
}

impl Trend {
    /// Computes the trend over a parameter from its exact and its binned levels; `None` without levels.
    pub fn new(
        parameter: &str,
        values: &[f64],
        exact: &[Level],
        binned: &[Level],
        direction: Direction,
        adjusted: Option<AdjustedTrend>,
    ) -> Option<Self> {
        let naive = naive(&summarize(values, exact), direction)?;
        Some(Self { parameter: parameter.to_owned(), levels: summarize(values, binned), naive, adjusted })
    }
}

/// Returns mean, standard deviation and count at each level.
pub fn summarize(values: &[f64], levels: &[Level]) -> Vec<LevelSummary> {
    levels
        .iter()
        .filter_map(|level| {
            Some(LevelSummary {
                value: level.value.clone(),
                upper: level.upper.clone(),
                count: level.members.len() as u64,
                mean: mean(values_at(values, level))?,
                sd: sample_sd(values_at(values, level))?,
            })
        })
        .collect()
}

/// Returns the classic trend over levels in ascending order; `None` without levels.
pub fn naive(levels: &[LevelSummary], direction: Direction) -> Option<NaiveTrend> {
    let means: Vec<f64> = levels.iter().map(|level| level.mean).collect();
    let opposite = match direction {
        Direction::Maximize => Direction::Minimize,
        Direction::Minimize => Direction::Maximize,
    };
    let extreme =
        |position: usize| LevelMean { value: levels[position].value.clone(), mean: levels[position].mean };
    let change = means.last()? - means.first()?;
    Some(NaiveTrend {
        direction: match means.len() {
            1 => NaiveDirection::InsufficientData,
            _ if change.abs() < NAIVE_FLAT => NaiveDirection::Flat,
            _ if change > 0.0 => NaiveDirection::Increasing,
            _ => NaiveDirection::Decreasing,
        },
        best: extreme(first_best(&means, direction)?),
        worst: extreme(first_best(&means, opposite)?),
    })
}
