//! A configuration that is trained again after a ladder's search.

use serde::{Deserialize, Serialize};

use crate::param::Params;
use crate::trial::TrialNumber;

/// A configuration that one budget's search found, to be trained again by a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retraining {
    /// Label of the budget whose search found the configuration.
    pub from: String,
    /// Trial of that search.
    pub trial: TrialNumber,
    /// Rank among the best distinct configurations of that search, from 0.
    pub rank: u64,
    /// The configuration to train.
    pub params: Params,
    /// Seed of the training; equal in every budget, so that comparisons can be paired by seed.
    pub seed: u64,
}

impl Retraining {
    /// Metric that holds a confirmation trial's value on the validation rows; the trial's own value is the
    /// one on the test rows.
    pub const VALIDATION: &str = "validation";
}
