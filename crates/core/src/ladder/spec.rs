//! The checked form of a ladder file: every value is in its range, every name resolved.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::expression::Condition;
use crate::pruner::PrunerSpec;
use crate::size::SizeBudget;
use crate::space::SearchSpace;

/// One question asked at several sizes: the data, the objective, one study per size.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Name; prefix of its studies' names.
    pub name: String,
    /// Names the data set or feature tier in titles.
    pub tag: Option<String>,
    /// Seed from which every other seed is derived.
    pub seed: u64,
    /// Where the rows come from.
    pub data: DataSpec,
    /// The trained model.
    pub model: ModelSpec,
    /// One study per size, in the file's order.
    pub budgets: Vec<BudgetSpec>,
    /// How configurations are picked.
    pub sampler: SamplerSpec,
    /// When a study ends before it has its trials.
    pub stop: StopRule,
    /// How trials are stopped early; `None` for not at all.
    pub pruner: Option<PrunerSpec>,
    /// Storage URL; `None` for the default beside the file.
    pub storage: Option<String>,
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
    /// Trials wanted that end with a value: complete ones and those stopped early.
    pub trials: u64,
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
    /// A column of 0 and 1 (or false and true).
    Column(String),
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
    /// Rows ahead that a label looks; 1 for a column, whose horizon is not known to be longer.
    pub fn horizon(&self) -> usize {
        match self {
            Self::Column(_) => 1,
            Self::Rise { horizon, .. } => *horizon,
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
    /// Scaling of the inputs.
    pub normalize: Normalize,
    /// Epochs at most.
    pub epochs: usize,
    /// Epochs without improvement before a trial stops.
    pub patience: usize,
    /// Gain in validation AUC that counts as an improvement.
    pub minimum_gain: f64,
    /// Windows in a batch.
    pub batch_size: usize,
    /// Largest L2 norm of the gradient; infinite for no clipping, which JSON writes as null.
    #[serde(deserialize_with = "null_as_infinity")]
    pub gradient_clip: f64,
    /// Learning rate over the epochs.
    pub schedule: Schedule,
    /// Epochs over which the learning rate rises linearly from zero first.
    pub warmup_epochs: f64,
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
    #[default]
    Sobol,
    /// Every configuration in order.
    Grid,
    /// Bayesian optimisation with a Gaussian process.
    Gp,
    /// Tree-structured Parzen estimator.
    Tpe,
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
}

const fn default_random_share() -> f64 {
    0.2
}

impl SamplerSpec {
    /// A sampler with the defaults of the ladder file: probes, and a fifth of random trials.
    pub const fn new(kind: SamplerKind) -> Self {
        Self { kind, probes: true, random_share: default_random_share() }
    }
}
