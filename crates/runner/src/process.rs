//! The process that runs studies, with its clock.

use std::time::Instant;

use allometry_store::Owner;

/// One of the processes that share studies.
pub(crate) struct Process<'a> {
    /// Identity under which it evaluates trials.
    pub(crate) owner: Owner,
    /// Clock that measures the leases of other processes.
    pub(crate) clock: &'a (dyn Fn() -> Instant + Sync),
}

impl Process<'_> {
    /// The current process.
    pub(crate) fn this() -> Self {
        Self { owner: Owner::this_process(), clock: &Instant::now }
    }
}
