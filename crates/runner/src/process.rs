//! Who runs studies, and by which clock.

use std::time::Instant;

use allometry_store::Owner;

/// One of the processes that share studies.
pub(crate) struct Process<'a> {
    /// Under what name it works on trials.
    pub(crate) owner: Owner,
    /// What it measures the others' silence with.
    pub(crate) clock: &'a (dyn Fn() -> Instant + Sync),
}

impl Process<'_> {
    /// This one.
    pub(crate) fn this() -> Self {
        Self { owner: Owner::this_process(), clock: &Instant::now }
    }
}
