//! The checked form of a ladder file: every value is in its range, every name resolved.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::command::CommandSpec;
use super::limit::Limit;
use crate::expression::Condition;
use crate::param::Params;
use crate::pruner::PrunerSpec;
use crate::secret::Secret;
use crate::size::SizeBudget;
use crate::space::{self, SearchSpace, When};
use crate::trial::Direction;

/// One question asked at several sizes: the data, the objective, one study per size.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Name; prefix of its studies' names.
    pub name: String,
    /// Names the data set or feature tier in titles.
    pub tag: Option<String>,
    /// Seed from which every other seed is derived.
    pub seed: u64,
    /// Name of what is optimised, of several objectives the first one.
    pub metric: String,
    /// Which values of it are better.
    pub direction: Direction,
    /// The objectives after the first.
    pub further: Vec<MetricSpec>,
    /// What a trial may report at most, or at least: its constraints.
    pub limits: Vec<Limit>,
    /// What is trained, and on what.
    pub objective: ObjectiveSpec,
    /// One study per size, in the file's order.
    pub budgets: Vec<BudgetSpec>,
    /// How configurations are picked.
    pub sampler: SamplerSpec,
    /// When a study ends before it has its trials.
    pub stop: StopRule,
    /// How trials are stopped early; `None` for not at all.
    pub pruner: Option<PrunerSpec>,
    /// Storage URL; `None` for the default beside the file.
    pub storage: Option<Secret>,
    /// Smallest difference of the metric that is of interest, above 0; `None` for what an analysis takes by itself.
    pub smallest_effect: Option<f64>,
    /// The confirmation on test rows with which a run ends; `None` for none.
    pub confirm: Option<ConfirmSpec>,
}

impl Ladder {
    /// Which values are better, for each objective.
    pub fn directions(&self) -> Vec<Direction> {
        std::iter::once(self.direction).chain(self.further.iter().map(|metric| metric.direction)).collect()
    }

    /// Names of the objectives.
    pub fn metric_names(&self) -> Vec<String> {
        std::iter::once(&self.metric).chain(self.further.iter().map(|metric| &metric.name)).cloned().collect()
    }
}

/// How many trainings confirm each budget's search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmSpec {
    /// Configurations of each budget, the best distinct ones; from 1 to [`Self::MOST`].
    pub top: u64,
    /// Seeds under which each is trained; from 1 to [`Self::MOST`].
    pub seeds: u64,
}

impl ConfirmSpec {
    /// Most configurations, and most seeds.
    pub const MOST: u64 = 1000;
}

/// The best configuration of each budget, under five seeds: enough for an interval over seeds that covers as it says.
impl Default for ConfirmSpec {
    fn default() -> Self {
        Self { top: 1, seeds: 5 }
    }
}

/// One of several objectives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricSpec {
    /// Its name.
    pub name: String,
    /// Which values of it are better.
    pub direction: Direction,
}

/// What evaluates configurations.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectiveSpec {
    /// The built-in transformer.
    Model {
        /// Where the rows come from.
        data: DataSpec,
        /// The trained model.
        model: ModelSpec,
    },
    /// A program of the user's.
    Command(CommandSpec),
}

impl ObjectiveSpec {
    /// Steps that a trial reports at most, where known.
    pub fn steps(&self) -> Option<u64> {
        match self {
            Self::Model { model, .. } => Some(model.epochs as u64),
            Self::Command(command) => command.steps,
        }
    }
}

/// When a study ends before it has its trials.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StopRule {
    /// Ends where the sampler's model expects less than this of another trial, in units of the metric.
    pub expected_gain: Option<f64>,
}

/// One study of a ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetSpec {
    /// Target size.
    pub budget: SizeBudget,
    /// What may vary at this size, overrides applied.
    pub space: SearchSpace,
    /// What must hold for its architectures.
    pub constraints: Vec<Condition>,
    /// Parameters that exist only where others have given values, each after those it depends on.
    pub conditions: Vec<When>,
    /// Trials wanted that end with a value: complete ones and those stopped early.
    pub trials: u64,
}

impl BudgetSpec {
    /// Whether a configuration has exactly the parameters that exist in it, each inside its set.
    pub fn contains(&self, params: &Params) -> bool {
        space::contains(&self.space, &self.conditions, params)
    }
}

/// Where the rows come from and what they mean.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSpec {
    /// `.csv` or `.parquet` file, one row per time step; absolute, or relative to the working directory.
    pub path: PathBuf,
    /// Column that orders the rows; `None` where the file is in order already.
    pub time: Option<String>,
    /// What is predicted.
    pub label: LabelSpec,
    /// What it is predicted from.
    pub features: FeatureSpec,
    /// Sizes of the parts.
    pub split: SplitSpec,
    /// What happens to rows with missing or infinite features.
    pub missing: MissingPolicy,
}

/// What is predicted for a row.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelSpec {
    /// A column of 0 and 1 (or false and true), of classes or of numbers.
    Column {
        /// Its name.
        name: String,
        /// Rows ahead that its values look, at least 1.
        horizon: usize,
    },
    /// 1 where `of`, `horizon` rows later, is at least `1 + rise` times `over` now; the last `horizon` rows have none.
    Rise {
        /// Relative rise asked for, such as 0.01.
        rise: f64,
        /// Column that must reach the threshold.
        of: String,
        /// Column that the threshold is measured from.
        over: String,
        /// Rows ahead, at least 1.
        horizon: usize,
    },
}

impl LabelSpec {
    /// A column whose values look one row ahead.
    pub fn column(name: impl Into<String>) -> Self {
        Self::Column { name: name.into(), horizon: 1 }
    }

    /// Rows ahead that a label looks, at least 1.
    pub fn horizon(&self) -> usize {
        match self {
            Self::Column { horizon, .. } | Self::Rise { horizon, .. } => *horizon,
        }
    }
}

/// Which columns are features: the numeric ones that are neither time nor label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureSpec {
    /// Only these, in this order, if given.
    pub include: Option<Vec<String>>,
    /// Not these.
    pub exclude: Vec<String>,
}

/// Rows that trials are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Those that configurations are chosen by.
    Validation,
    /// Those that nothing is chosen by.
    Test,
}

impl Part {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Shares of the rows in time order; what is left is the test part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitSpec {
    /// Share of the training part, in (0, 1).
    pub train: f64,
    /// Share of the validation part, in (0, 1).
    pub validation: f64,
}

/// What happens to a row with a missing or infinite feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPolicy {
    /// An error that names the first column and row.
    #[default]
    Error,
    /// The row is left out before windows are cut.
    Drop,
}

/// How a window's values are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// By each window's own mean and deviation (Kim et al. 2022); removes the level, which may be the signal.
    Revin,
    /// By the mean and deviation of the training part.
    #[default]
    Standard,
    /// Not at all.
    None,
}

/// How the learning rate goes over the epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// It falls to zero along a half cosine.
    Cosine,
    /// It falls to zero along a line.
    Linear,
}

/// What is learned of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Whether it is 1 rather than 0; the value is the AUC.
    #[default]
    Binary,
    /// Which of the whole numbers from 0 it is; the value is the mean over the classes of the AUC of each against the rest.
    Classes,
    /// The number that it is; the value is the coefficient of determination, R2.
    Regression,
}

/// What training minimises for a binary label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Binary cross-entropy.
    #[default]
    Bce,
    /// The same with positive windows weighted.
    Weighted,
    /// The same with easy windows weighted down (Lin et al. 2017).
    Focal,
    /// A convex stand-in for 1 - AUC over pairs of windows (Gao & Zhou 2015).
    SoftAuc,
}

/// Whether the features of a row are one token's values or series of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// A patch holds all features.
    #[default]
    Mixed,
    /// A patch holds one feature; all share the weights and meet in the head (Nie et al. 2023).
    Independent,
}

/// What the head sees of a window's patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// All of them, one after the other.
    #[default]
    Flatten,
    /// Their mean.
    Mean,
}

/// A figure of each epoch that early stopping can watch.
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
    /// All of them.
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

    /// Its name among an epoch's metrics.
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

    /// Which values are better.
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

    /// Whether models of a task have it.
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
    /// The metric that is a trial's value.
    pub fn metric(self) -> Monitor {
        match self {
            Self::Binary | Self::Classes => Monitor::Auc,
            Self::Regression => Monitor::R2,
        }
    }
}

/// What the built-in model is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DeviceKind {
    /// One thread per trial.
    #[default]
    Cpu,
    /// A graphics processor, through Vulkan, Metal or DirectX 12.
    Wgpu,
    /// An NVIDIA graphics processor, through CUDA.
    Cuda,
}

impl DeviceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Wgpu, Self::Cuda];

    /// Its name in a ladder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }
}

/// Settings of the built-in `PatchTST` classifier that are not searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Rows in a window.
    pub context: usize,
    /// Rows in a patch, at most `context`.
    pub patch: usize,
    /// Rows from one patch to the next.
    pub stride: usize,
    /// What is learned of the label.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: Task,
    /// Scaling of the inputs.
    pub normalize: Normalize,
    /// Whether a window that is scaled by itself is then multiplied and moved by learned numbers per feature.
    #[serde(default, skip_serializing_if = "is_default")]
    pub revin_affine: bool,
    /// Whether features are mixed in a patch.
    #[serde(default, skip_serializing_if = "is_default")]
    pub channels: Channels,
    /// Columns that a learned linear map makes of a row's features before patches are cut; 0 for no map.
    #[serde(default, skip_serializing_if = "is_default")]
    pub feature_embedding: usize,
    /// What the head sees of the patches.
    #[serde(default, skip_serializing_if = "is_default")]
    pub head: Pooling,
    /// Probability with which a value that the head sees is dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub head_dropout: f64,
    /// What training minimises for a binary label.
    #[serde(default, skip_serializing_if = "is_default")]
    pub loss: LossKind,
    /// Weight of positive windows in the weighted loss; `None` for the training part's negatives per positive.
    #[serde(default, skip_serializing_if = "is_default")]
    pub positive_weight: Option<f64>,
    /// Exponent of the focal loss.
    #[serde(default = "focal_gamma", skip_serializing_if = "is_focal_gamma")]
    pub focal_gamma: f64,
    /// Share by which labels are moved towards all classes alike.
    #[serde(default, skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
    /// Epochs at most.
    pub epochs: usize,
    /// Epochs without improvement before a trial stops.
    pub patience: usize,
    /// Epochs in a row with constant predictions after which a trial stops as collapsed; 0 for never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub collapse_epochs: usize,
    /// Gain in what is monitored that counts as an improvement.
    pub minimum_gain: f64,
    /// What early stopping watches and the best epoch is chosen by; `None` for the metric that is the value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub monitor: Option<Monitor>,
    /// Windows in a batch; `None` for a number that falls with the size of the model.
    pub batch_size: Option<usize>,
    /// Batches whose gradients are averaged for one update.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulate: usize,
    /// Epochs over whose ends weights are averaged: a trial's weights after an epoch are the mean of those after it and the
    /// ones before it.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub average_epochs: usize,
    /// Largest L2 norm of the gradient; infinite for no clipping, which JSON writes as null.
    #[serde(deserialize_with = "null_as_infinity")]
    pub gradient_clip: f64,
    /// Learning rate over the epochs.
    pub schedule: Schedule,
    /// Epochs over which the learning rate rises linearly from zero first.
    pub warmup_epochs: f64,
    /// What it is trained on. No part of the question that a ladder asks: neither studies nor checkpoints know of it, so that
    /// either goes on elsewhere.
    #[serde(skip)]
    pub device: DeviceKind,
}

impl ModelSpec {
    /// Settings with every default.
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
            device: DeviceKind::default(),
        }
    }

    /// What early stopping watches.
    pub fn monitored(&self) -> Monitor {
        self.monitor.unwrap_or(self.task.metric())
    }

    /// Windows in a batch of a model of this many weights: where not given 128, from 1 million 64, from 8 million 32.
    pub fn batch_size(&self, weights: u64) -> usize {
        self.batch_size.unwrap_or(match weights {
            0..1_000_000 => 128,
            1_000_000..8_000_000 => 64,
            _ => 32,
        })
    }
}

/// Settings that are as they always were are not written, so that studies begun before they existed go on.
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

/// Which sampler picks configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SamplerKind {
    /// Independent draws.
    Random,
    /// Owen-scrambled Sobol points over ranks.
    Sobol,
    /// Every configuration in order.
    Grid,
    /// Bayesian optimisation with a Gaussian process; beyond 300 trials it goes on as `tpe`.
    #[default]
    Gp,
    /// Tree-structured Parzen estimator.
    Tpe,
}

impl SamplerKind {
    /// Its name in ladder files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Sobol => "sobol",
            Self::Grid => "grid",
            Self::Gp => "gp",
            Self::Tpe => "tpe",
        }
    }
}

/// Whose trials a sampler learns from beside its own study's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Nobody's.
    #[default]
    None,
    /// Those of the ladder's other budgets.
    Budgets,
}

/// How configurations are picked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SamplerSpec {
    /// The sampler.
    pub kind: SamplerKind,
    /// Whether the first trials sit on the edges of each architecture parameter.
    pub probes: bool,
    /// Share of the trials that a model-based sampler leaves to random draws, for the statistics that need them, in `[0, 1]`.
    #[serde(default = "default_random_share")]
    pub random_share: f64,
    /// Whose trials it learns from beside its own study's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub share: Share,
}

const fn default_random_share() -> f64 {
    0.2
}

impl SamplerSpec {
    /// A sampler with the defaults of the ladder file: probes, and a fifth of random trials.
    pub const fn new(kind: SamplerKind) -> Self {
        Self { kind, probes: true, random_share: default_random_share(), share: Share::None }
    }
}
