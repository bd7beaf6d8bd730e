//! Configurations that were trained anew under seeds that all share.

mod contrast;

use allometry_core::{FrozenTrial, Retraining, TrialNumber};

use crate::input::LadderTrials;
use crate::row_scores::RowScores;

pub use crate::input::RetrainedTrials;
pub(crate) use contrast::{Contrast, Outcome};

/// One training of a planned configuration.
#[derive(Clone, Copy)]
pub(crate) struct Trained<'a> {
    /// Its seed.
    pub(crate) seed: u64,
    /// Its value, finite.
    pub(crate) value: f64,
    /// The trial.
    pub(crate) trial: &'a FrozenTrial,
    /// What it predicts, where stored and of use for the ladder's metric.
    pub(crate) predictions: Option<RowScores<'a>>,
}

impl RetrainedTrials {
    /// The training of a planned configuration and seed, where it ended with a value.
    pub(crate) fn trained(&self, planned: &Retraining, ladder: &LadderTrials) -> Option<Trained<'_>> {
        let is_it =
            |trial: &&FrozenTrial| trial.record.seed == Some(planned.seed) && trial.params == planned.params;
        let found = self.trials.iter().filter(is_it).find_map(|trial| {
            let value = trial.eligible_value().filter(|value| value.is_finite())?;
            Some((trial, value))
        });
        let (trial, value) = found?;
        let predictions = self.predictions(trial.number, ladder);
        Some(Trained { seed: planned.seed, value, trial, predictions })
    }

    /// The trainings of the configuration at `rank` among the best of `from`.
    pub(crate) fn of(&self, from: &str, rank: u64, ladder: &LadderTrials) -> Vec<Trained<'_>> {
        let planned = self.plan.iter().filter(|one| one.from == from && one.rank == rank);
        planned.filter_map(|one| self.trained(one, ladder)).collect()
    }

    fn predictions(&self, trial: TrialNumber, ladder: &LadderTrials) -> Option<RowScores<'_>> {
        ladder.useful(&self.predictions, trial)
    }
}

/// Those whose budgets the ladder has, in its order.
pub(crate) fn in_order<'a>(all: &'a [RetrainedTrials], ladder: &LadderTrials) -> Vec<&'a RetrainedTrials> {
    let place =
        |one: &RetrainedTrials| ladder.studies.iter().position(|study| study.budget.label == one.budget);
    let mut trained: Vec<&RetrainedTrials> = all.iter().filter(|one| place(one).is_some()).collect();
    trained.sort_by_key(|one| place(one));
    trained
}

/// How many trainings were planned, and of these how many ended with a value.
pub(crate) fn counts(trained: &[&RetrainedTrials], ladder: &LadderTrials) -> (u64, u64) {
    let all = || trained.iter().flat_map(|by| by.plan.iter().map(move |one| (by, one)));
    let complete = all().filter(|(by, one)| by.trained(one, ladder).is_some());
    (all().count() as u64, complete.count() as u64)
}
