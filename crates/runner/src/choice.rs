//! The next configuration of a study: an enqueued one, or what its sampler says.

use std::sync::Arc;

use allometry_core::ladder::Share;
use allometry_core::rng::{stream, stream_seed, uniform};
use allometry_core::sampler::CarriedOver;
use allometry_core::space::Feasible;
use allometry_core::{
    FrozenTrial, ModelSize, Origin, Params, SampleError, Sampler, StudyView, TrialRecord, TrialState,
};

use allometry_store::facts::Fact;
use allometry_store::{Store, StoreError, StudyId};

use crate::enqueued;
use crate::others::Others;

/// Exact size of a configuration's model, where it can be told beforehand.
pub(crate) type SizeOf<'a> = dyn Fn(&Params) -> Option<ModelSize> + 'a;

/// What a study's configurations are chosen from.
pub(crate) struct Chooser {
    pub(crate) label: String,
    /// Seed of the ladder.
    pub(crate) seed: u64,
    pub(crate) feasible: Arc<Feasible>,
    pub(crate) sampler: Box<dyn Sampler>,
    /// Whose trials it learns from beside the study's.
    pub(crate) share: Share,
    /// What it owes to other budgets, as this process last wrote it to the store.
    pub(crate) carried_over: Option<CarriedOver>,
}

/// A configuration and what is recorded of it beforehand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    pub(crate) params: Params,
    pub(crate) record: TrialRecord,
    /// Place of its random numbers in the study's streams.
    pub(crate) index: u64,
}

impl Chooser {
    /// What the sampler says.
    ///
    /// # Errors
    /// [`SampleError`] where nothing is left.
    pub(crate) fn suggest(&mut self, view: &StudyView<'_>, size: &SizeOf<'_>) -> Result<Choice, SampleError> {
        let index = view.len() as u64;
        let mut rng = stream(self.seed, &format!("sampler/{}", self.label), index);
        let suggestion = self.sampler.suggest(view, &mut rng)?;
        let record = TrialRecord {
            size: size(&suggestion.params),
            seed: Some(trial_seed(self.seed, &self.label, index)),
            origin: Some(suggestion.origin),
            ..TrialRecord::default()
        };
        Ok(Choice { params: suggestion.params, record, index })
    }

    /// The trials of other budgets that the sampler of `study` is to see.
    pub(crate) fn others(&self, store: &dyn Store, study: StudyId) -> Result<Others, StoreError> {
        match self.share {
            Share::None => Ok(Others::default()),
            Share::Budgets => Others::read(store, study),
        }
    }

    /// Writes down what the last suggestion owes to other budgets, where that has changed.
    pub(crate) fn record_carried_over(
        &mut self,
        store: &dyn Store,
        study: StudyId,
    ) -> Result<(), StoreError> {
        let Some(over) = self.sampler.carried_over() else { return Ok(()) };
        if self.carried_over.as_ref() != Some(over) {
            store.set_facts(study, &[Fact::CarriedOver(over.clone())])?;
            self.carried_over = Some(over.clone());
        }
        Ok(())
    }

    /// An enqueued trial with every parameter: those it lacks are drawn at random, from its number, among the configurations
    /// that have the others.
    ///
    /// # Errors
    /// Why there is no such configuration.
    pub(crate) fn complete(&self, trial: &FrozenTrial, size: &SizeOf<'_>) -> Result<Choice, String> {
        let index = trial.number.0;
        let mut rng = stream(self.seed, &format!("enqueued/{}", self.label), index);
        let space = self.feasible.space();
        let wanted = enqueued::values(trial, space)?;
        let given = |(name, _): (&str, &_)| wanted.get(name).is_some();
        // A whole configuration is the user's will even where the budget would not admit its size.
        let params = if space.iter().all(given) {
            wanted
        } else {
            let point: Vec<f64> = (0..self.feasible.dimension()).map(|_| uniform(&mut rng)).collect();
            let completed = self.feasible.complete(&wanted, &point);
            completed.ok_or("no configuration of the space has the enqueued values")?
        };
        let seed = stream_seed(self.seed, &format!("enqueued/{}", self.label), index);
        let record = TrialRecord {
            size: size(&params),
            seed: Some(trial.record.seed.unwrap_or(seed)),
            origin: Some(Origin::Enqueued),
            ..trial.record.clone()
        };
        Ok(Choice { params, record, index })
    }
}

/// Seed of everything random in trial `index` of a budget.
pub(crate) fn trial_seed(seed: u64, label: &str, index: u64) -> u64 {
    stream_seed(seed, &format!("trial/{label}"), index)
}

/// Splits a study's trials, repetitions folded, into those that ended and the others.
pub(crate) fn split(trials: Vec<FrozenTrial>) -> (Vec<FrozenTrial>, Vec<FrozenTrial>) {
    trials.into_iter().partition(|trial| trial.state.is_finished())
}

/// Whether a trial waits to be evaluated.
pub(crate) fn waits(trial: &FrozenTrial) -> bool {
    trial.state == TrialState::Waiting
}
