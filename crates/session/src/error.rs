//! Why a session with a ladder cannot begin or go on.

use allometry_core::ladder::LadderErrors;
use allometry_core::space::SpaceError;
use allometry_gpu::OpenError;
use allometry_runner::{AskError, NoProgram, RunError};
use allometry_store::StoreError;
use allometry_study::StudyError;
use allometry_trainer::ArchitectureError;
use allometry_trainer::data::DataError;

/// Why a session with a ladder cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// What is asked for makes no sense for this ladder.
    #[error("{message}")]
    Usage {
        /// What makes no sense.
        message: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// There is nothing to work on.
    #[error("{message}")]
    NotFound {
        /// What is missing.
        message: String,
        /// Where it may be.
        hint: Option<String>,
    },
    /// The ladder that a store keeps has problems.
    #[error("the ladder file is not valid")]
    Ladder(Box<LadderErrors>),
    /// A budget's search space has no configuration.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The ladder's model does not fit its data.
    #[error(transparent)]
    Model(#[from] ArchitectureError),
    /// The device of the ladder's model is not there.
    #[error(transparent)]
    Device(#[from] OpenError),
    /// A command's program is not there.
    #[error(transparent)]
    NoProgram(#[from] NoProgram),
    /// A ladder file or a source cannot be read.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// The storage fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Studies cannot be opened.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A study cannot be driven from outside.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A training of the label-shuffle control failed.
    #[error("{message}")]
    TrialsFailed {
        /// Why.
        message: String,
    },
    /// Models predict labels that were put in random order.
    #[error("{message}")]
    LabelsKnown {
        /// The AUC, and what chance would give.
        message: String,
    },
}
