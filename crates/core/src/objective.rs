//! What is optimised: one configuration in, one value out.

use std::collections::BTreeMap;

use crate::constraints::Constraints;
use crate::identity::StudyIdentity;
use crate::param::Params;
use crate::size::{ModelSize, SizeBudget};
use crate::trial::{CollapsedTo, Failure, Predictions, TrialNumber};

/// One evaluation to be done. Its result depends on this and the data alone.
#[derive(Debug, Clone)]
pub struct TrialSpec {
    /// The study; names folders, never influences results.
    pub study: StudyIdentity,
    /// Size budget of the study.
    pub budget: SizeBudget,
    /// Number within the study; names folders, never influences results.
    pub number: TrialNumber,
    /// Number of the trial that this one repeats, or its own; names the folder that both share.
    pub first_attempt: TrialNumber,
    /// The configuration.
    pub params: Params,
    /// Seed of everything random in the evaluation.
    pub seed: u64,
}

/// Figures of one epoch.
#[derive(Debug, Clone)]
pub struct EpochReport {
    /// Epoch, from 1.
    pub step: i64,
    /// Objective value after it.
    pub value: f64,
    /// Every metric of the epoch by name.
    pub metrics: BTreeMap<String, f64>,
}

/// What an evaluation is told after each epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    Continue,
    /// Stop: the trial is not worth finishing.
    Prune,
    /// Stop: the program is ending.
    Interrupt,
}

/// Takes figures during an evaluation.
pub trait Reporter: Sync {
    /// Records one epoch and says whether to go on.
    fn report(&self, epoch: &EpochReport) -> Signal;

    /// Whether the program is ending; polled between batches, so that an epoch of minutes does not hold it up.
    fn interrupted(&self) -> bool;
}

/// Result of a finished evaluation.
#[derive(Debug, Clone)]
pub struct ObjectiveOutcome {
    /// The first objective's value: that of the best epoch.
    pub value: f64,
    /// Values of the objectives after the first, in order; empty where they are found by name among the metrics.
    pub further: Vec<f64>,
    /// Constraints that the evaluation reported beside the metrics.
    pub constraints: Constraints,
    /// Epoch whose weights were kept, from 1.
    pub best_step: Option<i64>,
    /// Metrics of that epoch by name.
    pub metrics: BTreeMap<String, f64>,
    /// Exact size of the model.
    pub size: Option<ModelSize>,
    /// Predictions of that epoch on the validation rows.
    pub predictions: Option<Predictions>,
}

/// What an evaluation had reported beside its epochs when it was pruned.
#[derive(Debug, Clone, Default)]
pub struct PrunedOutcome {
    /// Metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// Constraints.
    pub constraints: Constraints,
}

/// Why an evaluation gave no value. A failed trial is data: the study goes on.
#[derive(Debug, thiserror::Error)]
pub enum ObjectiveError {
    /// The reporter asked to stop a hopeless trial.
    #[error("pruned")]
    Pruned(Box<PrunedOutcome>),
    /// Training stopped, since its predictions had become constant.
    #[error("predictions were constant {}", .0.as_str())]
    Collapsed(CollapsedTo),
    /// The reporter asked to stop because the program ends.
    #[error("interrupted")]
    Interrupted,
    /// The machine lacks what every evaluation needs, such as space or file descriptors. Nothing is said of the configuration.
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
    /// [`ObjectiveError`] when there is no value to tell.
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError>;

    /// Exact size of the model that a configuration gives, if the objective can tell beforehand.
    fn model_size(&self, params: &Params) -> Option<ModelSize>;

    /// The end of what an evaluation wrote for people, where it wrote something.
    fn log(&self, _trial: &TrialSpec) -> Option<String> {
        None
    }
}
