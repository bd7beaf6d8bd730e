//! Errors of starting a server, and the status that a client receives for a failed call.

use std::net::SocketAddr;
use std::path::PathBuf;

use allometry_store::StoreError;
use tonic::{Code, Status};

/// Reason why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not loopback and there is no token.
    #[error("listening on {0} lets other machines in, and there is no token")]
    NeedsToken(SocketAddr),
    /// Listening on the address fails.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Address to listen on.
        address: SocketAddr,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The certificate or its key is unusable.
    #[error("{}: {reason}", path.display())]
    Identity {
        /// Path of the certificate or key.
        path: PathBuf,
        /// Description of the problem.
        reason: String,
    },
    /// The storage cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refuses threads or signals.
    #[error("cannot start: {0}")]
    System(std::io::Error),
    /// The server stopped because of an error.
    #[error("the server stopped: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Returns the status that Optuna's clients expect for a store's error.
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
