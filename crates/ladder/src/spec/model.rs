//! Settings of the built-in model, as a ladder, a study and a checkpoint have them.

use allometry_core::{Direction, Precision};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// Precision of matrix products. Studies from before it could be chosen are in single precision.
    #[serde(default = "single", skip_serializing_if = "is_single")]
    pub precision: Precision,
    /// Device that trains the model. Studies and checkpoints do not store it, so that both can resume on
    /// another device.
    #[serde(skip)]
    pub device: DeviceKind,
}

impl ModelSpec {
    /// Settings with all defaults, but in single precision on every machine. A ladder file that does not say
    /// its precision has [`Precision::Auto`].
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
            precision: Precision::F32,
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

fn single() -> Precision {
    Precision::F32
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_single(precision: &Precision) -> bool {
    *precision == single()
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
