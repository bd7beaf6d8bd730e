//! Errors of reading studies.

use std::path::PathBuf;

use allometry_ladder::LadderErrors;
use allometry_store::{ImportError, StoreError};

/// An error of reading studies.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The sources and options contradict each other or cannot be used together.
    #[error("{message}")]
    Usage {
        /// Description of the problem.
        message: String,
        /// Advice for the user.
        hint: Option<String>,
    },
    /// A file, storage or study that a source names does not exist.
    #[error("{message}")]
    NotFound {
        /// Description of what is missing.
        message: String,
        /// Advice for the user.
        hint: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// A ladder file contains errors.
    #[error("the ladder file is not valid")]
    Ladder(Box<LadderErrors>),
    /// Trials of another program cannot be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The storage cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StudyError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::NotFound { hint, .. } => hint.clone(),
            Self::Import(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Read { .. } | Self::Ladder(_) => None,
        }
    }
}
