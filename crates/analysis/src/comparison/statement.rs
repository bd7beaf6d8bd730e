//! Obstacles and caveats of a comparison.

use allometry_core::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Comparison, RowRelation, Side, measure_alike};
use crate::options::Options;
use crate::scaling::Source;
use crate::statement::Statement;

/// Ratio of trial counts from which they count as unequal.
const UNEQUAL: f64 = 1.5;

/// Something that could not be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Obstacle {
    /// The reason as data, or in words.
    #[serde(flatten)]
    pub reason: Statement<ObstacleReason, ObstacleText>,
}

/// An obstacle in words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ObstacleText {
    /// The part that could not be compared, and why.
    pub statement: String,
    /// A way to make it comparable, where there is one.
    pub hint: Option<String>,
}

/// Why something could not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObstacleReason {
    /// The ladders have different metrics, or different directions.
    DifferentMetrics {
        /// Metric and direction of A.
        a: (String, Direction),
        /// Metric and direction of B.
        b: (String, Direction),
    },
    /// The classes of the validation rows are not known.
    RowsUnknown(Sides),
    /// A side is a report document, which has no trials.
    NoTrials(Sides),
}

/// One side of a comparison, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// A alone.
    A,
    /// B alone.
    B,
    /// A and B.
    Both,
}

impl Sides {
    /// Returns the sides for which the condition holds; `None` where it holds for neither.
    pub(super) fn of(a: bool, b: bool) -> Option<Self> {
        match (a, b) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::A),
            (false, true) => Some(Self::B),
            (false, false) => None,
        }
    }
}

/// A limit of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Caveat")]
pub struct ComparisonCaveat {
    /// In words.
    pub statement: Statement<ComparisonCaveatReason>,
}

/// Why a comparison may mislead.
#[derive(Debug, Clone, PartialEq)]
pub enum ComparisonCaveatReason {
    /// The sources that the intervals cover.
    Covered {
        /// Whether all intervals cover other validation rows.
        rows: bool,
    },
    /// The two ladders were scored on different validation rows.
    DifferentRows,
    /// It is unknown whether the validation rows are the same.
    RowsUnknown,
    /// The observed best of many trials is biased towards better values.
    BestIsBiased,
    /// The numbers of trials are unequal.
    UnequalTrials(Vec<TrialsOfBoth>),
    /// The best models of budgets with equal labels differ in size.
    DifferentSizes(Vec<SizesOfBoth>),
    /// The error of the difference of gains assumes independent ladders.
    GainsIndependent,
    /// B was analysed with other settings.
    OtherSettings {
        /// Settings of A, which the comparison uses.
        a: Settings,
        /// Settings of B.
        b: Settings,
    },
}

/// The numbers of trials of one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialsOfBoth {
    /// Label of the budget.
    pub budget: String,
    /// Trials in A.
    pub a: u64,
    /// Trials in B.
    pub b: u64,
}

/// The sizes of the best models of one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizesOfBoth {
    /// Label of the budget.
    pub budget: String,
    /// Weights in A.
    pub a: u64,
    /// Weights in B.
    pub b: u64,
}

/// The settings that two analyses must share to be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Coverage probability of intervals.
    pub level: f64,
    /// Power at which the number of required rows is computed.
    pub power: f64,
}

impl Settings {
    fn of(options: &Options) -> Self {
        Self { level: options.level, power: options.power }
    }
}

/// Returns the parts that could not be compared.
pub(super) fn obstacles(a: &Side<'_>, b: &Side<'_>) -> Vec<Obstacle> {
    let metric = |side: &Side<'_>| (side.analysis.metric.clone(), side.analysis.direction);
    let alike = measure_alike(a.analysis, b.analysis);
    let metrics = (!alike).then(|| ObstacleReason::DifferentMetrics { a: metric(a), b: metric(b) });
    let lacking_rows = Sides::of(a.analysis.rows.is_none(), b.analysis.rows.is_none());
    let rows = lacking_rows.filter(|_| alike).map(ObstacleReason::RowsUnknown);
    let trials = Sides::of(a.trials.is_none(), b.trials.is_none()).map(ObstacleReason::NoTrials);
    let obstacle = |reason| Obstacle { reason: Statement::Reason(reason) };
    [metrics, rows, trials].into_iter().flatten().map(obstacle).collect()
}

/// Returns the limits of the comparison.
pub(super) fn caveats(comparison: &Comparison, options_b: &Options) -> Vec<ComparisonCaveat> {
    let mut reasons = Vec::new();
    let values = || comparison.budgets.iter().filter_map(|budget| budget.value.as_ref());
    if values().any(|value| value.difference.standard_error.is_some()) {
        let leaves_out = values().any(|value| value.left_out.contains(&Source::Rows));
        reasons.push(ComparisonCaveatReason::Covered { rows: !leaves_out });
        match comparison.rows {
            RowRelation::Different => reasons.push(ComparisonCaveatReason::DifferentRows),
            RowRelation::Unknown => reasons.push(ComparisonCaveatReason::RowsUnknown),
            RowRelation::Same => {}
        }
    }
    reasons.extend(effort(comparison));
    reasons.extend(sizes(comparison));
    if comparison.gain_per_decade.is_some_and(|gain| gain.difference.standard_error.is_some()) {
        reasons.push(ComparisonCaveatReason::GainsIndependent);
    }
    let (a, b) = (Settings::of(&comparison.options), Settings::of(options_b));
    if a != b {
        reasons.push(ComparisonCaveatReason::OtherSettings { a, b });
    }
    reasons.into_iter().map(|reason| ComparisonCaveat { statement: Statement::Reason(reason) }).collect()
}

fn effort(comparison: &Comparison) -> Option<ComparisonCaveatReason> {
    let compared = || comparison.budgets.iter().filter(|budget| budget.value.is_some());
    let is_unequal = |a: u64, b: u64| a.max(b) as f64 >= UNEQUAL * a.min(b) as f64;
    let unequal: Vec<TrialsOfBoth> = compared()
        .map(|budget| TrialsOfBoth { budget: budget.budget.clone(), a: budget.a.trials, b: budget.b.trials })
        .filter(|trials| is_unequal(trials.a, trials.b))
        .collect();
    if !unequal.is_empty() {
        return Some(ComparisonCaveatReason::UnequalTrials(unequal));
    }
    compared().next().map(|_| ComparisonCaveatReason::BestIsBiased)
}

fn sizes(comparison: &Comparison) -> Option<ComparisonCaveatReason> {
    let tolerance = comparison.options.size_tolerance;
    let unequal: Vec<SizesOfBoth> = comparison
        .budgets
        .iter()
        .filter_map(|budget| {
            let (a, b) = (budget.a.size?.total, budget.b.size?.total);
            let differ = (b as f64 - a as f64).abs() > tolerance * a as f64;
            differ.then(|| SizesOfBoth { budget: budget.budget.clone(), a, b })
        })
        .collect();
    (!unequal.is_empty()).then_some(ComparisonCaveatReason::DifferentSizes(unequal))
}
