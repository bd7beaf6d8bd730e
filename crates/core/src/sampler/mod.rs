//! What picks the next configuration.

mod build;
mod gp;
mod history;
mod lattice;
mod outcome;
mod plain;
mod probe;
mod sequence;
mod tpe;

pub use build::build;
pub use gp::{MOST_TRIALS as MOST_GP_TRIALS, Recommendation, recommend};

use crate::ladder::SamplerSpec;
use crate::param::Params;
use crate::rng::TrialRng;
use crate::trial::{FrozenTrial, Origin};

/// A study as its sampler sees it. Samplers keep no state between calls: everything they know is here, so that
/// resuming is replaying and workers need no coordination.
#[derive(Debug, Clone, Copy)]
pub struct StudyView<'a> {
    /// Trials that ended, however, by number.
    pub finished: &'a [FrozenTrial],
    /// Trials being evaluated or waiting, by number.
    pub running: &'a [FrozenTrial],
}

impl StudyView<'_> {
    /// Number of trials ever created; index of the next suggestion.
    pub fn len(&self) -> usize {
        self.finished.len() + self.running.len()
    }

    /// Whether no trial was ever created.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All trials, finished first.
    pub fn all(&self) -> impl Iterator<Item = &FrozenTrial> {
        self.finished.iter().chain(self.running)
    }
}

/// A configuration to try, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The configuration.
    pub params: Params,
    /// Why it was chosen.
    pub origin: Origin,
}

/// Why there is no suggestion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// Every distinct configuration was tried; the study is done.
    #[error("all {configurations} distinct configurations of the space were tried")]
    Exhausted {
        /// Distinct configurations of the space.
        configurations: u64,
    },
}

/// Trials that come before a model's: enough to tell something of each of `dimension` parameters.
fn initial_design(dimension: usize) -> usize {
    (dimension + 1).max(8)
}

/// Whether the next trial belongs to the initial design or to the share that is kept random.
fn wants_random(view: &StudyView<'_>, spec: &SamplerSpec, dimension: usize) -> bool {
    if view.len() < initial_design(dimension) {
        return true;
    }
    // Trials of other programs do not say why they were chosen: the share is one of our own.
    let own = view.all().filter(|t| t.record.origin.is_some()).count();
    let due = (spec.random_share * (own + 1) as f64).floor() as usize;
    due > 0 && view.all().filter(|t| t.record.origin == Some(Origin::Random)).count() < due
}

/// Picks configurations.
pub trait Sampler: Send {
    /// The next configuration to try: never one that `view` already has.
    ///
    /// # Errors
    /// [`SampleError::Exhausted`] when nothing new is left.
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError>;

    /// What the last suggestion is expected to add to the best value, in units of the objective; `None` where no model was
    /// asked.
    fn expected_gain(&self) -> Option<f64> {
        None
    }
}

#[cfg(test)]
mod tests;
