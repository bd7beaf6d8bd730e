//! Why studies cannot be read.

use std::path::PathBuf;

use allometry_core::ladder::LadderErrors;
use allometry_store::{ImportError, StoreError};

/// Why studies cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The sources, or the options for them, make no sense.
    #[error("{message}")]
    Usage {
        /// What makes no sense.
        message: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// What a source names is not there.
    #[error("{message}")]
    NotFound {
        /// What is missing.
        message: String,
        /// Where it may be.
        hint: Option<String>,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A ladder file has problems.
    #[error("the ladder file is not valid")]
    Ladder(Box<LadderErrors>),
    /// Trials of another program cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The storage fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}
