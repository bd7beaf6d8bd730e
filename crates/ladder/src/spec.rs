//! The checked form of a ladder file, in which all values are valid and all names are resolved.

use std::fmt;
use std::path::PathBuf;

use allometry_core::space::{self, When};
use allometry_core::{
    Condition, Direction, Distribution, Metrics, ParamValue, Params, PrunerSpec, SamplerSpec, SearchSpace,
    Secret, SizeBudget,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::command::CommandSpec;
use super::limit::Limit;
use super::precision::Precision;

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
    /// Columns of which each value of the training part is a feature, 0 or 1.
    pub categorical: Vec<String>,
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
                let whole = UNITS.into_iter().find(|(unit, _)| seconds % unit == 0.0);
                let (unit, name) = whole.unwrap_or((1.0, "s"));
                write!(f, "{}{name}", seconds / unit)
            }
        }
    }
}

/// Scaling of the values of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// By each window's own mean and standard deviation (Kim et al. 2022); removes the level, which may be
    /// informative.
    Revin,
    /// By the mean and standard deviation of the training part.
    #[default]
    Standard,
    /// No scaling.
    None,
}

/// Words of a ladder file, and the values that they mean in the same order.
pub type Named<T> = (&'static [&'static str], &'static [T]);

impl Normalize {
    /// All kinds by their names in ladder files.
    pub const NAMED: Named<Self> =
        (&["standard", "revin", "none"], &[Self::Standard, Self::Revin, Self::None]);
}

/// Learning rate schedule over the epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The learning rate is constant.
    #[default]
    Constant,
    /// The learning rate falls to zero along a half cosine.
    Cosine,
    /// The learning rate falls to zero linearly.
    Linear,
}

/// The kind of prediction task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Binary classification; the value is the AUC.
    #[default]
    Binary,
    /// Classification into classes numbered from 0; the value is the mean one-vs-rest AUC over the classes.
    Classes,
    /// Regression; the value is the coefficient of determination, R2.
    Regression,
}

/// Loss function of training for classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Cross-entropy.
    #[default]
    Bce,
    /// Cross-entropy with windows weighted by their class.
    Weighted,
    /// Binary cross-entropy with easy windows down-weighted (Lin et al. 2017).
    Focal,
    /// A convex surrogate of 1 - AUC over pairs of windows (Gao & Zhou 2015).
    SoftAuc,
}

impl LossKind {
    /// All losses by their names in ladder files.
    pub const NAMED: Named<Self> =
        (&["bce", "weighted", "focal", "soft_auc"], &[Self::Bce, Self::Weighted, Self::Focal, Self::SoftAuc]);
}

/// Whether the features of a row form one token or separate series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// A patch contains all features.
    #[default]
    Mixed,
    /// A patch contains one feature; all features share the weights and are combined in the head (Nie et al.
    /// 2023).
    Independent,
}

/// Input of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The concatenated patches.
    #[default]
    Flatten,
    /// The mean of the patches.
    Mean,
}

/// Dependence of initial weights, learning rates and attention scores on the width of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parametrization {
    /// One learning rate for all weights, initial weights by the inputs of each layer, and attention scores
    /// divided by the root of the head's width.
    #[default]
    Standard,
    /// Maximal update parametrization (Yang & Hu 2021; Yang et al. 2022): updates change activations equally
    /// at every width.
    Mup,
}

/// A metric of each epoch that early stopping can monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the metrics' names say what they are")]
pub enum Monitor {
    Auc,
    AveragePrecision,
    F1AtHalf,
    F1AtPrior,
    Brier,
    LogLoss,
    ValidationLoss,
    TrainLoss,
    Accuracy,
    R2,
    Mse,
    Mae,
}

impl Monitor {
    /// All metrics.
    pub const ALL: [Self; 12] = [
        Self::Auc,
        Self::AveragePrecision,
        Self::F1AtHalf,
        Self::F1AtPrior,
        Self::Brier,
        Self::LogLoss,
        Self::ValidationLoss,
        Self::TrainLoss,
        Self::Accuracy,
        Self::R2,
        Self::Mse,
        Self::Mae,
    ];

    /// The name among an epoch's metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::AveragePrecision => "average_precision",
            Self::F1AtHalf => "f1_at_half",
            Self::F1AtPrior => "f1_at_prior",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::ValidationLoss => "validation_loss",
            Self::TrainLoss => "train_loss",
            Self::Accuracy => "accuracy",
            Self::R2 => "r2",
            Self::Mse => "mse",
            Self::Mae => "mae",
        }
    }

    /// Direction in which the metric improves.
    pub fn direction(self) -> Direction {
        match self {
            Self::Auc
            | Self::AveragePrecision
            | Self::F1AtHalf
            | Self::F1AtPrior
            | Self::Accuracy
            | Self::R2 => Direction::Maximize,
            Self::Brier | Self::LogLoss | Self::ValidationLoss | Self::TrainLoss | Self::Mse | Self::Mae => {
                Direction::Minimize
            }
        }
    }

    /// Whether models of `task` report the metric.
    pub fn is_of(self, task: Task) -> bool {
        match self {
            Self::ValidationLoss | Self::TrainLoss => true,
            Self::Auc | Self::LogLoss => task != Task::Regression,
            Self::AveragePrecision | Self::F1AtHalf | Self::F1AtPrior | Self::Brier => task == Task::Binary,
            Self::Accuracy => task == Task::Classes,
            Self::R2 | Self::Mse | Self::Mae => task == Task::Regression,
        }
    }
}

impl Task {
    /// The metric whose value is a trial's value.
    pub fn metric(self) -> Monitor {
        match self {
            Self::Binary | Self::Classes => Monitor::Auc,
            Self::Regression => Monitor::R2,
        }
    }
}

/// Device that trains the built-in model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DeviceKind {
    /// The processor, with one thread per trial.
    #[default]
    Cpu,
    /// A graphics processor, through Vulkan, Metal or DirectX 12.
    Wgpu,
}

impl DeviceKind {
    /// All devices.
    pub const ALL: [Self; 2] = [Self::Cpu, Self::Wgpu];

    /// The name in ladder files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
        }
    }
}

/// Settings of the built-in `PatchTST` model: of a ladder, or of one trial.
///
/// A setting that the search spaces contain has its default in those of the ladder; a trial's own value
/// replaces it in those of the trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Rows in a window; where trials choose it, the largest number in the ladder's settings.
    pub context: usize,
    /// Rows in a patch, at most `context`; where trials choose it, 0 in the ladder's settings.
    pub patch: usize,
    /// Rows from one patch to the next; where trials choose it, 0 in the ladder's settings.
    pub stride: usize,
    /// Kind of prediction task.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: Task,
    /// Scaling of the inputs.
    pub normalize: Normalize,
    /// Whether RevIN has a learned scale and shift per feature.
    #[serde(default, skip_serializing_if = "is_default")]
    pub revin_affine: bool,
    /// Whether features are mixed in a patch.
    #[serde(default, skip_serializing_if = "is_default")]
    pub channels: Channels,
    /// Number of columns of a learned linear map of a row's features, applied before patches are cut; 0 for
    /// no map.
    #[serde(default, skip_serializing_if = "is_default")]
    pub feature_embedding: usize,
    /// Input of the head.
    #[serde(default, skip_serializing_if = "is_default")]
    pub head: Pooling,
    /// Dropout probability of the head's inputs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub head_dropout: f64,
    /// Dependence on the width of the model.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parametrization: Parametrization,
    /// Width of the model at which `mup` is the standard parametrization.
    #[serde(default = "base_width", skip_serializing_if = "is_base_width")]
    pub base_width: usize,
    /// Width of an attention head at which scores under `mup` are the standard ones.
    #[serde(default = "base_head_width", skip_serializing_if = "is_base_head_width")]
    pub base_head_width: usize,
    /// Loss function; of a label with more than two classes `Bce` or `Weighted`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub loss: LossKind,
    /// Weight of positive windows in the weighted loss; `None` for the ratio of negatives to positives in the
    /// training part.
    #[serde(default, skip_serializing_if = "is_default")]
    pub positive_weight: Option<f64>,
    /// Exponent of the focal loss.
    #[serde(default = "focal_gamma", skip_serializing_if = "is_focal_gamma")]
    pub focal_gamma: f64,
    /// Share of the label smoothing, which mixes labels with the uniform distribution over classes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
    /// Largest number of epochs.
    pub epochs: usize,
    /// Epochs without improvement before a trial stops.
    pub patience: usize,
    /// Number of consecutive epochs with constant predictions after which a trial stops as collapsed; 0 for
    /// never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub collapse_epochs: usize,
    /// Smallest gain of the monitored metric that counts as an improvement.
    pub minimum_gain: f64,
    /// Metric that early stopping monitors and that selects the best epoch; `None` for the task's metric.
    #[serde(default, skip_serializing_if = "is_default")]
    pub monitor: Option<Monitor>,
    /// Number of windows in a batch; `None` for a number that decreases with the size of the model.
    pub batch_size: Option<usize>,
    /// Number of batches whose gradients are averaged for one update.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulate: usize,
    /// Number of epochs whose final weights are averaged: a trial's weights after an epoch are the mean over
    /// that epoch and the ones before it.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub average_epochs: usize,
    /// Largest L2 norm of the gradient; infinite for no clipping, which JSON writes as null.
    #[serde(deserialize_with = "null_as_infinity")]
    pub gradient_clip: f64,
    /// Learning rate schedule.
    pub schedule: Schedule,
    /// Number of epochs of linear warm-up of the learning rate from zero.
    pub warmup_epochs: f64,
    /// Numbers that matrix products multiply.
    #[serde(default, skip_serializing_if = "is_default")]
    pub precision: Precision,
    /// Device that trains the model. Studies and checkpoints do not store it, so that both can resume on
    /// another device.
    #[serde(skip)]
    pub device: DeviceKind,
}

impl ModelSpec {
    /// Settings with all defaults.
    pub fn new(context: usize, patch: usize, stride: usize) -> Self {
        Self {
            context,
            patch,
            stride,
            task: Task::default(),
            normalize: Normalize::default(),
            revin_affine: false,
            channels: Channels::default(),
            feature_embedding: 0,
            head: Pooling::default(),
            head_dropout: 0.0,
            parametrization: Parametrization::default(),
            base_width: base_width(),
            base_head_width: base_head_width(),
            loss: LossKind::default(),
            positive_weight: None,
            focal_gamma: focal_gamma(),
            label_smoothing: 0.0,
            epochs: 50,
            patience: 10,
            minimum_gain: 0.0,
            monitor: None,
            batch_size: Some(128),
            accumulate: 1,
            average_epochs: 1,
            collapse_epochs: 0,
            gradient_clip: 1.0,
            schedule: Schedule::default(),
            warmup_epochs: 0.0,
            precision: Precision::default(),
            device: DeviceKind::default(),
        }
    }

    /// Metric that early stopping monitors.
    pub fn monitored(&self) -> Monitor {
        self.monitor.unwrap_or(self.task.metric())
    }

    /// Number of windows in a batch for a model of `weights` weights: where not given, 128, from 1 million
    /// 64, from 8 million 32.
    pub fn batch_size(&self, weights: u64) -> usize {
        self.batch_size.unwrap_or(match weights {
            0..1_000_000 => 128,
            1_000_000..8_000_000 => 64,
            _ => 32,
        })
    }
}

/// Whether a setting has its default value. Defaults are not serialized, so that studies from before the
/// setting existed can resume.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn focal_gamma() -> f64 {
    2.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_focal_gamma(gamma: &f64) -> bool {
    *gamma == focal_gamma()
}

fn base_width() -> usize {
    64
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_base_width(width: &usize) -> bool {
    *width == base_width()
}

fn base_head_width() -> usize {
    16
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_base_head_width(width: &usize) -> bool {
    *width == base_head_width()
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_one(count: &usize) -> bool {
    *count == 1
}

fn null_as_infinity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}
