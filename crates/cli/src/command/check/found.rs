//! What a check finds, as data: the text and the JSON document are rendered from it.

use allometry_core::{Params, SizeBudget};
use allometry_ladder::{FoldScheme, MissingPolicy};
use serde::Serialize;

use super::attempt::Tried;
use super::power::Power;
use super::unseen::UnseenRows;
use crate::command::confirm_cost::Cost;

/// The result of a check.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub(super) schema: &'static str,
    /// The table; `None` if a program evaluates the trials.
    pub(super) table: Option<Table>,
    /// Combinations of settings with which rows of a window are in no patch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unseen_rows: Vec<UnseenRows>,
    /// Name of the device that trains the built-in model; `None` if processors do.
    pub(super) device: Option<String>,
    /// Matrix products of the built-in model; `None` unless processors train it.
    pub(super) products: Option<Products>,
    /// The program that evaluates the trials; `None` for the built-in model.
    pub(super) command: Option<Program>,
    pub(super) budgets: Vec<Budget>,
    pub(super) confirmation: Cost,
    /// Power of the rows to show a difference; `None` without `--power`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) power: Option<Vec<Power>>,
    /// Results of trainings on labels in random order, one per budget; `None` without `--shuffle`.
    pub(super) shuffle: Option<Vec<String>>,
    /// The trial that `--try` evaluated.
    #[serde(rename = "try")]
    pub(super) tried: Option<Tried>,
}

/// How this machine multiplies matrices.
#[derive(Debug, Serialize)]
pub(super) struct Products {
    /// Precision of the factors.
    pub(super) precision: &'static str,
    /// Instruction set.
    pub(super) instructions: &'static str,
}

/// The table and its parts.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) path: String,
    pub(super) rows: u64,
    pub(super) features: usize,
    /// Names of the features, in order.
    pub(super) feature_names: Vec<String>,
    /// Columns of categories.
    pub(super) categories: Vec<CategoricalColumn>,
    /// Columns that the model cannot see, because they never change within a series and each window is
    /// normalised by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) invisible: Vec<String>,
    /// The other columns.
    pub(super) columns_left_out: Vec<ColumnLeftOut>,
    /// Names of the label's classes in their order; empty if they have none.
    pub(super) classes: Vec<String>,
    /// Number of rows that are left out because of a missing or infinite feature.
    pub(super) dropped: u64,
    /// Features with missing or infinite values.
    pub(super) gaps: Vec<ColumnGaps>,
    /// Series of a table with several.
    pub(super) series: Option<TableSeries>,
    /// Usual distance between the times of neighbouring rows, in words; `None` without times.
    pub(super) spacing: Option<String>,
    /// Holes between rows; `None` without times.
    pub(super) holes: Option<TableHoles>,
    /// Features of which missing or infinite values are filled.
    pub(super) filled: Vec<ColumnGaps>,
    /// Treatment of such values.
    pub(super) na: MissingPolicy,
    /// Number of rows that are kept as history, because their label is unknown.
    pub(super) unlabelled: u64,
    /// Number of rows that a label looks ahead.
    pub(super) horizon: u64,
    pub(super) parts: Vec<Part>,
    /// Walk-forward folds; `None` if each trial is one training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) folds: Option<Folds>,
    /// Features that give the label away, each with how.
    pub(super) leaks: Vec<FoundLeak>,
}

/// A column of categories.
#[derive(Debug, Serialize)]
pub(super) struct CategoricalColumn {
    pub(super) column: String,
    pub(super) categories: Vec<String>,
    /// Number of values of the learned vector of each category; `None` if each is a feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) embedding: Option<usize>,
    /// Number of features.
    #[serde(skip)]
    pub(super) width: usize,
    /// Number of rows of each value that the training part lacks, in words; `None` if there is none.
    pub(super) unseen: Option<String>,
}

/// A column that is no feature.
#[derive(Debug, Serialize)]
pub(super) struct ColumnLeftOut {
    pub(super) column: String,
    pub(super) why: String,
}

/// A feature that gives the label away.
#[derive(Debug, Serialize)]
pub(super) struct FoundLeak {
    pub(super) column: String,
    pub(super) message: String,
}

/// A column with missing or infinite values, or with those that are filled.
#[derive(Debug, Serialize)]
pub(super) struct ColumnGaps {
    pub(super) column: String,
    pub(super) rows: u64,
}

/// Series of a table with several.
#[derive(Debug, Serialize)]
pub(super) struct TableSeries {
    /// Number of series.
    pub(super) count: u64,
    pub(super) shortest: SeriesRows,
    pub(super) longest: SeriesRows,
    /// Series that are shorter than a window.
    pub(super) short: Vec<SeriesRows>,
}

/// A series with its number of rows.
#[derive(Debug, Serialize)]
pub(super) struct SeriesRows {
    pub(super) series: String,
    pub(super) rows: u64,
}

/// Holes between the rows of a table.
#[derive(Debug, Serialize)]
pub(super) struct TableHoles {
    /// Length above which a step is a hole, as in a ladder file.
    pub(super) limit: String,
    /// Whether the ladder sets it, so that windows with holes are left out.
    pub(super) is_set: bool,
    pub(super) count: u64,
    pub(super) longest: Option<LongestHole>,
    /// Number of windows with a hole.
    pub(super) windows: u64,
}

/// The longest hole.
#[derive(Debug, Serialize)]
pub(super) struct LongestHole {
    pub(super) length: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Name of the series; `None` for a table of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) series: Option<String>,
}

/// A part of a table.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) windows: u64,
    /// Number of positive windows; `None` if the label is not binary.
    pub(super) positives: Option<u64>,
    /// Number of windows of each class, by its name or number; empty unless there are several classes.
    pub(super) classes: Vec<ClassWindows>,
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    /// Number of rows, before the embargo, and of series with a window, of a table with several series.
    pub(super) rows: Option<u64>,
    pub(super) series: Option<u64>,
    /// How well the validation part measures an AUC.
    pub(super) precision: Option<Precision>,
}

/// Walk-forward folds of a table.
#[derive(Debug, Serialize)]
pub(super) struct Folds {
    pub(super) scheme: FoldScheme,
    /// Share of each fold's training rows by which the epoch is chosen.
    pub(super) stopping: f64,
    /// Parts of each fold: training, stopping and the era.
    pub(super) parts: Vec<Vec<Part>>,
    /// Number of scaled copies of the table in memory, and their bytes together.
    pub(super) copies: u64,
    pub(super) bytes: u64,
}

/// A class of a part.
#[derive(Debug, Serialize)]
pub(super) struct ClassWindows {
    pub(super) class: String,
    pub(super) windows: u64,
}

/// The error of an AUC.
#[derive(Debug, Serialize)]
pub(super) struct Precision {
    pub(super) auc: f64,
    pub(super) standard_error: f64,
    /// Whether usual differences between models are smaller than the error.
    pub(super) is_low: bool,
}

/// The program of a ladder.
#[derive(Debug, Serialize)]
pub(super) struct Program {
    /// Whether its words pass parameters to it.
    pub(super) gets_parameters: bool,
    pub(super) horizon: u64,
}

/// The search space of a budget, and the cost of its trials.
#[derive(Debug, Serialize)]
pub(super) struct Budget {
    #[serde(flatten)]
    pub(super) size: SizeBudget,
    /// Number of trials that the ladder asks for.
    pub(super) trials: u64,
    /// Number of architectures in the space, and of those that the budget admits.
    pub(super) considered: u64,
    pub(super) feasible: u64,
    /// Weights of the smallest and of the largest admitted architecture, if known.
    pub(super) weights: Option<(u64, u64)>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) conditions: Vec<Condition>,
    /// Number of distinct configurations; `None` if there are infinitely many or too many to count.
    pub(super) configurations: Option<u64>,
    /// A parameter that makes the number of configurations infinite.
    pub(super) continuous: Option<String>,
    pub(super) memory: Option<Memory>,
    pub(super) time: Option<Time>,
    /// Number of training windows of a budget on a part of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) windows: Option<u64>,
    /// The listed architectures; `--all` lists every one.
    pub(super) architectures: Vec<Architecture>,
    /// Number of architectures that are not listed.
    pub(super) unlisted: usize,
}

/// Architectures or configurations that a space does not admit, and why.
#[derive(Debug, Serialize)]
pub(super) struct LeftOut {
    #[serde(flatten)]
    pub(super) extent: Extent,
    pub(super) why: String,
}

/// How much is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Extent {
    /// A number of architectures.
    Architectures(u64),
    /// A share of the configurations of the admitted architectures.
    Share(f64),
}

/// A parameter that exists only for some values of others.
#[derive(Debug, Serialize)]
pub(super) struct Condition {
    pub(super) parameter: String,
    pub(super) when: String,
}

/// Memory of a trial of the largest architecture.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    pub(super) bytes: u64,
    /// Free memory of the machine, if it tells.
    pub(super) available: Option<u64>,
    pub(super) workers: u64,
}

/// Estimated greatest time of a trial on one core.
#[derive(Debug, Serialize)]
pub(super) struct Time {
    pub(super) epochs: usize,
    /// Number of trainings of a trial; `None` without folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) folds: Option<usize>,
    pub(super) seconds: f64,
    /// Seconds of one training on all rows before the test part.
    #[serde(skip)]
    pub(super) once: f64,
}

/// An architecture that a budget admits.
#[derive(Debug, Serialize)]
pub(super) struct Architecture {
    pub(super) params: Params,
    pub(super) weights: Option<u64>,
    /// Work of an epoch; `None` for a program.
    pub(super) flops_per_epoch: Option<u64>,
    pub(super) memory_bytes: Option<u64>,
}
