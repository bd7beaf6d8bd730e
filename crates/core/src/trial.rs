//! Trials as immutable records.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::constraints::Constraints;
use crate::distribution::Distributions;
use crate::param::Params;
use crate::precision::Precision;
use crate::size::ModelSize;

/// Largest number of characters of the output line in the text of a failure.
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

/// State of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// Enqueued: its parameters are fixed, and no worker evaluates it yet.
    Waiting,
    /// A worker evaluates it.
    Running,
    /// The trial ended with a value.
    Complete,
    /// The trial was stopped early; its value is its last intermediate value.
    Pruned,
    /// The trial ended without a value.
    Failed,
}

impl TrialState {
    /// The state as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Pruned => "pruned",
            Self::Failed => "failed",
        }
    }

    /// Whether the state is final.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Failed)
    }
}

/// State of a trial with the interrupted trials apart from the failed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its state; of a failed trial that it was not interrupted.
    Of(TrialState),
    /// The trial ended without a value through no fault of its configuration, which another trial repeats.
    Interrupted,
}

impl Standing {
    /// The standing as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Of(state) => state.as_str(),
            Self::Interrupted => "interrupted",
        }
    }
}

/// Direction of optimization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Larger values are better.
    #[default]
    Maximize,
    /// Smaller values are better.
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
    /// The direction as a word, `maximize` or `minimize`, which Optuna's `create_study` accepts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maximize => "maximize",
            Self::Minimize => "minimize",
        }
    }

    /// The factor, 1 or -1, that makes larger values better.
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

/// How a configuration was chosen; statistics need to separate random from model-based choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An architecture parameter at an end of its range, the others in the middle.
    Probe,
    /// Drawn at random, or from a space-filling sequence.
    Random,
    /// The next cell of a grid.
    Grid,
    /// Proposed by a model of the trials so far.
    Model,
    /// Enqueued by the user.
    Enqueued,
    /// Copied from an interrupted trial, with its seed.
    Retry,
}

/// Why a trial has no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Reason in one line.
    pub reason: String,
    /// Details: the end of standard error, the largest activation, a panic message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Failure {
    /// Reason of a trial that ended through no fault of its configuration, such as a stopped run. It is
    /// evaluated again as another trial.
    pub const INTERRUPTED: &str = "interrupted";
}

/// The reason, followed by the last line of the details.
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
    /// A pruner stopped it.
    Pruned,
    /// The predictions had become constant.
    Collapsed,
}

/// The constant that collapsed predictions have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollapsedTo {
    /// The prior: each class's share of the training rows, or their mean.
    Prior,
    /// Another constant: the weights have diverged, or the learning rate keeps the model from reaching the
    /// prior.
    Elsewhere,
}

impl CollapsedTo {
    /// The words that follow "predictions were constant".
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

/// Predictions of a trial's best epoch for the validation rows.
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
    /// True value of each row: its class from 0, or its number.
    pub targets: Vec<f32>,
    /// `rows x classes` probabilities with at least two classes, or one predicted number per row.
    pub outputs: Vec<f32>,
}

/// A scored row of a table with several series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelRow {
    /// Number of the row, as predictions have it.
    pub row: u64,
    /// Place of its series among the names.
    pub series: u32,
    /// Place of its time among the different times of the table.
    pub time: u32,
}

/// What the training of a trial used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrainingCost {
    /// Distinct rows or tokens that the training could use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_rows: Option<u64>,
    /// Rows or tokens trained on, each counted every time that it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Floating-point operations of the training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flops: Option<f64>,
    /// Seconds of the attempt that ended the trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Precision of the matrix products of the built-in model; never [`Precision::Auto`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
}

/// Data of a trial beyond Optuna's tables; stored in attributes named `allometry:*`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrialRecord {
    /// Exact size of the trial's model.
    pub size: Option<ModelSize>,
    /// Seed of its weights, batches and dropout; part of the trial's identity.
    pub seed: Option<u64>,
    /// How its configuration was chosen.
    pub origin: Option<Origin>,
    /// Epoch whose weights were kept, from 1.
    pub best_step: Option<i64>,
    /// Metrics of that epoch by name, such as `log_loss`, `pred_min`, `recall_at_half`; of the last epoch
    /// where the trial was stopped early.
    pub metrics: BTreeMap<String, f64>,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// The interrupted trial that this one repeats.
    pub retry_of: Option<TrialNumber>,
    /// Why it was stopped early, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
    /// The constant that its predictions had reached, where the trainer stopped it for constant predictions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapsed_to: Option<CollapsedTo>,
    /// What its training used, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<TrainingCost>,
    /// Where the evaluation said that it left the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// Whether pruners must not stop the trial, because statistics need complete trials.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exempt: bool,
}

/// Names of user attributes that say where the trial's model is.
const CHECKPOINT_NAMES: [&str; 6] =
    ["checkpoint", "checkpoint_path", "artifact", "artifact_path", "model_path", "model_file"];
/// Prefix of the system attributes in which Optuna describes a trial's artifacts.
const ARTIFACT: &str = "artifacts:";

/// One trial as read back from a store or a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FrozenTrial {
    /// Position in its study.
    pub number: TrialNumber,
    /// State of the trial.
    pub state: TrialState,
    /// Value of each objective, in order: of a complete trial all of them, of a pruned one with a report the
    /// first, else none. NaN stands for a value that is missing in front of others.
    pub values: Vec<f64>,
    /// Configuration of the trial.
    pub params: Params,
    /// Distribution that each value was drawn from, where recorded.
    pub distributions: Distributions,
    /// Objective value by step (epoch, from 1); NaN allowed.
    pub intermediate: BTreeMap<i64, f64>,
    /// Start of the trial.
    pub started: Option<Timestamp>,
    /// End of the trial.
    pub completed: Option<Timestamp>,
    /// Allometry's own data of the trial.
    pub record: TrialRecord,
    /// User attributes of other programs: JSON text as Python wrote it.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes of other programs: JSON text as Python wrote it.
    pub system_attributes: BTreeMap<String, String>,
}

impl FrozenTrial {
    /// A trial with a number, state, values (`Some` or `None` for one objective) and configuration, and
    /// defaults otherwise.
    pub fn new(
        number: u64,
        state: TrialState,
        values: impl IntoIterator<Item = f64>,
        params: Params,
    ) -> Self {
        Self {
            number: TrialNumber(number),
            state,
            values: values.into_iter().collect(),
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

    /// The value of the first objective; `None` where it is missing.
    pub fn value(&self) -> Option<f64> {
        self.values.first().copied().filter(|value| !value.is_nan())
    }

    /// The trial's constraints, read from its system attributes.
    pub fn constraints(&self) -> Constraints {
        Constraints::of_attributes(&self.system_attributes)
    }

    /// What the training used: as the evaluation recorded it, else as user attributes of these names say. The
    /// time is otherwise that from the start of the trial to its end.
    pub fn cost(&self) -> TrainingCost {
        let own = self.record.cost.unwrap_or_default();
        let said = |name: &str| {
            let number = self.user_attributes.get(name)?.trim().parse::<f64>().ok();
            number.filter(|x| *x > 0.0 && x.is_finite())
        };
        let count = |name: &str| said(name).filter(|x| *x < 1.8e19).map(|x| x as u64);
        TrainingCost {
            train_rows: own.train_rows.or_else(|| count("train_rows")),
            tokens: own.tokens.or_else(|| count("tokens")),
            flops: own.flops.or_else(|| said("flops")),
            seconds: own.seconds.or_else(|| said("seconds")).or_else(|| self.seconds()),
            precision: own.precision,
        }
    }

    /// Where the trial's model is: as the evaluation recorded it, else as a user attribute such as
    /// `checkpoint` or an artifact of Optuna says. It may be a path or a name in another storage.
    pub fn checkpoint(&self) -> Option<String> {
        let text = |json: &String| serde_json::from_str::<String>(json).ok().filter(|text| !text.is_empty());
        let named = |name: &&str| self.user_attributes.get(*name).and_then(text);
        let artifact = || {
            let mut all = self.system_attributes.iter().filter(|(name, _)| name.starts_with(ARTIFACT));
            let meta: serde_json::Value = serde_json::from_str(&text(all.next_back()?.1)?).ok()?;
            let field = |name: &str| meta.get(name)?.as_str().map(str::to_owned);
            Some(format!("{} (Optuna artifact {})", field("filename")?, field("artifact_id")?))
        };
        let own = self.record.checkpoint.clone();
        own.or_else(|| CHECKPOINT_NAMES.iter().find_map(named)).or_else(artifact)
    }

    /// Seconds from the start of the trial to its end.
    fn seconds(&self) -> Option<f64> {
        let (started, completed) = (self.started?, self.completed?);
        // A trial that was told from outside may have one time for both.
        let seconds = (completed.as_microsecond() - started.as_microsecond()) as f64 / 1e6;
        (seconds > 0.0).then_some(seconds)
    }

    /// Whether the trial meets all its constraints.
    pub fn is_feasible(&self) -> bool {
        self.system_attributes.is_empty() || self.constraints().are_met()
    }

    /// Returns the state, with interrupted trials apart from failed ones.
    pub fn standing(&self) -> Standing {
        let reason = self.record.failure.as_ref().map(|failure| failure.reason.as_str());
        let is_interrupted = self.state == TrialState::Failed && reason == Some(Failure::INTERRUPTED);
        if is_interrupted { Standing::Interrupted } else { Standing::Of(self.state) }
    }

    /// Whether the trial is complete and violates a constraint.
    pub fn is_infeasible(&self) -> bool {
        self.state == TrialState::Complete && !self.is_feasible()
    }

    /// Whether the trial is complete and meets all constraints, so that it can be the best.
    pub fn is_eligible(&self) -> bool {
        self.state == TrialState::Complete && self.is_feasible()
    }

    /// The usable value of a complete trial that meets all constraints; `None` for other trials. An infinite
    /// or enormous value is that of a model that diverged.
    pub fn eligible_value(&self) -> Option<f64> {
        self.value().filter(|value| is_usable(*value) && self.is_eligible())
    }
}

/// Largest magnitude of a usable value; larger ones are not measurements, and their squares overflow.
const LARGEST: f64 = 1e100;

/// Whether a value is usable: finite and at most 1e100 in magnitude.
pub fn is_usable(x: f64) -> bool {
    x.abs() <= LARGEST
}

/// The best complete trial with a usable value that meets all constraints; the earliest among equals.
pub fn incumbent(trials: &[FrozenTrial], direction: Direction) -> Option<&FrozenTrial> {
    trials
        .iter()
        .filter_map(|t| Some((t, t.eligible_value()?)))
        .reduce(|best, next| if direction.better(next.1, best.1) { next } else { best })
        .map(|(t, _)| t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_training_used_is_read_from_user_attributes() {
        let mut trial = FrozenTrial::new(0, TrialState::Complete, [0.5], Params::default());
        let said = [("tokens", "2e9"), ("flops", "1.5e21"), ("train_rows", "-3"), ("seconds", "\"long\"")];
        trial.user_attributes = said.map(|(name, json)| (name.to_owned(), json.to_owned())).into();
        let cost =
            TrainingCost { tokens: Some(2_000_000_000), flops: Some(1.5e21), ..TrainingCost::default() };
        assert_eq!(trial.cost(), cost);
        trial.record.cost = Some(TrainingCost { tokens: Some(7), ..TrainingCost::default() });
        assert_eq!(trial.cost(), TrainingCost { tokens: Some(7), ..cost });
    }
}
