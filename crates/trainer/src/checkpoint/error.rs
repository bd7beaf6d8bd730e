//! Why a checkpoint cannot be written, read or gone on from.

use std::path::PathBuf;

/// Why a checkpoint cannot be written, read or gone on from. Messages name the file.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The system refuses to read the file.
    #[error("cannot read checkpoint {}: {source}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system refuses to write the file; what was there before is untouched.
    #[error("cannot write checkpoint {}: {source}", path.display())]
    Write {
        /// File.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are no safetensors file, or a part of one.
    #[error("{} is no whole safetensors file: {why}", path.display())]
    Damaged {
        /// File.
        path: PathBuf,
        /// What the reader stumbled over.
        why: String,
    },
    /// A safetensors file without our description.
    #[error("{} is a safetensors file, but not one of Allometry's checkpoints", path.display())]
    Foreign {
        /// File.
        path: PathBuf,
    },
    /// A description of another version of the format.
    #[error("{} has the format {found}; this program reads {expected}", path.display())]
    Version {
        /// File.
        path: PathBuf,
        /// Format of the file.
        found: String,
        /// Format that is understood.
        expected: &'static str,
    },
    /// Tensors that are not those of the described architecture.
    #[error("{}: {why}", path.display())]
    Architecture {
        /// File.
        path: PathBuf,
        /// Which tensor, and how it differs.
        why: String,
    },
    /// A checkpoint of another trial.
    #[error("{} is a checkpoint of another trial: {}", path.display(), differences.join("; "))]
    Differs {
        /// File.
        path: PathBuf,
        /// What differs, one entry each.
        differences: Vec<String>,
    },
    /// No epoch was finished before the trial was interrupted, so that there is no model to apply.
    #[error("{} holds no finished epoch yet", path.display())]
    NoModel {
        /// File.
        path: PathBuf,
    },
}

impl CheckpointError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "`allometry train` writes checkpoints".into()
            }
            Self::Write { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "free some space, or name a file on another disk with --checkpoint".into()
            }
            Self::Write { .. } => "name a file in a folder that can be written to with --checkpoint".into(),
            Self::Damaged { .. } => "it may have been copied in part; --restart trains it anew".into(),
            Self::Differs { .. } => {
                "--restart trains anew and overwrites it, --checkpoint FILE keeps it".into()
            }
            Self::NoModel { .. } => "the same `allometry train` goes on with it".into(),
            Self::Read { .. } | Self::Foreign { .. } | Self::Version { .. } | Self::Architecture { .. } => {
                return None;
            }
        })
    }
}
