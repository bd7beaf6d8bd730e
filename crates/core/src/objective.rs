//! The objective: a function from one configuration to its value.

use std::collections::BTreeMap;

use crate::constraints::Constraints;
use crate::identity::StudyIdentity;
use crate::param::Params;
use crate::size::{ModelSize, SizeBudget};
use crate::trial::{CollapsedTo, Failure, Predictions, TrainingCost, TrialNumber};

/// One evaluation to run. Its result depends only on this and the data.
#[derive(Debug, Clone)]
pub struct TrialSpec {
    /// The study; used in names of folders, never influences results.
    pub study: StudyIdentity,
    /// Size budget of the study.
    pub budget: SizeBudget,
    /// Number within the study; used in names of folders, never influences results.
    pub number: TrialNumber,
    /// Number of the trial that this one repeats, or its own; names the folder that all attempts share.
    pub first_attempt: TrialNumber,
    /// The configuration.
    pub params: Params,
    /// Seed of all random numbers of the evaluation.
    pub seed: u64,
}

/// Metrics of one epoch.
#[derive(Debug, Clone)]
pub struct EpochReport {
    /// Epoch, from 1.
    pub step: i64,
    /// Objective value after the epoch.
    pub value: f64,
    /// Every metric of the epoch by name.
    pub metrics: BTreeMap<String, f64>,
}

/// The answer to an evaluation's report of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Continue with the next epoch.
    Continue,
    /// Stop, because the pruner rejected the trial.
    Prune,
    /// Stop, because the program is ending.
    Interrupt,
}

/// Receives the reports of an evaluation.
pub trait Reporter: Sync {
    /// Records one epoch and returns whether to continue.
    fn report(&self, epoch: &EpochReport) -> Signal;

    /// Whether the program is ending; polled between batches, so that long epochs do not delay the end.
    fn interrupted(&self) -> bool;
}

/// Result of a finished evaluation.
#[derive(Debug, Clone)]
pub struct ObjectiveOutcome {
    /// Value of each objective at the best epoch, in order; only the first where the others are looked up by
    /// name among the metrics.
    pub values: Vec<f64>,
    /// Constraints that the evaluation reported in addition to the metrics.
    pub constraints: Constraints,
    /// Epoch whose weights were kept, from 1.
    pub best_step: Option<i64>,
    /// Metrics of that epoch by name.
    pub metrics: BTreeMap<String, f64>,
    /// Exact size of the model.
    pub size: Option<ModelSize>,
    /// Predictions of that epoch on the validation rows.
    pub predictions: Option<Predictions>,
    /// What the training used, as far as the evaluation knows it.
    pub cost: TrainingCost,
    /// Where the evaluation says that it left the model: a path, or a name in another storage.
    pub checkpoint: Option<String>,
}

impl ObjectiveOutcome {
    /// The value of the first objective; NaN where it is missing.
    pub fn value(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NAN)
    }
}

/// Metrics and constraints that an evaluation had reported when it was pruned.
#[derive(Debug, Clone, Default)]
pub struct PrunedOutcome {
    /// Metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// Reported constraints.
    pub constraints: Constraints,
}

/// Why an evaluation has no value. A failed trial is data: the study continues.
#[derive(Debug, thiserror::Error)]
pub enum ObjectiveError {
    /// The reporter asked to stop because the pruner rejected the trial.
    #[error("pruned")]
    Pruned(Box<PrunedOutcome>),
    /// Training stopped because the predictions had become constant.
    #[error("predictions were constant {}", .0.as_str())]
    Collapsed(CollapsedTo),
    /// The reporter asked to stop because the program is ending.
    #[error("interrupted")]
    Interrupted,
    /// The machine lacks a resource that every evaluation needs, such as disk space or file descriptors; this
    /// says nothing about the configuration.
    #[error("{0}")]
    Machine(String),
    /// The evaluation itself failed.
    #[error("{}", .0.reason)]
    Failed(Failure),
}

/// Evaluates configurations; shared by all workers.
pub trait Objective: Sync {
    /// Evaluates one trial, reporting each epoch.
    ///
    /// # Errors
    /// [`ObjectiveError`] where the evaluation has no value.
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError>;

    /// Exact size of the model of a configuration, where the objective can compute it without training.
    fn model_size(&self, params: &Params) -> Option<ModelSize>;

    /// The last lines of the evaluation's log, where it wrote one.
    fn log(&self, _trial: &TrialSpec) -> Option<String> {
        None
    }
}
