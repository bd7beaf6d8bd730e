//! Errors of sessions with a ladder.

use allometry_gpu::OpenError;
use allometry_ladder::LadderErrors;
use allometry_runner::{AskError, NoProgram, RunError};
use allometry_search::SpaceError;
use allometry_store::StoreError;
use allometry_study::StudyError;
use allometry_trainer::ArchitectureError;
use allometry_trainer::data::DataError;

/// An error of a session with a ladder.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The request does not fit the ladder.
    #[error("{message}")]
    Usage {
        /// Description of the problem.
        message: String,
        /// Advice for the user.
        hint: Option<String>,
    },
    /// The trials, studies or files that are needed do not exist.
    #[error("{message}")]
    NotFound {
        /// Description of what is missing.
        message: String,
        /// Advice for the user.
        hint: Option<String>,
    },
    /// The ladder that a store keeps contains errors.
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
    /// The device of the ladder's model is not available.
    #[error(transparent)]
    Device(#[from] OpenError),
    /// The program of a ladder's command does not exist.
    #[error(transparent)]
    NoProgram(#[from] NoProgram),
    /// A ladder file or a source cannot be read.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// The storage cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Studies cannot be opened.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A study cannot be driven by another program.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A training of the label-shuffle control failed.
    #[error("{message}")]
    TrialsFailed {
        /// Reason of the failure.
        message: String,
    },
    /// Models predict labels that were put in random order.
    #[error("{message}")]
    LabelsKnown {
        /// The AUC, and the AUC of chance.
        message: String,
    },
}

impl SessionError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::NotFound { hint, .. } => hint.clone(),
            Self::Space(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::Device(error) => Some(error.hint().into()),
            Self::NoProgram(error) => Some(error.hint().into()),
            Self::Study(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Run(error) => error.hint(),
            Self::Ask(error) => error.hint(),
            Self::LabelsKnown { .. } => {
                Some("look for a column that is computed from the label, and for repeated rows".into())
            }
            Self::Ladder(_) | Self::TrialsFailed { .. } => None,
        }
    }
}
