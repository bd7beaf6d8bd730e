//! Weights of the best epoch, in memory or on the disk.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use bytemuck::{cast_slice, cast_slice_mut};

use crate::checkpoint::make_folder;

/// Largest number of weights that are kept in memory. Those of larger models lie on the disk: in memory they
/// would take a fifth of what their training takes.
pub(crate) const MOST_IN_MEMORY: usize = 1 << 24;

/// A copy of a model's weights.
#[derive(Debug)]
pub(crate) enum Kept {
    Memory(Vec<f32>),
    /// An unnamed file, which is gone with the process, with this number of weights.
    File(File, usize),
}

impl Kept {
    /// Copies weights. Many of them go to a file in the folder of `checkpoint`, or of temporary files if
    /// there is none, and to memory if that fails.
    pub(crate) fn new(weights: &[f32], checkpoint: Option<&Path>) -> Self {
        let open = || match checkpoint {
            Some(checkpoint) => tempfile::tempfile_in(make_folder(checkpoint)?),
            None => tempfile::tempfile(),
        };
        if weights.len() > MOST_IN_MEMORY
            && let Ok(file) = open()
        {
            let mut kept = Self::File(file, weights.len());
            kept.replace(weights);
            return kept;
        }
        Self::Memory(weights.to_vec())
    }

    /// Copies other weights of the same model.
    pub(crate) fn replace(&mut self, weights: &[f32]) {
        match self {
            Self::Memory(kept) => kept.copy_from_slice(weights),
            Self::File(file, _) => {
                let write = |file: &mut File| {
                    file.seek(SeekFrom::Start(0))?;
                    file.write_all(cast_slice(weights))
                };
                if write(file).is_err() {
                    *self = Self::Memory(weights.to_vec());
                }
            }
        }
    }

    /// Returns the number of weights.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(kept) => kept.len(),
            Self::File(_, count) => *count,
        }
    }

    /// Copies the weights to `to`, which must have their length.
    pub(crate) fn read(&self, to: &mut [f32]) -> io::Result<()> {
        match self {
            Self::Memory(kept) => to.copy_from_slice(kept),
            Self::File(file, _) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0))?;
                file.read_exact(cast_slice_mut(to))?;
            }
        }
        Ok(())
    }

    /// Returns the weights.
    pub(crate) fn into_weights(self) -> io::Result<Vec<f32>> {
        match self {
            Self::Memory(kept) => Ok(kept),
            Self::File(..) => {
                let mut weights = vec![0.0; self.len()];
                self.read(&mut weights)?;
                Ok(weights)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_in_memory_and_on_the_disk_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = folder.path().join("new").join("checkpoint");
        for count in [3, MOST_IN_MEMORY + 1] {
            let mut weights: Vec<f32> = (0..count).map(|place| place as f32).collect();
            let mut kept = Kept::new(&weights, Some(&checkpoint));
            assert_eq!(matches!(kept, Kept::File(..)), count > MOST_IN_MEMORY);
            weights.reverse();
            kept.replace(&weights);
            let mut read = vec![0.0; count];
            kept.read(&mut read).unwrap();
            assert!(read == weights && kept.into_weights().unwrap() == weights, "{count}");
        }
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let nowhere = Kept::new(&vec![1.0; MOST_IN_MEMORY + 1], Some(&file.join("checkpoint")));
        assert!(matches!(nowhere, Kept::Memory(_)));
    }
}
