//! The checked form of a ladder file, in which all values are valid and all names are resolved.

mod model;

use std::fmt;
use std::path::PathBuf;

use allometry_core::space::{self, When};
use allometry_core::{
    Condition, Direction, Distribution, Metrics, ParamValue, Params, PrunerSpec, SamplerSpec, SearchSpace,
    Secret, SizeBudget,
};
use serde::{Deserialize, Serialize};

use super::command::CommandSpec;
use super::limit::Limit;
pub use model::{
    Channels, DeviceKind, LossKind, ModelSpec, Monitor, Named, Normalize, Parametrization, Pooling, Schedule,
    Task,
};

/// One experiment at several sizes: the data, the objective and one study per size.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Name; prefix of its studies' names.
    pub name: String,
    /// Name of the data set or of the set of features in titles.
    pub tag: Option<String>,
    /// Seed from which every other seed is derived.
    pub seed: u64,
    /// The objectives.
    pub metrics: Metrics,
    /// Bounds on reported metrics, which become the constraints of the trials.
    pub limits: Vec<Limit>,
    /// The evaluation of configurations: a model on data, or a command.
    pub objective: ObjectiveSpec,
    /// One study per size, in the file's order.
    pub budgets: Vec<BudgetSpec>,
    /// Sampler of the configurations.
    pub sampler: SamplerSpec,
    /// Rule that ends a study before all its trials are done.
    pub stop: StopRule,
    /// Pruner that stops trials early; `None` for no pruning.
    pub pruner: Option<PrunerSpec>,
    /// Storage URL; `None` for the default storage next to the ladder file.
    pub storage: Option<Secret>,
    /// Smallest difference of the metric that matters, above 0; `None` for the default of each analysis.
    pub smallest_effect: Option<f64>,
    /// Confirmation runs at the end of the search; `None` for none.
    pub confirm: Option<ConfirmSpec>,
}

impl Ladder {
    /// Direction of the first objective.
    pub fn direction(&self) -> Direction {
        self.metrics.first().direction
    }

    /// The budgets whose trials are trained on all training rows.
    pub fn budgets_on_all_rows(&self) -> impl Iterator<Item = &BudgetSpec> {
        self.budgets.iter().filter(|spec| spec.budget.train.is_none())
    }

    /// Largest number of steps that a trial reports, where known: its epochs, or its folds.
    pub fn steps(&self) -> Option<u64> {
        self.folds().map(|folds| folds.count as u64).or_else(|| self.epochs())
    }

    /// Word for a step that a trial reports.
    pub fn step_unit(&self) -> &'static str {
        if self.folds().is_some() { "fold" } else { "epoch" }
    }

    /// Largest number of steps of a single training, where known.
    pub fn epochs(&self) -> Option<u64> {
        let model = match &self.objective {
            ObjectiveSpec::Model { model, .. } => model,
            ObjectiveSpec::Command(command) => return command.steps,
        };
        let of_budget = |spec: &BudgetSpec| spec.largest_setting("epochs", model.epochs as f64) as u64;
        self.budgets.iter().map(of_budget).max()
    }

    /// Parameter that sets the number of steps of a trial; `None` if all trials have the same number, or it
    /// is not known which does.
    pub fn length_parameter(&self) -> Option<&'static str> {
        let is_searched = self.budgets.iter().any(|spec| spec.space.get("epochs").is_some());
        let reports_epochs = matches!(self.objective, ObjectiveSpec::Model { .. }) && self.folds().is_none();
        (reports_epochs && is_searched).then_some("epochs")
    }

    /// The folds of each trial; `None` if a trial is one training.
    pub fn folds(&self) -> Option<FoldSpec> {
        match &self.objective {
            ObjectiveSpec::Model { data, .. } => data.folds,
            ObjectiveSpec::Command(_) => None,
        }
    }
}

/// Number of confirmation runs of each budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmSpec {
    /// Number of best distinct configurations per budget; from 1 to [`Self::MOST`].
    pub top: u64,
    /// Number of seeds per configuration; from 1 to [`Self::MOST`].
    pub seeds: u64,
}

impl ConfirmSpec {
    /// Largest number of configurations, and of seeds.
    pub const MOST: u64 = 1000;
}

/// The best configuration of each budget under five seeds, which suffice for an interval with its nominal
/// coverage.
impl Default for ConfirmSpec {
    fn default() -> Self {
        Self { top: 1, seeds: 5 }
    }
}

/// The evaluation of configurations.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectiveSpec {
    /// The built-in transformer.
    Model {
        /// Rows and their meaning.
        data: DataSpec,
        /// The trained model.
        model: ModelSpec,
    },
    /// A program of the user.
    Command(CommandSpec),
}

/// Rule that ends a study before all its trials are done.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StopRule {
    /// Smallest expected gain of another trial, in units of the metric, below which the study ends.
    pub expected_gain: Option<f64>,
}

/// One study of a ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetSpec {
    /// Target size.
    pub budget: SizeBudget,
    /// Search space at this size, including the budget's own parameters.
    pub space: SearchSpace,
    /// Constraints on its architectures.
    pub constraints: Vec<Condition>,
    /// Conditions of parameters that exist only for given values of others, each after the conditions it
    /// depends on.
    pub conditions: Vec<When>,
    /// Number of trials with a value to reach: complete ones and those stopped early.
    pub trials: u64,
}

impl BudgetSpec {
    /// Whether a configuration has exactly the parameters that are active in it, each with a value of its
    /// set.
    pub fn contains(&self, params: &Params) -> bool {
        space::contains(&self.space, &self.conditions, params)
    }

    /// Largest value that a setting of the model has in a trial of the budget. `fixed` is the value in trials
    /// that do not have it as a parameter.
    pub fn largest_setting(&self, name: &str, fixed: f64) -> f64 {
        let Some((_, largest)) = self.space.get(name).and_then(ends) else { return fixed };
        let is_conditional = self.conditions.iter().any(|when| when.parameter == name);
        if is_conditional { largest.max(fixed) } else { largest }
    }
}

/// The smallest and the largest number of a set; `None` for words.
pub(crate) fn ends(set: &Distribution) -> Option<(f64, f64)> {
    match set {
        Distribution::Int { low, high, .. } => Some((*low as f64, *high as f64)),
        Distribution::Float { low, high, .. } => Some((*low, *high)),
        Distribution::Categorical { choices, .. } => {
            let numbers: Option<Vec<f64>> = choices.iter().map(ParamValue::as_f64).collect();
            let numbers = numbers?;
            Some((numbers.iter().copied().reduce(f64::min)?, numbers.iter().copied().reduce(f64::max)?))
        }
    }
}

/// The rows and their meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSpec {
    /// `.csv` or `.parquet` file, one row per time step; absolute, or relative to the working directory.
    pub path: PathBuf,
    /// Column that orders the rows; `None` where the file is already in order.
    pub time: Option<String>,
    /// Label to predict.
    pub label: LabelSpec,
    /// Columns to predict it from.
    pub features: FeatureSpec,
    /// Shares of the training, validation and test part.
    pub split: SplitSpec,
    /// Walk-forward folds of the validation part; `None` for one training of each trial.
    pub folds: Option<FoldSpec>,
    /// Treatment of rows with missing or infinite features.
    pub missing: MissingPolicy,
    /// Longest time between two neighbouring rows of a window; `None` if it may be any.
    pub max_gap: Option<MaxGap>,
    /// The series that the rows belong to; `None` for a table of one series.
    pub series: Option<SeriesSpec>,
}

/// The series of a table that holds several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesSpec {
    /// Column that tells the series of each row.
    pub column: String,
    /// What the parts consist of.
    #[serde(default)]
    pub split: SeriesSplit,
}

/// What the parts of a table with several series consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesSplit {
    /// Times: the parts are cut at the same times in all series.
    #[default]
    Time,
    /// Series: each belongs to one part with all its rows.
    Series,
}

/// The label of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelSpec {
    /// A column of 0 and 1 (or false and true), of classes by number or by name, or of numbers.
    Column {
        /// Name of the column.
        name: String,
        /// Number of rows ahead that its values depend on, at least 1.
        horizon: usize,
        /// Value that is class 1 of a binary label; `None` for a label of 0 and 1.
        positive: Option<String>,
    },
    /// 1 where `of`, in the one row that is `horizon` rows later, is at least `1 + rise` times the current
    /// `over`; the last `horizon` rows have no label.
    Rise {
        /// Relative rise of the threshold, such as 0.01.
        rise: f64,
        /// Column that must reach the threshold.
        of: String,
        /// Column that the threshold is relative to.
        over: String,
        /// Number of rows ahead, at least 1.
        horizon: usize,
    },
}

impl LabelSpec {
    /// A column whose values depend on the next row.
    pub fn column(name: impl Into<String>) -> Self {
        Self::Column { name: name.into(), horizon: 1, positive: None }
    }

    /// Number of rows ahead that a label depends on, at least 1.
    pub fn horizon(&self) -> usize {
        match self {
            Self::Column { horizon, .. } | Self::Rise { horizon, .. } => *horizon,
        }
    }
}

/// The feature columns; by default all numeric columns except time and label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureSpec {
    /// The only features, in this order, where given.
    pub include: Option<Vec<String>>,
    /// Columns to leave out.
    pub exclude: Vec<String>,
    /// Columns whose values are categories.
    pub categorical: Vec<CategorySpec>,
}

/// A column whose values are categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategorySpec {
    /// Name of the column.
    pub column: String,
    /// Number of values of the learned vector of each category; `None` if each category of the training part
    /// is a feature, 0 or 1.
    pub embedding: Option<usize>,
}

impl CategorySpec {
    /// Largest number of columns with learned vectors.
    pub const MOST_EMBEDDED: usize = 8;
    /// Largest number of values of a learned vector.
    pub const LONGEST_EMBEDDING: usize = 1024;
}

impl From<&str> for CategorySpec {
    /// Returns the column with a feature for each category.
    fn from(column: &str) -> Self {
        Self { column: column.to_owned(), embedding: None }
    }
}

/// The part of the rows on which trials are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoredPart {
    /// Rows that configurations are selected on.
    Validation,
    /// Rows that no selection uses.
    Test,
}

impl ScoredPart {
    /// The part as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Shares of the rows in time order; the remaining rows are the test part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitSpec {
    /// Share of the training part, in (0, 1).
    pub train: f64,
    /// Share of the validation part, in (0, 1).
    pub validation: f64,
}

/// Walk-forward folds: the validation part is cut into eras, and a model is trained before each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FoldSpec {
    /// Number of folds, from [`Self::FEWEST`] to [`Self::MOST`].
    pub count: usize,
    /// The rows that each fold is trained on.
    pub scheme: FoldScheme,
    /// Share of each fold's training rows, the last of them, by which the best epoch is chosen; in (0, 1).
    pub stopping: f64,
}

impl FoldSpec {
    /// Smallest number of folds: the spread of two values says nearly nothing.
    pub const FEWEST: usize = 3;
    /// Largest number of folds.
    pub const MOST: usize = 100;
}

/// The rows that a fold is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldScheme {
    /// All rows before its era.
    #[default]
    Expanding,
    /// The last rows before its era, as many for every fold.
    Rolling,
}

impl FoldScheme {
    /// The scheme as a word, as in a ladder file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expanding => "expanding",
            Self::Rolling => "rolling",
        }
    }
}

/// Treatment of a row with a missing or infinite feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPolicy {
    /// Report an error with the first such column and row.
    #[default]
    Error,
    /// Remove the row before windows are cut.
    Drop,
    /// Take the feature's last value before, at most [`DataSpec::max_gap`] earlier. Rows without one are
    /// removed.
    Ffill,
    /// Take the feature's mean over the training rows. Missing categories are an error.
    Mean,
}

/// Longest time between two neighbouring rows of a window. It is shown as a ladder file has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxGap {
    /// Seconds, where times are dates or times.
    Seconds(f64),
    /// Amount in the unit of times that are numbers.
    Number(f64),
}

impl MaxGap {
    /// The amount, in seconds or in the unit of the times.
    pub fn amount(self) -> f64 {
        match self {
            Self::Seconds(amount) | Self::Number(amount) => amount,
        }
    }
}

impl fmt::Display for MaxGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(f64, &str); 3] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "m")];
        match *self {
            Self::Number(amount) => write!(f, "{amount}"),
            Self::Seconds(seconds) => {
                if let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| seconds % unit == 0.0) {
                    return write!(f, "{}{name}", seconds / unit);
                }
                // Days are kept out of mixed durations: "36h" is better known than "1d 12h".
                let (hours, rest) = ((seconds / 3_600.0).floor(), seconds % 3_600.0);
                let (minutes, rest) = ((rest / 60.0).floor(), rest % 60.0);
                let rest = (rest * 1_000.0).round() / 1_000.0;
                let parts = [(hours, "h"), (minutes, "m"), (rest, "s")];
                let parts = parts.iter().filter(|(amount, _)| *amount > 0.0);
                let parts: Vec<String> = parts.map(|(amount, name)| format!("{amount}{name}")).collect();
                f.write_str(&parts.join(" "))
            }
        }
    }
}
