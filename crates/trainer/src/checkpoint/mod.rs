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
mod tensors;

use std::collections::HashMap;
use std::path::Path;

use safetensors::{SafeTensorError, SafeTensors, serialize_to_file};

pub(crate) use description::Progress;
pub use description::{DataDescription, Description, Epoch, SCHEMA};
pub use error::CheckpointError;
use tensors::{Stored, numbers};

use crate::model::{Layout, named_tensors};

/// Key of the description in the file's metadata.
const KEY: &str = "allometry";

/// Returns the names of the training buffers: weights and both moments, then the weights at the ends of the
/// last epochs, oldest first.
fn buffer_names(ends: usize) -> impl Iterator<Item = String> {
    let fixed = ["training.weights", "training.first_moment", "training.second_moment"];
    fixed.into_iter().map(str::to_owned).chain((0..ends).map(|i| format!("training.epoch_end.{i}")))
}

/// A checkpoint in memory.
#[derive(Debug)]
pub struct Checkpoint {
    /// Description stored in the checkpoint.
    pub description: Description,
    /// Weights of the best epoch, in the order of the layout.
    pub(crate) weights: Vec<f32>,
    /// Buffers named by [`buffer_names`], from which training continues.
    pub(crate) training: Option<Vec<Vec<f32>>>,
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
    let text = serde_json::to_string(description).expect("a description has text keys only");
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
        let read = |source| CheckpointError::Read { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(read)?;
        let damaged = |why: String| CheckpointError::Damaged { path: path.to_owned(), why };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
        let text = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let text = text.ok_or_else(|| CheckpointError::Foreign { path: path.to_owned() })?;
        let description = Self::describe(path, text)?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;

        let wrong = |why: String| CheckpointError::Architecture { path: path.to_owned(), why };
        let (hyperparameters, geometry) = description.shape().map_err(|e| wrong(e.to_string()))?;
        if let Some(why) = bounds::problem(&description, (&hyperparameters, geometry), bytes.len()) {
            return Err(wrong(why));
        }
        let layout = Layout::new(hyperparameters.architecture, geometry);
        let find = |name: &str, shape: &[usize]| {
            let tensor = tensors.tensor(name).map_err(|_| wrong(format!("tensor `{name}` is missing")))?;
            if tensor.shape() != shape || tensor.dtype() != safetensors::Dtype::F32 {
                let (found, dtype) = (tensor.shape(), tensor.dtype());
                return Err(wrong(format!("tensor `{name}` is {dtype:?} {found:?}, not F32 {shape:?}")));
            }
            Ok(tensor.data())
        };
        let mut weights = vec![0.0; layout.total];
        for tensor in named_tensors(&layout, hyperparameters.architecture, geometry) {
            let values = tensor.span.of_mut(&mut weights);
            for (place, number) in numbers(find(&tensor.name, &tensor.shape)?).enumerate() {
                values[tensor.place(place)] = number;
            }
        }
        let training = match &description.progress {
            None => None,
            Some(progress) => {
                let read = |name: String| Ok(numbers(find(&name, &[layout.total])?).collect());
                Some(buffer_names(progress.ends).map(read).collect::<Result<Vec<_>, _>>()?)
            }
        };
        Ok(Self { description, weights, training })
    }

    /// Parses the description, its version first, because other versions may have any other content.
    fn describe(path: &Path, text: &str) -> Result<Description, CheckpointError> {
        let damaged = |why: String| CheckpointError::Damaged { path: path.to_owned(), why };
        let document: serde_json::Value = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
        match document.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => {}
            found => {
                let found = found.unwrap_or("no name").to_owned();
                return Err(CheckpointError::Version { path: path.to_owned(), found, expected: SCHEMA });
            }
        }
        serde_json::from_value(document).map_err(|e| damaged(format!("its description is wrong: {e}")))
    }

    /// Whether training has ended.
    pub fn is_finished(&self) -> bool {
        self.description.progress.is_none()
    }
}
