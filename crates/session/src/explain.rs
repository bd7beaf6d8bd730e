//! How much a trained model uses its inputs, on labelled rows of its ladder.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use allometry_analysis::stats::influence::RowMetric;
use allometry_analysis::{Estimate, ExplainedRows, InputImportance, NoRowError, Options};
use allometry_core::Predictions;
use allometry_ladder::{ScoredPart, Task};
use allometry_trainer::checkpoint::{Checkpoint, CheckpointError};
use allometry_trainer::{InputName, ModelInput, PatchTstObjective};

use crate::SessionError;
use crate::prepare::Prepared;

/// What is explained, and how.
#[derive(Debug, Clone, Copy)]
pub struct ExplainSettings {
    /// Rows on which the model is judged.
    pub part: ScoredPart,
    /// Metric that gets worse; `None` for that of a trial's value.
    pub metric: Option<RowMetric>,
    /// Number of permutations of each input.
    pub permutations: u64,
    /// Number of neighbouring rows of a window that are permuted together; `None` for those of a patch.
    pub steps: Option<usize>,
    /// Seed of the permutations.
    pub seed: u64,
    /// Number of inputs that are permuted at the same time.
    pub threads: usize,
    /// Coverage of the intervals.
    pub options: Options,
}

/// How much a model uses its inputs.
#[derive(Debug)]
pub struct Explanation {
    /// Metric that gets worse.
    pub metric: RowMetric,
    /// The metric of the model's own predictions.
    pub value: Estimate,
    /// Number of rows.
    pub rows: usize,
    /// Number of steps of time by which a row is away from the one that gets its values.
    pub distance: usize,
    /// Inputs, features first, each with its importance.
    pub inputs: Vec<(InputName, InputImportance)>,
}

/// Labels and outputs of rows: a class number or a number to predict for each row, and one output for each
/// class, of a binary label too.
struct Labelled {
    rows: Vec<u64>,
    targets: Vec<f32>,
    outputs: Vec<f32>,
}

impl Prepared<'_> {
    /// Returns the metrics that can explain a model.
    pub fn explaining_metrics(&self) -> &'static [RowMetric] {
        match self.model().task {
            Task::Binary | Task::Classes => &[RowMetric::MacroAuc, RowMetric::LogLoss],
            Task::Regression => &[RowMetric::R2, RowMetric::Mse, RowMetric::Mae],
        }
    }

    /// Permutes the inputs of a checkpoint's model, read from `path`, and returns how much worse its
    /// predictions become.
    ///
    /// # Errors
    /// [`ExplainError`].
    pub fn explain(
        &self,
        path: &Path,
        checkpoint: &Checkpoint,
        settings: &ExplainSettings,
    ) -> Result<Explanation, ExplainError> {
        let objective = self.objective()?;
        let mut explainer = objective.explainer(path, checkpoint, settings.part)?;
        let metric = settings.metric.unwrap_or(self.explaining_metrics()[0]);
        let own = labelled(explainer.predictions(None), metric);
        let panel = self.row_panel();
        let series = self.series(panel.as_ref());
        let rows = ExplainedRows::new(metric, (&own.rows, &own.targets), &own.outputs, &series)?;
        let distance = explainer.distance(self.horizon());
        let donors: Vec<Vec<usize>> = (0..settings.permutations)
            .map(|number| explainer.donors(settings.seed, number, distance))
            .collect();
        let mut inputs = explainer.features();
        inputs.extend(explainer.steps(settings.steps));
        drop(explainer);
        let model = Model { objective: &objective, path, checkpoint, part: settings.part };
        let importances = model.importances(&rows, &inputs, &donors, settings)?;
        let names = inputs.into_iter().map(|input| input.name);
        Ok(Explanation {
            metric,
            value: rows.value(&settings.options)?,
            rows: own.rows.len(),
            distance,
            inputs: names.zip(importances).collect(),
        })
    }
}

/// A checkpoint's model on a part of the rows.
#[derive(Clone, Copy)]
struct Model<'a> {
    objective: &'a PatchTstObjective<'a>,
    path: &'a Path,
    checkpoint: &'a Checkpoint,
    part: ScoredPart,
}

impl Model<'_> {
    /// Returns the importance of each input. Inputs are divided among threads; the result does not depend on
    /// their number.
    fn importances(
        self,
        rows: &ExplainedRows<'_>,
        inputs: &[ModelInput],
        donors: &[Vec<usize>],
        settings: &ExplainSettings,
    ) -> Result<Vec<InputImportance>, ExplainError> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<(usize, InputImportance)>, ExplainError> {
            let mut explainer = self.objective.explainer(self.path, self.checkpoint, self.part)?;
            let mut found = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(input) = inputs.get(place) else { return Ok(found) };
                let mut permuted = rows.input();
                for donors in donors {
                    let outputs = explainer.predictions(Some((input, donors)));
                    let outputs = labelled(outputs, rows.metric()).outputs;
                    permuted.add(donors, &outputs)?;
                }
                found.push((place, permuted.importance(&settings.options)?));
            }
        };
        let parts: Vec<Result<Vec<(usize, InputImportance)>, ExplainError>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..settings.threads.max(1)).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread does not panic")).collect()
        });
        let mut importances: Vec<(usize, InputImportance)> = Vec::with_capacity(inputs.len());
        for part in parts {
            importances.extend(part?);
        }
        importances.sort_by_key(|(place, _)| *place);
        Ok(importances.into_iter().map(|(_, importance)| importance).collect())
    }
}

/// Returns predictions in the form that metrics of classes and numbers take.
fn labelled(predictions: Predictions, metric: RowMetric) -> Labelled {
    // An AUC is one of ranks: the complement of a small probability would lose its digits.
    let complement = |p: f32| if metric == RowMetric::MacroAuc { -p } else { 1.0 - p };
    match predictions {
        Predictions::Binary(scores) => Labelled {
            rows: scores.rows,
            targets: scores.labels.iter().map(|label| f32::from(u8::from(*label))).collect(),
            outputs: scores.scores.iter().flat_map(|p| [complement(*p), *p]).collect(),
        },
        Predictions::Other(outputs) => {
            Labelled { rows: outputs.rows, targets: outputs.targets, outputs: outputs.outputs }
        }
    }
}

/// Reason why a model is not explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The checkpoint holds no model of the ladder.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The ladder cannot be used.
    #[error(transparent)]
    Session(Box<SessionError>),
    /// The rows give no errors.
    #[error("the rows give no errors")]
    Rows(NoRowError),
}

impl From<SessionError> for ExplainError {
    fn from(error: SessionError) -> Self {
        Self::Session(Box::new(error))
    }
}

impl From<NoRowError> for ExplainError {
    fn from(error: NoRowError) -> Self {
        Self::Rows(error)
    }
}
