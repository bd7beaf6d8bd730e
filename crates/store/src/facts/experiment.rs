//! Studies that train again what budgets found.

use allometry_core::Retraining;
use serde::{Deserialize, Serialize};

/// Why configurations are trained again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Experiment {
    /// To see whether settings carry over between budgets.
    Transfer,
    /// To score the best on rows that nothing was chosen by.
    Confirm,
}

impl Experiment {
    /// Attribute of its studies with an [`ExperimentStudy`], and the last part of their names.
    pub fn key(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Confirm => "confirm",
        }
    }
}

/// The part of a study in an experiment. Such a study is no budget of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentStudy {
    /// Name of the ladder.
    pub ladder: String,
    /// Label of the budget that trains.
    pub budget: String,
    /// What it trains. Trials of earlier plans stay in the study.
    pub plan: Vec<Retraining>,
}
