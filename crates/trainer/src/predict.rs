//! Predictions of a checkpoint's model for a table.

use std::path::Path;

use allometry_core::Precision;
use allometry_ladder::ModelSpec;

use crate::checkpoint::{Checkpoint, CheckpointError, Description};
use crate::data::{DataError, Holes, Row, Unlabelled, Unseen, load_unlabelled};
use crate::network::Network;
use crate::scoring::predicted;

/// Number of windows scored at once.
const BATCH: usize = 64;

/// A model for predictions, read from a checkpoint.
#[derive(Debug)]
pub struct Predictor {
    /// Description stored in the checkpoint.
    pub description: Description,
    pub(crate) network: Network,
}

/// Predictions for a table.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictedTable {
    /// Predictions in time order, series after series.
    pub windows: Vec<Prediction>,
    /// Number of rows that were left out because of a missing or infinite value.
    pub dropped: u64,
    /// Columns with such values, each with their number.
    pub gaps: Vec<(String, u64)>,
    /// Columns of which such values were filled, each with their number.
    pub filled: Vec<(String, u64)>,
    /// Categories that the training part did not have.
    pub unseen: Vec<Unseen>,
    /// Holes that no window may span; `None` if the model was trained without `max_gap`.
    pub holes: Option<Holes>,
}

/// Prediction for one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Last row of the window.
    pub row: Row,
    /// Raw outputs of the model, not calibrated.
    pub logits: Vec<f32>,
    /// Probability of a positive label, probability of each class, or the predicted number; calibrated if
    /// the checkpoint has a calibration.
    pub scores: Vec<f32>,
}

impl Predictor {
    /// Reads a model from a checkpoint. It predicts in single precision, whatever it was trained in, as those
    /// do who take the weights elsewhere.
    ///
    /// # Errors
    /// [`CheckpointError`] if the file cannot be read or has no finished epoch.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let Checkpoint { description, weights, .. } = Checkpoint::load(path)?;
        if description.best.is_none() {
            return Err(CheckpointError::NoModel { path: path.to_owned() });
        }
        let (hyperparameters, geometry) = description.shape().expect("loading has checked it");
        let architecture = hyperparameters.architecture;
        let model = ModelSpec { precision: Precision::F32, ..description.model.clone() };
        let network = Network::new(architecture, geometry, &model, BATCH, weights);
        Ok(Self { description, network })
    }

    /// Returns the predictions for every window of a table in time order, series after series: one for each
    /// row except the first `context - 1` of a series, and except those of windows that contain a hole longer
    /// than the training's `max_gap`. Rows with a category that the training part did not have count as none
    /// of its categories.
    ///
    /// # Errors
    /// [`DataError`] if the table cannot be read, lacks a column of the model, or is too short.
    pub fn predict(&mut self, table: &Path) -> Result<PredictedTable, DataError> {
        let Description { data, model, .. } = &self.description;
        let context = model.context;
        let rows = load_unlabelled(table, &data.features, &data.preparation, context)?;
        let mut logits = Vec::with_capacity(rows.starts.len() * self.network.outputs());
        for batch in rows.starts.chunks(BATCH) {
            logits.extend_from_slice(self.network.series_logits(&rows.values, batch));
        }
        let mut scores = Vec::with_capacity(logits.len());
        predicted(&logits, &self.description, &mut scores);
        let Unlabelled { rows, starts, dropped, gaps, filled, unseen, holes, .. } = rows;
        let ends = starts.into_iter().map(|start| rows[start + context - 1].clone());
        let outputs_per_window = self.network.outputs();
        let values = logits.chunks_exact(outputs_per_window).zip(scores.chunks_exact(outputs_per_window));
        let windows = ends
            .zip(values)
            .map(|(row, (logits, scores))| Prediction { row, logits: logits.into(), scores: scores.into() })
            .collect();
        Ok(PredictedTable { windows, dropped, gaps, filled, unseen, holes })
    }
}
