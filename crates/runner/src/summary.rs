//! The outcome of a run.

use allometry_core::StopReason;
use allometry_store::StudyId;

/// The outcome of a study.
#[derive(Debug, Clone)]
pub struct StudyOutcome {
    /// Id of the study in the store.
    pub id: StudyId,
    /// Label of its size budget.
    pub label: String,
    /// Why it ended.
    pub reason: StopReason,
    /// Number of complete trials.
    pub complete: u64,
    /// Number of trials stopped early.
    pub pruned: u64,
    /// Number of failed trials, without interrupted ones.
    pub failed: u64,
}

/// The outcome of a run.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// One entry per study, in order.
    pub studies: Vec<StudyOutcome>,
}

impl RunSummary {
    /// Whether any study ended for `reason`.
    pub fn any(&self, reason: StopReason) -> bool {
        self.studies.iter().any(|s| s.reason == reason)
    }
}
