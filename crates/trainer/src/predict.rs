//! A checkpoint applied to a table.

use std::path::Path;

use crate::checkpoint::{Checkpoint, CheckpointError, Description};
use crate::data::{DataError, Row, load_unlabelled};
use crate::model::probability;
use crate::network::Network;

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
    /// Output of the model before the sigmoid.
    pub logit: f32,
    /// Probability of a positive label.
    pub score: f32,
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
        let normalize = description.model.normalize;
        let network = Network::new(hyperparameters.architecture, geometry, normalize, BATCH, weights);
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
        let windows: Vec<&[f32]> = rows.values.windows(context * width).step_by(width).collect();
        let mut logits = Vec::with_capacity(windows.len());
        for batch in windows.chunks(BATCH) {
            logits.extend_from_slice(self.network.logits(batch.iter().copied()));
        }
        let ends = rows.rows.into_iter().skip(context - 1);
        Ok(ends
            .zip(logits)
            .map(|(row, logit)| Prediction { row, logit, score: probability(f64::from(logit)) as f32 })
            .collect())
    }
}
