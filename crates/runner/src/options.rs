//! Options of a run.

use std::time::{Duration, Instant};

/// Options of a run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Number of trials evaluated at the same time, each on one thread; at least 1.
    pub workers: usize,
    /// Time after which no trial is started.
    pub deadline: Option<Instant>,
    /// Seed of the ladder.
    pub seed: u64,
    /// Largest number of steps of a trial, for progress.
    pub steps: Option<u64>,
    /// Word for a step, such as `epoch` or `fold`.
    pub unit: &'static str,
    /// Parameter that sets the number of steps of a trial, if trials have different numbers.
    pub length: Option<&'static str>,
    /// Time without a heartbeat after which a process loses its trials.
    pub lease: Duration,
    /// Number of repeated attempts at a trial whose process ended first.
    pub retries: u64,
}

impl RunOptions {
    /// Default of the lease.
    pub const LEASE: Duration = Duration::from_mins(1);

    /// Default of the number of repeated attempts.
    pub const RETRIES: u64 = 3;
}
