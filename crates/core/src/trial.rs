//! Trials as immutable records.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraints::Constraints;
use crate::param::{Distributions, Params};
use crate::size::ModelSize;

/// Characters of a line of output that a failure is shown with.
const LONGEST_LINE: usize = 160;

/// Position of a trial in its study, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TrialNumber(pub u64);

impl fmt::Display for TrialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// Enqueued: its parameters are fixed, nobody works on it.
    Waiting,
    /// A worker evaluates it.
    Running,
    /// It ended with a value.
    Complete,
    /// It was stopped early; its value is its last intermediate value.
    Pruned,
    /// It ended without a value.
    Failed,
}

impl TrialState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Pruned => "pruned",
            Self::Failed => "failed",
        }
    }

    /// Whether the trial will never change again.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Failed)
    }
}

/// Which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Larger values.
    #[default]
    Maximize,
    /// Smaller values.
    Minimize,
}

impl FromStr for Direction {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "maximize" | "max" => Ok(Self::Maximize),
            "minimize" | "min" => Ok(Self::Minimize),
            _ => Err("expected maximize or minimize"),
        }
    }
}

impl Direction {
    /// The word for it, `maximize` or `minimize`, as Optuna's `create_study` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maximize => "maximize",
            Self::Minimize => "minimize",
        }
    }

    /// What turns a value into one of which more is better: 1 or -1.
    pub fn sign(self) -> f64 {
        match self {
            Self::Maximize => 1.0,
            Self::Minimize => -1.0,
        }
    }

    /// Whether `a` is strictly better than `b`; never for NaN.
    pub fn better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Maximize => a > b,
            Self::Minimize => a < b,
        }
    }
}

/// Why a configuration was tried: model-based statistics need to know what was chosen at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An architecture parameter at an end of its range, the others in the middle.
    Probe,
    /// Drawn at random, or from a space-filling sequence.
    Random,
    /// Next cell of a grid.
    Grid,
    /// Proposed by a model of the trials so far.
    Model,
    /// Given by the user.
    Enqueued,
    /// The same configuration as an interrupted trial, with the same seed.
    Retry,
}

/// Why a trial has no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// One line.
    pub reason: String,
    /// The rest: tail of standard error, largest activation, panic message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The reason, with the last line of the detail.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match self.detail.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
            Some(line) => write!(f, ": {}", line.chars().take(LONGEST_LINE).collect::<String>()),
            None => Ok(()),
        }
    }
}

/// Why a trial was stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EarlyStop {
    /// A pruner found it not worth finishing.
    Pruned,
    /// Its predictions had become constant.
    Collapsed,
}

/// What a model whose predictions have become constant says of every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollapsedTo {
    /// The training part's share of each class, or its mean: what is known without looking at a row.
    Prior,
    /// Something else: its weights have run away, or its learning rate keeps it from ever reaching the prior.
    Elsewhere,
}

impl CollapsedTo {
    /// The words for it, after "predictions were constant".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prior => "at the prior",
            Self::Elsewhere => "away from the prior",
        }
    }
}

/// Numbers of the two classes in a set of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassCounts {
    /// Rows labelled 1.
    pub positives: u64,
    /// Rows labelled 0.
    pub negatives: u64,
}

/// What a trial's best epoch predicts for the validation rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// For a binary label.
    Binary(ValidationScores),
    /// For several classes, or for numbers.
    Other(ValidationOutputs),
}

impl Predictions {
    /// The predictions, where the label is binary.
    pub fn scores(&self) -> Option<&ValidationScores> {
        if let Self::Binary(scores) = self { Some(scores) } else { None }
    }

    /// The predictions, where the label is not binary.
    pub fn outputs(&self) -> Option<&ValidationOutputs> {
        if let Self::Other(outputs) = self { Some(outputs) } else { None }
    }
}

impl From<ValidationScores> for Predictions {
    fn from(scores: ValidationScores) -> Self {
        Self::Binary(scores)
    }
}

impl From<ValidationOutputs> for Predictions {
    fn from(outputs: ValidationOutputs) -> Self {
        Self::Other(outputs)
    }
}

/// Predictions for a binary label, in row order.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationScores {
    /// Row of the table that each prediction is for.
    pub rows: Vec<u64>,
    /// True class of each row.
    pub labels: Vec<bool>,
    /// Predicted probability of class 1, in `[0, 1]`.
    pub scores: Vec<f32>,
}

/// Predictions for several classes or for numbers, in row order.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationOutputs {
    /// Row of the table that each prediction is for.
    pub rows: Vec<u64>,
    /// What is true of each row: its class from 0, or its number.
    pub targets: Vec<f32>,
    /// `rows x classes` probabilities, at least two a row; or one predicted number a row.
    pub outputs: Vec<f32>,
}

/// What a trial leaves beyond what Optuna's tables hold; stored in attributes named `allometry:*`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrialRecord {
    /// Exact size of its model.
    pub size: Option<ModelSize>,
    /// Seed of its weights, batches and dropout; part of the trial's identity.
    pub seed: Option<u64>,
    /// Why its configuration was tried.
    pub origin: Option<Origin>,
    /// Epoch whose weights were kept, from 1.
    pub best_step: Option<i64>,
    /// Metrics of that epoch by name, such as `log_loss`, `pred_min`, `recall_at_half`; of the last one where the trial was
    /// stopped early.
    pub metrics: BTreeMap<String, f64>,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// The interrupted trial that it repeats.
    pub retry_of: Option<TrialNumber>,
    /// Why it was stopped early, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
    /// What its constant predictions were, where training itself stopped it for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapsed_to: Option<CollapsedTo>,
    /// Whether no pruner might stop it, since statistics need it complete.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exempt: bool,
}

/// One trial as read back from a store or a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FrozenTrial {
    /// Position in its study.
    pub number: TrialNumber,
    /// Where it stands.
    pub state: TrialState,
    /// Value of the first objective; `None` unless complete or pruned with at least one report.
    pub value: Option<f64>,
    /// Values of the objectives after the first, where there are several; empty unless complete.
    pub further: Vec<f64>,
    /// Its configuration.
    pub params: Params,
    /// The set that each value was drawn from, where recorded.
    pub distributions: Distributions,
    /// Objective value by step (epoch, from 1); NaN allowed.
    pub intermediate: BTreeMap<i64, f64>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Allometry's own record.
    pub record: TrialRecord,
    /// Foreign user attributes: JSON text as Python wrote it.
    pub user_attributes: BTreeMap<String, String>,
    /// Foreign system attributes: JSON text as Python wrote it.
    pub system_attributes: BTreeMap<String, String>,
}

impl FrozenTrial {
    /// A trial with nothing but its number, state, value and parameters.
    pub fn new(number: u64, state: TrialState, value: Option<f64>, params: Params) -> Self {
        Self {
            number: TrialNumber(number),
            state,
            value,
            further: Vec::new(),
            params,
            distributions: Distributions::default(),
            intermediate: BTreeMap::new(),
            started: None,
            completed: None,
            record: TrialRecord::default(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
        }
    }

    /// The values of all objectives in order; empty without a value.
    pub fn values(&self) -> Vec<f64> {
        self.value.iter().chain(&self.further).copied().collect()
    }

    /// Its constraints, which its system attributes hold.
    pub fn constraints(&self) -> Constraints {
        Constraints::of_attributes(&self.system_attributes)
    }

    /// Whether it breaks no constraint.
    pub fn is_feasible(&self) -> bool {
        self.system_attributes.is_empty() || self.constraints().are_met()
    }

    /// Whether it is complete and breaks a constraint.
    pub fn is_infeasible(&self) -> bool {
        self.state == TrialState::Complete && !self.is_feasible()
    }

    /// Whether it is complete and breaks no constraint: what may be the best.
    pub fn is_eligible(&self) -> bool {
        self.state == TrialState::Complete && self.is_feasible()
    }

    /// The value of a complete trial that breaks no constraint; `None` for all others.
    pub fn eligible_value(&self) -> Option<f64> {
        self.value.filter(|_| self.is_eligible())
    }
}

/// The best complete trial that breaks no constraint; the earliest of equals.
pub fn incumbent(trials: &[FrozenTrial], direction: Direction) -> Option<&FrozenTrial> {
    trials
        .iter()
        .filter_map(|t| t.eligible_value().filter(|v| !v.is_nan()).map(|v| (t, v)))
        .reduce(|best, next| if direction.better(next.1, best.1) { next } else { best })
        .map(|(t, _)| t)
}
