//! A trial in the hands of a worker: what it is to evaluate, and how that ended.

use std::time::Instant;

use allometry_core::{Constraints, TrialNumber, TrialRecord, TrialSpec, TrialState};
use allometry_ladder::Limit;
use allometry_store::TrialId;

/// A trial that is assigned to a worker.
#[derive(Debug)]
pub(crate) struct Assignment {
    /// Place of the study in the run.
    pub(crate) study: usize,
    /// Number of the trial in the study's history, which repeated attempts share.
    pub(crate) slot: TrialNumber,
    pub(crate) id: TrialId,
    pub(crate) spec: TrialSpec,
    pub(crate) record: TrialRecord,
    /// Names of the objectives.
    pub(crate) objectives: Vec<String>,
    /// Limits of reported metrics.
    pub(crate) limits: Vec<Limit>,
    pub(crate) started: Instant,
}

/// The end of a trial as it is stored.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) state: TrialState,
    pub(crate) values: Vec<f64>,
    pub(crate) constraints: Constraints,
    pub(crate) record: TrialRecord,
}
