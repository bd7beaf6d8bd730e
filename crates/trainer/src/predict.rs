//! A checkpoint applied to a table.

use std::path::Path;

use crate::checkpoint::{Checkpoint, CheckpointError, Description};
use crate::data::{DataError, Row, load_unlabelled};
use crate::network::Network;
use crate::scoring::outputs;

/// Windows that are scored at once.
const BATCH: usize = 64;

/// A model that predicts, read from a checkpoint.
#[derive(Debug)]
pub struct Predictor {
    /// What the checkpoint says about itself.
    pub description: Description,
    network: Network,
}

/// What a model says of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The window's last row.
    pub row: Row,
    /// Outputs of the model as they are.
    pub logits: Vec<f32>,
    /// Probability of a positive label, or of each class, or the predicted number.
    pub scores: Vec<f32>,
}

impl Predictor {
    /// Reads a model.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let Checkpoint { description, weights, .. } = Checkpoint::load(path)?;
        if description.best.is_none() {
            return Err(CheckpointError::NoModel { path: path.to_owned() });
        }
        let (hyperparameters, geometry) = description.shape().expect("loading has checked it");
        let architecture = hyperparameters.architecture;
        let network = Network::new(architecture, geometry, &description.model, BATCH, weights);
        Ok(Self { description, network })
    }

    /// Predictions for every window of a table, in time order: one for each row but the first `context - 1`.
    ///
    /// # Errors
    /// [`DataError`] where the table cannot be read, lacks a column that the model takes, or is too short.
    pub fn predict(&mut self, table: &Path) -> Result<Vec<Prediction>, DataError> {
        let Description { data, model, .. } = &self.description;
        let context = model.context;
        let rows = load_unlabelled(table, &data.features, &data.preparation, context)?;
        let width = data.features.len();
        let starts: Vec<usize> = (0..=rows.values.len() / width - context).collect();
        let mut logits = Vec::with_capacity(starts.len() * self.network.outputs());
        for batch in starts.chunks(BATCH) {
            logits.extend_from_slice(self.network.series_logits(&rows.values, batch));
        }
        let mut scores = Vec::with_capacity(logits.len());
        outputs(&logits, model.task, &data.preparation, &mut scores);
        let ends = rows.rows.into_iter().skip(context - 1);
        let each = self.network.outputs();
        let values = logits.chunks_exact(each).zip(scores.chunks_exact(each));
        Ok(ends
            .zip(values)
            .map(|(row, (logits, scores))| Prediction { row, logits: logits.into(), scores: scores.into() })
            .collect())
    }
}
