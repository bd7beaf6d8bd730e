//! What picks the next configuration.

mod build;
mod carry;
mod gp;
mod history;
mod lattice;
mod outcome;
mod plain;
mod probe;
mod sequence;
mod tpe;

pub use build::build;
pub use carry::{CarriedBudget, CarriedOver, Guard};
pub use gp::{Expected, MOST_TRIALS as MOST_GP_TRIALS, NoExpectation, Recommendation, can_model, recommend};

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ladder::SamplerKind;
use crate::param::Params;
use crate::rng::TrialRng;
use crate::space::SearchSpace;
use crate::trial::{FrozenTrial, Origin};

/// A study as its sampler sees it. Samplers keep no state between calls: everything they know is here, so that
/// resuming is replaying and workers need no coordination.
#[derive(Debug, Clone, Copy)]
pub struct StudyView<'a> {
    /// Trials that ended, however, by number.
    pub finished: &'a [FrozenTrial],
    /// Trials being evaluated or waiting, by number.
    pub running: &'a [FrozenTrial],
    /// The ladder's other budgets, where the sampler is to learn from their trials; empty otherwise.
    pub others: &'a [OtherBudget<'a>],
}

/// Another budget of the same ladder.
#[derive(Debug, Clone, Copy)]
pub struct OtherBudget<'a> {
    /// Its name.
    pub label: &'a str,
    /// Size of its models, in decimal logarithms of trainable weights, above that of the study's own: negative where they are smaller.
    pub decades: f64,
    /// Its search space.
    pub space: &'a SearchSpace,
    /// Its trials that ended, by number.
    pub finished: &'a [FrozenTrial],
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

/// A sampler that gave way to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handover {
    /// The one that the study asks for.
    pub from: SamplerKind,
    /// The one that proposes in its place.
    pub to: SamplerKind,
    /// Ended trials beyond which it does.
    pub trials: u64,
}

impl Handover {
    /// From `gp` to `tpe`, where a study of `kind` has so many ended trials.
    pub fn of(kind: SamplerKind, ended: usize) -> Option<Self> {
        let is_over = kind == SamplerKind::Gp && ended > MOST_GP_TRIALS;
        is_over.then_some(Self { from: kind, to: SamplerKind::Tpe, trials: MOST_GP_TRIALS as u64 })
    }
}

/// As people say it.
impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        write!(f, "`{from}` models {} trials at most; beyond them `{to}` proposes", self.trials)
    }
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

    /// What the last suggestion owes to other budgets; `None` where none were in its view.
    fn carried_over(&self) -> Option<&CarriedOver> {
        None
    }

    /// That another sampler took over, once: after the first suggestion that it made.
    fn take_handover(&mut self) -> Option<Handover> {
        None
    }
}

#[cfg(test)]
mod tests;
