//! Reading of checkpoints, tensor by tensor.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::description::{Description, SCHEMA, SCHEMA_2};
use super::tensors::numbers;
use super::{CheckpointError, KEY, bounds, buffer_names};
use crate::model::{Layout, Tensor, named_tensors};

/// Number of bytes of the header's length, with which a file begins.
const LENGTH: u64 = 8;
/// Largest number of bytes of a header.
const MOST_HEADER: u64 = 100_000_000;
/// Number of bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// An open checkpoint. Its tensors agree with its description, and are read when they are needed: those of a
/// large model take as much memory as its training.
#[derive(Debug)]
pub(crate) struct Reader {
    source: Source,
    tensors: Vec<Tensor>,
    pub(crate) description: Description,
    /// Number of weights of the model.
    pub(crate) weights: usize,
}

/// An open file of tensors.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    file: File,
    header: Metadata,
    /// Byte at which the tensors begin.
    start: u64,
}

impl Reader {
    /// Opens a checkpoint and checks its tensors against its description.
    ///
    /// # Errors
    /// Every [`CheckpointError`] except those of writing.
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let read = |source| CheckpointError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(read)?;
        let bytes = file.metadata().map_err(read)?.len();
        let (header, start) = header(path, &mut file, bytes)?;
        let text = header.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let text = text.ok_or_else(|| CheckpointError::Foreign { path: path.to_owned() })?;
        let description = describe(path, text)?;
        let wrong = |why: String| CheckpointError::Architecture { path: path.to_owned(), why };
        let (hyperparameters, geometry) = description.shape().map_err(|e| wrong(e.to_string()))?;
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        if let Some(why) = bounds::problem(&description, (&hyperparameters, geometry), length) {
            return Err(wrong(why));
        }
        let layout = Layout::new(hyperparameters.architecture, geometry);
        let check = |name: &str, shape: &[usize]| match header.info(name) {
            None => Err(wrong(format!("tensor `{name}` is missing"))),
            Some(found) if found.shape == shape && found.dtype == Dtype::F32 => Ok(()),
            Some(found) => {
                let (dtype, found) = (found.dtype, &found.shape);
                Err(wrong(format!("tensor `{name}` is {dtype:?} {found:?}, not F32 {shape:?}")))
            }
        };
        let tensors = named_tensors(&layout, hyperparameters.architecture, geometry);
        tensors.iter().try_for_each(|tensor| check(&tensor.name, &tensor.shape))?;
        if let Some(progress) = &description.progress {
            buffer_names(progress.ends).try_for_each(|name| check(&name, &[layout.total]))?;
        }
        let source = Source { path: path.to_owned(), file, header, start };
        Ok(Self { source, tensors, description, weights: layout.total })
    }

    /// Reads the weights of the best epoch in the order of the layout.
    ///
    /// # Errors
    /// [`CheckpointError::Read`].
    pub(crate) fn best_weights(&mut self, to: &mut [f32]) -> Result<(), CheckpointError> {
        for tensor in &self.tensors {
            let values = tensor.span.of_mut(to);
            self.source.each(&tensor.name, |place, number| values[tensor.place(place)] = number)?;
        }
        Ok(())
    }

    /// Reads a buffer of the training, named as in [`buffer_names`].
    ///
    /// # Errors
    /// [`CheckpointError::Read`].
    pub(crate) fn buffer(&mut self, name: &str, to: &mut [f32]) -> Result<(), CheckpointError> {
        self.source.each(name, |place, number| to[place] = number)
    }
}

impl Source {
    /// Passes each number of a tensor with its place to `visit`.
    fn each(&mut self, name: &str, visit: impl FnMut(usize, f32)) -> Result<(), CheckpointError> {
        let (first, end) = self.header.info(name).expect("opening has checked it").data_offsets;
        let read = self.file.seek(SeekFrom::Start(self.start + first as u64));
        read.and_then(|_| numbers_of(&mut self.file, end - first, visit))
            .map_err(|source| CheckpointError::Read { path: self.path.clone(), source })
    }
}

/// Passes the numbers in the next `bytes` bytes of a file to `visit`.
fn numbers_of(file: &mut File, bytes: usize, mut visit: impl FnMut(usize, f32)) -> io::Result<()> {
    let mut chunk = vec![0; bytes.min(CHUNK)];
    let (mut place, mut left) = (0, bytes);
    while left > 0 {
        let part = &mut chunk[..left.min(CHUNK)];
        file.read_exact(part)?;
        for number in numbers(part) {
            visit(place, number);
            place += 1;
        }
        left -= part.len();
    }
    Ok(())
}

/// Returns the header of a file of `bytes` bytes, and the byte at which its tensors begin.
fn header(path: &Path, file: &mut File, bytes: u64) -> Result<(Metadata, u64), CheckpointError> {
    let read = |source| CheckpointError::Read { path: path.to_owned(), source };
    let damaged = |why: String| CheckpointError::Damaged { path: path.to_owned(), why };
    if bytes < LENGTH {
        return Err(damaged(format!("it has {bytes} bytes")));
    }
    let mut length = [0; LENGTH as usize];
    file.read_exact(&mut length).map_err(read)?;
    let length = u64::from_le_bytes(length);
    if length > MOST_HEADER {
        return Err(damaged("it does not begin with the length of a header".into()));
    }
    if length > bytes - LENGTH {
        return Err(damaged(format!("its header has {length} bytes, but the file has {bytes}")));
    }
    let mut text = vec![0; length as usize];
    file.read_exact(&mut text).map_err(read)?;
    let header: Metadata = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    let start = LENGTH + length;
    if start.checked_add(header.data_len() as u64) != Some(bytes) {
        return Err(damaged(format!(
            "its tensors have {} bytes, but the file has {} after its header",
            header.data_len(),
            bytes - start
        )));
    }
    Ok((header, start))
}

/// Parses the description, its version first, because other versions may have any other content.
fn describe(path: &Path, text: &str) -> Result<Description, CheckpointError> {
    let damaged = |why: String| CheckpointError::Damaged { path: path.to_owned(), why };
    let document: serde_json::Value = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
    match document.get("schema").and_then(serde_json::Value::as_str) {
        Some(SCHEMA | SCHEMA_2) => {}
        found => {
            let found = found.unwrap_or("no name").to_owned();
            return Err(CheckpointError::Version {
                path: path.to_owned(),
                found,
                expected: [SCHEMA, SCHEMA_2],
            });
        }
    }
    serde_json::from_value(document).map_err(|e| damaged(format!("its description is wrong: {e}")))
}
