//! One attempt at a trial.

use std::path::Path;

use allometry_core::{ModelSize, Reporter, TrialSpec};
use allometry_ladder::CommandSpec;

/// One attempt: a start of a trial's program.
pub(super) struct Attempt<'a> {
    pub(super) spec: &'a CommandSpec,
    pub(super) ladder: &'a str,
    pub(super) runs: &'a Path,
    pub(super) size: Option<ModelSize>,
    pub(super) device: Option<&'a str>,
    pub(super) trial: &'a TrialSpec,
    pub(super) reporter: &'a dyn Reporter,
}
