//! Errors of checkpoints.

use std::path::PathBuf;

/// Reason why a checkpoint cannot be written, read or continued. Messages name the file.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Reading the file fails.
    #[error("cannot read checkpoint {}: {source}", path.display())]
    Read {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// Writing the file fails. An existing file is unchanged.
    #[error("cannot write checkpoint {}: {source}", path.display())]
    Write {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a complete safetensors file.
    #[error("{} is not a complete safetensors file: {why}", path.display())]
    Damaged {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Message of the reader.
        why: String,
    },
    /// The file is a safetensors file without Allometry's description.
    #[error("{} is a safetensors file, but not a checkpoint of Allometry", path.display())]
    Foreign {
        /// Path of the file.
        path: PathBuf,
    },
    /// The description has another version of the format.
    #[error("{} has the format {found}; this program reads {}", path.display(), expected.join(" and "))]
    Version {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Format of the file.
        found: String,
        /// Format that this program reads.
        expected: [&'static str; 2],
    },
    /// The tensors are not those of the described architecture.
    #[error("{}: {why}", path.display())]
    Architecture {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Name of the tensor, and its difference.
        why: String,
    },
    /// The checkpoint belongs to another trial.
    #[error("{} is a checkpoint of another trial: {}", path.display(), differences.join("; "))]
    Differs {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Differences between the two trials.
        differences: Vec<String>,
    },
    /// The model was trained on other data than the ladder's.
    #[error("{} was trained on other data: {}", path.display(), differences.join("; "))]
    OtherData {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Differences between the data of the training and those of the ladder.
        differences: Vec<String>,
    },
    /// The trial was interrupted before its first epoch ended, so there is no model.
    #[error("{} holds no finished epoch yet", path.display())]
    NoModel {
        /// Path of the checkpoint.
        path: PathBuf,
    },
}

impl CheckpointError {
    /// Returns advice for the user.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "`allometry train` writes checkpoints".into()
            }
            Self::Write { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "free some space, or name a file on another disk with --checkpoint".into()
            }
            Self::Write { .. } => "name a file in a folder that can be written to with --checkpoint".into(),
            Self::Damaged { .. } => {
                "it may have been copied incompletely: copy it again, or train the model again with \
                 `allometry train --restart`"
                    .into()
            }
            Self::Differs { .. } => {
                "--restart trains again and overwrites it, --checkpoint FILE keeps it".into()
            }
            Self::OtherData { .. } => {
                "name the ladder file of the training, with its table as it was; `allometry train` trains \
                 on a new one"
                    .into()
            }
            Self::NoModel { .. } => {
                "run the `allometry train` that wrote it again: it continues the training".into()
            }
            Self::Read { .. } | Self::Foreign { .. } | Self::Version { .. } | Self::Architecture { .. } => {
                return None;
            }
        })
    }
}
