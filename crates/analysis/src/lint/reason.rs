//! Claims of a report, and the reasons why they stand or not, as data.

use allometry_core::ParamValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mismatch::Mismatch;
use crate::consistency::NaiveConsistency;
use crate::edge::Edge;
use crate::estimate::Interval;
use crate::scaling::NaiveScaling;
use crate::trend::NaiveDirection;
use crate::verdict::{Answer, Covers};

/// A claim in one of the report's lines.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The verdict on scaling.
    Scaling {
        /// Its word.
        word: NaiveScaling,
        /// The order of the budgets behind it.
        order: String,
    },
    /// The size of a budget's models.
    Size {
        /// Weights that the label names.
        nominal: f64,
    },
    /// Whether budgets agree on the best value of a parameter.
    Consistency {
        /// The parameter.
        parameter: String,
        /// The report's word.
        word: NaiveConsistency,
        /// The best values.
        values: Vec<ParamValue>,
    },
    /// Whether the probabilities collapsed.
    Collapse {
        /// Whether they did.
        collapsed: bool,
    },
    /// The best configuration of a budget.
    BestConfiguration {
        /// Its parameters and values as printed.
        params: Vec<(String, String)>,
    },
    /// The claim that importances are fractions of the variance.
    Shares {
        /// Number of parameters.
        parameters: u64,
    },
    /// The importance of a parameter.
    Importance {
        /// The parameter.
        parameter: String,
        /// The fraction of the variance.
        share: f64,
    },
    /// The direction of a trend.
    Trend {
        /// The parameter.
        parameter: String,
        /// The report's word.
        direction: NaiveDirection,
    },
    /// The best value of a parameter.
    BestValue {
        /// The parameter.
        parameter: String,
        /// The value.
        value: ParamValue,
    },
}

/// Source of the order of the budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetOrder {
    /// The exact sizes of the best models.
    ExactSizes,
    /// The weights of their blocks.
    BlockWeights,
    /// The report's order; sizes are not known.
    Given,
}

/// The answer from the means of a report's trials, with the sources that their error covers.
#[derive(Debug, Clone, PartialEq)]
pub struct MeansReason {
    /// The answer.
    pub answer: Answer,
    /// The sources that its error covers; `None` without an error.
    pub covers: Option<Covers>,
}

/// Why a conclusion stands or does not.
#[derive(Debug, Clone, PartialEq)]
pub enum LintReason {
    /// The conclusion from the means of the trials; its sentence is that of the lint's scaling.
    Means {
        /// Labels of the budgets by size with the source of their order, where it differs from the report's
        /// order.
        order: Option<(BudgetOrder, Vec<String>)>,
    },
    /// Another line of the report contradicts it.
    Contradicted(Mismatch),
    /// Evidence on the best model's size.
    Size(SizeReason),
    /// Evidence from the tables on one best value for all budgets.
    Consistency(ConsistencyReason),
    /// Evidence on predictions.
    Collapse(CollapseReason),
    /// Evidence on the best configuration.
    Best {
        /// Number of trials that it was chosen from, where stated.
        trials: Option<u64>,
        /// Its value.
        best: f64,
        /// The values of the best configuration at an end.
        ends: Ends,
    },
    /// The sum of importances.
    Shares {
        /// Their sum.
        sum: f64,
        /// Whether the sum is more than 1.
        is_more_than_whole: bool,
    },
    /// The test of a parameter's effect.
    Importance(ImportanceReason),
    /// The test of a trend.
    Trend(TrendReason),
    /// The test of a best value.
    BestValue(BestValueReason),
}

/// Evidence on the size of a budget's best model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeReason {
    /// Its exact weights.
    Exact(u64),
    /// The weights of its blocks, which alone exceed the label.
    BlocksAlone(u64),
    /// The weights of its blocks; the rest is not known.
    Blocks(u64),
    /// Its architecture is not given.
    Unknown,
}

/// Evidence from the tables on one best value for all budgets.
#[derive(Debug, Clone, PartialEq)]
pub enum ConsistencyReason {
    /// Fewer than two budgets have a table of the same values.
    NotComparable,
    /// No value may be best in every budget.
    NoCommonValue,
    /// These values may be best in every budget, although the report denies it.
    Compatible(Vec<ParamValue>),
    /// In every budget all other values are significantly worse.
    OnlyValue,
    /// These values may be best in every budget, and others in single budgets.
    OthersPossible(Vec<ParamValue>),
}

/// Evidence on the predictions of a budget's models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CollapseReason {
    /// Neither a range of predictions nor a recall was recorded.
    NothingRecorded,
    /// No range of predictions was recorded.
    NoRange,
    /// Predictions span a range.
    Spans(f64),
    /// The claim rests on the recall alone.
    RecallAlone,
    /// Predictions span a range; the share of positives is not known.
    PositivesUnknown(f64),
    /// Predictions span a range that is nearly one number.
    OneNumber(f64),
    /// Predictions span a narrow range that is not one number.
    Narrow {
        /// The range.
        range: f64,
        /// The share of positives.
        prior: f64,
    },
}

/// Values of a best configuration that lie at an end of the tried values.
#[derive(Debug, Clone, PartialEq)]
pub enum Ends {
    /// None.
    None,
    /// Values of these parameters, without a significant slope towards the end.
    NotTold(Vec<String>),
    /// These values, with a significant slope towards the end.
    Told(Vec<Edge>),
}

/// The one-way analysis of variance of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneWayTest {
    /// Degrees of freedom between and within values.
    pub freedom: (u64, u64),
    /// F; `None` where it is infinite.
    pub f: Option<f64>,
    /// Its p-value after Holm's adjustment.
    pub p_holm: f64,
}

/// The test of a parameter's effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ImportanceReason {
    /// The effect is significant.
    Effect {
        /// The test.
        test: OneWayTest,
        /// The share corrected for chance.
        corrected: f64,
    },
    /// The effect is not significant.
    Chance {
        /// The test.
        test: OneWayTest,
        /// Expected share without any effect.
        by_chance: f64,
    },
    /// The parameter was tried at one value only.
    OneValue,
    /// No value has enough trials, or nothing varies.
    NoTest,
    /// There is no table, and the effect is not significant even for two values.
    NoTableAndChance {
        /// The p-value for two values.
        p: f64,
    },
    /// There is no table; for two values the effect would be significant.
    NoTablePossible {
        /// The p-value for two values.
        p: f64,
    },
    /// There is no table.
    NoTable,
}

/// The test of a trend, with the values that have few trials.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendReason {
    /// The test.
    pub test: TrendTest,
    /// Values with fewer than `few` trials.
    pub thin: Vec<ParamValue>,
    /// The minimum number of trials.
    pub few: u64,
}

/// The test of a trend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrendTest {
    /// One value, which has no trend.
    OneValue,
    /// The values have no order, or fewer than two of them have two trials.
    NoOrder,
    /// The slope has the direction in the report.
    AsStated(TrendSlope),
    /// The slope has another direction than in the report.
    Other(TrendSlope, NaiveDirection),
    /// The slope is not significant.
    Chance(TrendSlope),
    /// The value at an end has a single trial.
    SingleTrial,
    /// The change from end to end.
    Change {
        /// Its interval.
        interval: Interval,
        /// The change below which the report calls a trend flat.
        margin: f64,
    },
}

/// The slope of a trend over its ordered values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendSlope {
    /// The slope per step.
    pub slope: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Its p-value after Holm's adjustment.
    pub p_holm: f64,
}

/// The test of the best value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum BestValueReason {
    /// It is the only value tried.
    OnlyValue,
    /// Every other value is significantly worse.
    OthersWorse {
        /// The p-value after Holm's adjustment, where there is a test.
        p_holm: Option<f64>,
    },
    /// All other values are significantly worse, except these, which were tried once each.
    AllBut(Vec<ParamValue>),
    /// Any of this number of values may be the best.
    AnyOf(u64),
    /// The difference is not significant over all tables of the report.
    Chance {
        /// The p-value after Holm's adjustment, where there is a test.
        p_holm: Option<f64>,
    },
    /// These values may be the best as well.
    Also(Vec<ParamValue>),
}

/// A remark that is not a contradiction but may matter to a reader.
#[derive(Debug, Clone, PartialEq)]
pub enum NoteReason {
    /// The line has no known form and was not read.
    Unread,
    /// The counts of a table sum to fewer than the trials.
    CountsBelowTrials {
        /// The parameter of the table.
        parameter: String,
        /// The sum of the counts.
        total: u64,
        /// The number of trials.
        trials: u64,
    },
    /// The table of best results lacks a budget.
    NoRow {
        /// The budget.
        budget: String,
    },
    /// The best configuration has a value that is not in its table.
    NotInTable {
        /// The parameter.
        parameter: String,
        /// The value as printed.
        value: String,
    },
}
