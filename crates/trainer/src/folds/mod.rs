//! The objective over walk-forward folds: one training before each era of the validation part.

mod done;

use std::collections::BTreeMap;
use std::path::PathBuf;

use allometry_core::rng::stream_seed;
use allometry_core::{
    Constraints, EpochReport, Failure, ModelSize, Objective, ObjectiveError, ObjectiveOutcome, Params,
    Predictions, PrunedOutcome, Reporter, RowCount, Signal, TrainingCost, TrialSpec,
};

use self::done::{Done, DoneFold};
use crate::model::{ArchitectureError, Cost};
use crate::objective::PatchTstObjective;

/// Objective that trains a trial once for each fold and scores it on the fold's era.
///
/// The value is the mean over the folds, and so is every metric; the predictions are those of all eras, in
/// their order. Each fold is reported with its number as the step, so that a pruner compares trials fold by
/// fold. A fold's best epoch is chosen by the last slice of its training rows, never by its era.
///
/// The folds of a trial have seeds of their own, which follow from the trial's. An interrupted trial keeps
/// its finished folds and the state of the current one, and ends with the result of an uninterrupted one.
#[derive(Debug)]
pub struct FoldsObjective<'a> {
    folds: Vec<PatchTstObjective<'a>>,
}

impl<'a> FoldsObjective<'a> {
    /// Creates an objective of those of the folds, at least one, each on a data set whose test part is the
    /// fold's era.
    ///
    /// # Panics
    /// If there is no fold.
    pub fn new(folds: impl IntoIterator<Item = PatchTstObjective<'a>>) -> Self {
        let folds: Vec<_> = folds.into_iter().map(PatchTstObjective::judged_by_era).collect();
        assert!(!folds.is_empty(), "a trial has a fold");
        Self { folds }
    }

    /// Returns the number of folds.
    pub fn folds(&self) -> usize {
        self.folds.len()
    }

    /// Saves interrupted trials in `folder`, so that they can be resumed.
    #[must_use]
    pub fn with_checkpoints(self, folder: &std::path::Path) -> Self {
        let folds = self.folds.into_iter().map(|fold| fold.with_checkpoints(folder.to_owned()));
        Self { folds: folds.collect() }
    }

    /// Returns the cost of training a configuration in all folds: the sum of their work, and the memory of
    /// the largest, because the folds of a trial are trained one after the other.
    ///
    /// # Errors
    /// [`ArchitectureError`] for parameters that do not define a model.
    pub fn cost(&self, params: &Params, rows: Option<RowCount>) -> Result<Cost, ArchitectureError> {
        let mut all = self.folds.iter().map(|fold| fold.cost(params, rows));
        let first = all.next().expect("a trial has a fold")?;
        all.try_fold(first, |sum, fold| {
            let fold = fold?;
            Ok(Cost {
                flops_per_step: sum.flops_per_step.max(fold.flops_per_step),
                flops_per_epoch: sum.flops_per_epoch + fold.flops_per_epoch,
                memory_bytes: sum.memory_bytes.max(fold.memory_bytes),
            })
        })
    }

    /// Returns the file of a trial's finished folds, if they are saved.
    fn file(&self, trial: &TrialSpec) -> Option<PathBuf> {
        Some(self.folds.first()?.files(trial)?.join(format!("{:016x}.folds.json", trial.seed)))
    }

    /// Trains and scores the folds that are not done, and reports all of them.
    fn run(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
        done: &mut Done,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        let mut outcomes: Vec<ObjectiveOutcome> = Vec::with_capacity(self.folds.len());
        for (number, fold) in (0_u64..).zip(&self.folds) {
            let own = TrialSpec { seed: stream_seed(trial.seed, "fold", number), ..trial.clone() };
            let description = fold.description(&own)?;
            let outcome = if let Some(outcome) = done.fold(outcomes.len(), &description) {
                outcome
            } else {
                let outcome = fold.evaluate(&own, &Silent(reporter)).map_err(|error| named(error, number))?;
                done.push(outcomes.len(), DoneFold::new(description, &outcome));
                outcome
            };
            let (value, metrics) = (outcome.value(), outcome.metrics.clone());
            outcomes.push(outcome);
            match reporter.report(&EpochReport { step: number as i64 + 1, value, metrics }) {
                Signal::Continue => {}
                Signal::Interrupt => return Err(ObjectiveError::Interrupted),
                Signal::Prune => {
                    let (metrics, constraints) = (mean_metrics(&outcomes), Constraints::default());
                    return Err(ObjectiveError::Pruned(Box::new(PrunedOutcome { metrics, constraints })));
                }
            }
        }
        Ok(joined(outcomes))
    }
}

impl Objective for FoldsObjective<'_> {
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        let mut done = Done::open(self.file(trial));
        let outcome = self.run(trial, reporter, &mut done);
        if !matches!(outcome, Err(ObjectiveError::Interrupted)) {
            done.remove();
        }
        outcome
    }

    fn model_size(&self, params: &Params) -> Option<ModelSize> {
        self.folds.first()?.model_size(params)
    }
}

/// Passes on whether the program is ending. The epochs of a fold are not reported: the steps of a trial are
/// its folds.
struct Silent<'a>(&'a dyn Reporter);

impl Reporter for Silent<'_> {
    fn report(&self, _: &EpochReport) -> Signal {
        Signal::Continue
    }

    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}

/// Adds the fold to the reason of a failure.
fn named(error: ObjectiveError, number: u64) -> ObjectiveError {
    match error {
        ObjectiveError::Failed(Failure { reason, detail }) => {
            ObjectiveError::Failed(Failure { reason: format!("fold {}: {reason}", number + 1), detail })
        }
        other => other,
    }
}

/// Returns the result of a trial from those of its folds.
fn joined(folds: Vec<ObjectiveOutcome>) -> ObjectiveOutcome {
    let count = folds.len() as f64;
    let metrics = mean_metrics(&folds);
    let value = folds.iter().map(ObjectiveOutcome::value).sum::<f64>() / count;
    let costs = || folds.iter().map(|fold| fold.cost);
    let rows: Option<u64> = costs().map(|cost| cost.train_rows).sum();
    let cost = TrainingCost {
        train_rows: rows.map(|rows| (rows as f64 / count).round() as u64),
        tokens: costs().map(|cost| cost.tokens).sum(),
        flops: costs().map(|cost| cost.flops).sum(),
        seconds: None,
        precision: folds.first().and_then(|fold| fold.cost.precision),
    };
    let size = folds.first().and_then(|fold| fold.size);
    ObjectiveOutcome {
        values: vec![value],
        constraints: Constraints::default(),
        // Each fold has another best epoch.
        best_step: None,
        metrics,
        size,
        predictions: joined_predictions(folds.into_iter().map(|fold| fold.predictions)),
        cost,
        checkpoint: None,
    }
}

/// Returns the mean over the folds of each metric that all of them have.
fn mean_metrics(folds: &[ObjectiveOutcome]) -> BTreeMap<String, f64> {
    let Some((first, others)) = folds.split_first() else { return BTreeMap::new() };
    let mean = |(name, value): (&String, &f64)| {
        let rest: Option<f64> = others.iter().map(|fold| fold.metrics.get(name).copied()).sum();
        Some((name.clone(), (value + rest?) / folds.len() as f64))
    };
    first.metrics.iter().filter_map(mean).collect()
}

fn joined_predictions(folds: impl Iterator<Item = Option<Predictions>>) -> Option<Predictions> {
    let join = |all: Predictions, next: Predictions| match (all, next) {
        (Predictions::Binary(mut all), Predictions::Binary(next)) => {
            all.rows.extend(next.rows);
            all.labels.extend(next.labels);
            all.scores.extend(next.scores);
            Predictions::Binary(all)
        }
        (Predictions::Other(mut all), Predictions::Other(next)) => {
            all.rows.extend(next.rows);
            all.targets.extend(next.targets);
            all.outputs.extend(next.outputs);
            Predictions::Other(all)
        }
        (Predictions::Binary(_), Predictions::Other(_)) | (Predictions::Other(_), Predictions::Binary(_)) => {
            unreachable!("all folds have one task")
        }
    };
    folds.collect::<Option<Vec<_>>>()?.into_iter().reduce(join)
}
