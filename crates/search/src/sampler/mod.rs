//! Samplers, which suggest the next configuration.

mod build;
mod gp;
mod history;
mod lattice;
mod model_free;
mod outcome;
mod probe;
mod sequence;
mod tpe;

pub use build::build;
pub use gp::{
    BestValue, Expected, MOST_TRIALS as MOST_GP_TRIALS, NoExpectation, Recommendation, batch, best_value,
    can_model, recommend,
};

use allometry_core::{
    CarriedOver, FrozenTrial, Handover, Origin, Params, SamplerKind, SearchSpace, TrialRng,
};

/// The input of a sampler: the trials of a study. Samplers keep no state between calls that is not derived
/// from the view, so that a study can resume and workers need no coordination.
#[derive(Debug, Clone, Copy)]
pub struct StudyView<'a> {
    /// Ended trials in any state, by number.
    pub finished: &'a [FrozenTrial],
    /// Running and waiting trials, by number.
    pub running: &'a [FrozenTrial],
    /// Other budgets of the ladder, where the sampler uses their trials; empty otherwise.
    pub other_budgets: &'a [OtherBudget<'a>],
}

/// Another budget of the same ladder.
#[derive(Debug, Clone, Copy)]
pub struct OtherBudget<'a> {
    /// Label of the budget.
    pub label: &'a str,
    /// Decimal logarithm of the ratio of its models' weights to those of the study's own budget; negative
    /// where its models are smaller.
    pub decades: f64,
    /// Search space of the budget.
    pub space: &'a SearchSpace,
    /// Ended trials of the budget, by number.
    pub finished: &'a [FrozenTrial],
}

impl StudyView<'_> {
    /// Number of trials created so far; the index of the next suggestion.
    pub fn len(&self) -> usize {
        self.finished.len() + self.running.len()
    }

    /// Whether there are no trials.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All trials, ended ones first.
    pub fn all(&self) -> impl Iterator<Item = &FrozenTrial> {
        self.finished.iter().chain(self.running)
    }
}

/// A suggested configuration and its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The configuration.
    pub params: Params,
    /// How it was chosen.
    pub origin: Origin,
}

/// Why a sampler has no suggestion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// Every distinct configuration was tried.
    #[error("all {configurations} distinct configurations of the search space were tried")]
    Exhausted {
        /// Number of distinct configurations.
        configurations: u64,
    },
}

/// Size of the initial design before a model with `dimension` parameters is used.
fn initial_design(dimension: usize) -> usize {
    (dimension + 1).max(8)
}

/// The handover from `gp` to `tpe`, where a study with sampler `kind` has too many ended trials.
pub fn handover(kind: SamplerKind, ended: usize) -> Option<Handover> {
    let is_over = kind == SamplerKind::Gp && ended > MOST_GP_TRIALS;
    is_over.then_some(Handover { from: kind, to: SamplerKind::Tpe, trials: MOST_GP_TRIALS as u64 })
}

/// Suggests configurations.
pub trait Sampler: Send {
    /// The next configuration to try, distinct from all in `view` except where
    /// [`allometry_core::SamplerSpec::repeats`] lets `gp` repeat one.
    ///
    /// # Errors
    /// [`SampleError::Exhausted`] where all configurations were tried.
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError>;

    /// Expected improvement of the best value by the last suggestion, in units of the objective; `None` where
    /// it does not come from a model.
    fn expected_gain(&self) -> Option<f64> {
        None
    }

    /// Trials of other budgets that the last suggestion is based on; `None` where its view had none.
    fn carried_over(&self) -> Option<&CarriedOver> {
        None
    }

    /// The handover to another sampler, returned once after the first suggestion of that sampler.
    fn take_handover(&mut self) -> Option<Handover> {
        None
    }
}

#[cfg(test)]
mod tests;
