//! Configurations that were trained again under shared seeds.

mod contrast;

use allometry_core::{FrozenTrial, Retraining, TrialNumber};

use crate::input::LadderTrials;
use crate::row_scores::RowScores;

pub use crate::input::RetrainedTrials;
pub(crate) use contrast::{Contrast, Outcome};

/// One training of a planned configuration.
#[derive(Clone, Copy)]
pub(crate) struct Trained<'a> {
    /// Seed of the training.
    pub(crate) seed: u64,
    /// Value of the trial; finite.
    pub(crate) value: f64,
    /// The trial.
    pub(crate) trial: &'a FrozenTrial,
    /// Predictions on the rows, where they are stored and the ladder's metric can be computed from them.
    pub(crate) predictions: Option<RowScores<'a>>,
}

impl RetrainedTrials {
    /// Returns the training of a planned configuration and seed; `None` where it did not end with a value.
    pub(crate) fn trained<'a>(
        &'a self,
        planned: &Retraining,
        ladder: &'a LadderTrials,
    ) -> Option<Trained<'a>> {
        let is_it =
            |trial: &&FrozenTrial| trial.record.seed == Some(planned.seed) && trial.params == planned.params;
        let found = self.trials.iter().filter(is_it).find_map(|trial| {
            let value = trial.eligible_value()?;
            Some((trial, value))
        });
        let (trial, value) = found?;
        let predictions = self.predictions(trial.number, ladder);
        Some(Trained { seed: planned.seed, value, trial, predictions })
    }

    /// Returns the trainings of the configuration with `rank` among the best of `from`.
    pub(crate) fn of<'a>(&'a self, from: &str, rank: u64, ladder: &'a LadderTrials) -> Vec<Trained<'a>> {
        let planned = self.plan.iter().filter(|one| one.from == from && one.rank == rank);
        planned.filter_map(|one| self.trained(one, ladder)).collect()
    }

    fn predictions<'a>(&'a self, trial: TrialNumber, ladder: &'a LadderTrials) -> Option<RowScores<'a>> {
        ladder.useful(&self.predictions, trial)
    }
}

/// Returns the retrained configurations of the ladder's budgets, in the ladder's order.
pub(crate) fn in_order<'a>(all: &'a [RetrainedTrials], ladder: &LadderTrials) -> Vec<&'a RetrainedTrials> {
    let place =
        |one: &RetrainedTrials| ladder.studies.iter().position(|study| study.budget.label == one.budget);
    let mut trained: Vec<&RetrainedTrials> = all.iter().filter(|one| place(one).is_some()).collect();
    trained.sort_by_key(|one| place(one));
    trained
}

/// Returns the number of planned trainings and the number of those that ended with a value.
pub(crate) fn counts(trained: &[&RetrainedTrials], ladder: &LadderTrials) -> (u64, u64) {
    let all = || trained.iter().flat_map(|by| by.plan.iter().map(move |one| (by, one)));
    let complete = all().filter(|(by, one)| by.trained(one, ladder).is_some());
    (all().count() as u64, complete.count() as u64)
}
