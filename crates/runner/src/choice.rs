//! The next configuration of a study: an enqueued one, or its sampler's suggestion.

use std::sync::Arc;

use allometry_core::rng::{stream, stream_seed, uniform};
use allometry_core::{CarriedOver, FrozenTrial, ModelSize, Origin, Params, Share, TrialRecord, TrialState};
use allometry_search::{Feasible, SampleError, Sampler, StudyView};
use allometry_store::facts::Fact;
use allometry_store::{Store, StoreError, StudyId};

use crate::enqueued;
use crate::other_budgets::OtherBudgets;

/// Computes the exact size of a configuration's model, where this is possible without training.
pub(crate) type SizeOf<'a> = dyn Fn(&Params) -> Option<ModelSize> + 'a;

/// Chooses the configurations of a study.
pub(crate) struct Chooser {
    pub(crate) label: String,
    /// Seed of the ladder.
    pub(crate) seed: u64,
    pub(crate) feasible: Arc<Feasible>,
    pub(crate) sampler: Box<dyn Sampler>,
    /// Other studies whose trials the sampler uses.
    pub(crate) share: Share,
    /// Trials of other budgets in use, as this process last wrote them to the store.
    pub(crate) carried_over: Option<CarriedOver>,
}

/// A configuration with the record of its trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    pub(crate) params: Params,
    pub(crate) record: TrialRecord,
    /// Index of its random numbers in the study's streams.
    pub(crate) index: u64,
}

impl Chooser {
    /// The sampler's suggestion.
    ///
    /// # Errors
    /// [`SampleError`] where all configurations were tried.
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

    /// The trials of other budgets that the sampler of `study` uses.
    pub(crate) fn others(&self, store: &dyn Store, study: StudyId) -> Result<OtherBudgets, StoreError> {
        match self.share {
            Share::None => Ok(OtherBudgets::default()),
            Share::Budgets => OtherBudgets::read(store, study),
        }
    }

    /// Writes the trials of other budgets that the last suggestion used to the store, where they have
    /// changed.
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

    /// Completes an enqueued trial: missing parameters are drawn at random, seeded by its number, among the
    /// configurations with the given values.
    ///
    /// # Errors
    /// The reason why there is no such configuration.
    pub(crate) fn complete(&self, trial: &FrozenTrial, size: &SizeOf<'_>) -> Result<Choice, String> {
        let index = trial.number.0;
        let mut rng = stream(self.seed, &format!("enqueued/{}", self.label), index);
        let space = self.feasible.space();
        let wanted = enqueued::values(trial, space)?;
        let given = |(name, _): (&str, &_)| wanted.get(name).is_some();
        // A complete configuration is used even where the budget does not admit its size, because the user
        // chose it.
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

/// The seed of all random numbers in trial `index` of a budget.
pub(crate) fn trial_seed(seed: u64, label: &str, index: u64) -> u64 {
    stream_seed(seed, &format!("trial/{label}"), index)
}

/// Whether a trial is waiting.
pub(crate) fn waits(trial: &FrozenTrial) -> bool {
    trial.state == TrialState::Waiting
}
