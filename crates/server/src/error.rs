//! Why a dashboard cannot start.

use std::net::SocketAddr;

use allometry_store::StoreError;

/// Why a dashboard cannot start.
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
    /// The storage is none that can be followed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refuses threads or signals.
    #[error("cannot start: {0}")]
    System(std::io::Error),
}
