//! Facts about experiments, which train configurations of the budgets again.

use allometry_core::Retraining;
use serde::{Deserialize, Serialize};

/// Purpose of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Experiment {
    /// Test whether settings transfer between budgets.
    Transfer,
    /// Score the best configurations on rows that no choice was based on.
    Confirm,
}

impl Experiment {
    /// Key of the attribute that holds an [`ExperimentStudy`], and last part of the names of the experiment's
    /// studies.
    pub fn key(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Confirm => "confirm",
        }
    }
}

/// Part of a study in an experiment. Such a study is no budget of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentStudy {
    /// Name of the ladder.
    pub ladder: String,
    /// Label of the budget that trains.
    pub budget: String,
    /// Configurations to train. Trials of earlier plans stay in the study.
    pub plan: Vec<Retraining>,
    /// Planned look that the trainings are for; none where no plan chose their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<PlannedLook>,
}

/// Look of a plan for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLook {
    /// The look, from 1.
    pub look: u64,
    /// Number of looks.
    pub of: u64,
    /// Cost of all looks, in trainings of every budget.
    pub trainings: u64,
    /// Whether all trainings for the look have ended.
    pub is_trained: bool,
}
