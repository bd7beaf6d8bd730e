//! Why a server cannot start, and what a client is told of a failed call.

use std::net::SocketAddr;
use std::path::PathBuf;

use allometry_store::StoreError;
use tonic::{Code, Status};

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is beyond loopback and there is no token.
    #[error("listening on {0} lets other machines in, and there is no token")]
    NeedsToken(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate or its key is of no use.
    #[error("{}: {reason}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The storage cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refuses threads or signals.
    #[error("cannot start: {0}")]
    System(std::io::Error),
    /// Serving ended by itself.
    #[error("cannot go on: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// A store's failure as Optuna's clients know it.
pub(crate) fn status(error: &StoreError) -> Status {
    let code = match error {
        StoreError::UnknownStudy(_)
        | StoreError::UnknownStudyName { .. }
        | StoreError::UnknownTrial(_)
        | StoreError::UnknownTrialNumber { .. } => Code::NotFound,
        StoreError::NameTaken { .. } => Code::AlreadyExists,
        StoreError::NotRunning { .. } => Code::FailedPrecondition,
        StoreError::IncompatibleDistribution { .. } | StoreError::Invalid { .. } => Code::InvalidArgument,
        StoreError::Locked { .. } | StoreError::Unreachable { .. } => Code::Unavailable,
        StoreError::DiskFull { .. } => Code::ResourceExhausted,
        _ => Code::Internal,
    };
    Status::new(code, error.to_string())
}
