//! Checkpoints: one safetensors file with the model's tensors, its description as JSON and, during
//! training, the state from which training continues to the same bytes.
//!
//! The model's tensors have the names and shapes of `benches/peers/patchtst.py`, so `load_state_dict`
//! accepts them. The description is stored in the file's metadata under `allometry`. A file is replaced as
//! a whole, so description and tensors always agree. Tensors of the training state are named `training.*`.

mod bounds;
mod description;
mod error;
mod file;
mod reader;
mod tensors;

use std::collections::HashMap;
use std::path::Path;

use safetensors::{SafeTensorError, serialize_to_file};

pub(crate) use description::Progress;
pub use description::{DataDescription, Description, Epoch, SCHEMA, SCHEMA_2};
pub use error::CheckpointError;
pub(crate) use file::{make_folder, replace};
pub(crate) use reader::Reader;
use tensors::Stored;

use crate::calibration::Calibration;
use crate::model::{Layout, named_tensors};

/// Key of the description in the file's metadata.
const KEY: &str = "allometry";

/// Names of the weights and of both moments of a training.
pub(crate) const STATE: [&str; 3] = ["training.weights", "training.first_moment", "training.second_moment"];

/// Returns the names of the training buffers: the state, then the weights at the ends of the last epochs.
fn buffer_names(ends: usize) -> impl Iterator<Item = String> {
    STATE.into_iter().map(str::to_owned).chain((0..ends).map(epoch_end))
}

/// Returns the name of the weights at the end of one of the last epochs, from 0 for the oldest.
pub(crate) fn epoch_end(number: usize) -> String {
    format!("training.epoch_end.{number}")
}

/// The model of a checkpoint in memory.
#[derive(Debug)]
pub struct Checkpoint {
    /// Description stored in the checkpoint.
    pub description: Description,
    /// Weights of the best epoch, in the order of the layout.
    pub(crate) weights: Vec<f32>,
}

/// Writes a checkpoint. Whatever happens, `path` holds the old or the new one.
///
/// # Errors
/// [`CheckpointError::Write`] if writing fails.
pub(crate) fn save(
    path: &Path,
    description: &Description,
    weights: &[f32],
    training: &[&[f32]],
) -> Result<(), CheckpointError> {
    let (hyperparameters, geometry) = description.shape().expect("what was trained is a model");
    let layout = Layout::new(hyperparameters.architecture, geometry);
    let mut views: Vec<(String, Stored<'_>)> = named_tensors(&layout, hyperparameters.architecture, geometry)
        .into_iter()
        .map(|tensor| (tensor.name.clone(), Stored::Weights(tensor, weights)))
        .collect();
    let ends = training.len().saturating_sub(3);
    let buffers = buffer_names(ends).zip(training);
    views.extend(buffers.map(|(name, buffer)| (name, Stored::Buffer(buffer, [buffer.len()]))));
    let description = Description { schema: description.needed_schema().into(), ..description.clone() };
    let text = serde_json::to_string(&description).expect("a description has text keys only");
    let metadata = HashMap::from([(KEY.to_owned(), text)]);
    file::replace(path, |part| {
        serialize_to_file(views, Some(metadata), part).map_err(|error| match error {
            SafeTensorError::IoError(error) => error,
            other => std::io::Error::other(other),
        })
    })
    .map_err(|source| CheckpointError::Write { path: path.to_owned(), source })
}

/// Returns an error if [`save`] would fail because the folder cannot be written.
///
/// # Errors
/// [`CheckpointError::Write`] if writing fails.
pub(crate) fn check_writable(path: &Path) -> Result<(), CheckpointError> {
    let probe = path.with_extension("probe");
    file::replace(&probe, |part| std::fs::write(part, b""))
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|source| CheckpointError::Write { path: path.to_owned(), source })
}

impl Checkpoint {
    /// Reads a checkpoint and checks its tensors against its description.
    ///
    /// # Errors
    /// Every [`CheckpointError`] except those of writing.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let mut reader = Reader::open(path)?;
        let mut weights = vec![0.0; reader.weights];
        reader.best_weights(&mut weights)?;
        Ok(Self { description: reader.description, weights })
    }

    /// Sets the calibration of the checkpoint and writes it to its file, unless it already has this one.
    ///
    /// # Errors
    /// [`CheckpointError::Write`] if writing fails.
    pub(crate) fn calibrate(
        &mut self,
        path: &Path,
        calibration: Option<Calibration>,
    ) -> Result<(), CheckpointError> {
        if self.description.calibration == calibration {
            return Ok(());
        }
        self.description.calibration = calibration;
        self.description.schema = self.description.needed_schema().into();
        save(path, &self.description, &self.weights, &[])
    }

    /// Whether training has ended.
    pub fn is_finished(&self) -> bool {
        self.description.progress.is_none()
    }
}
