//! The error of starting a dashboard.

use std::net::SocketAddr;

use allometry_store::StoreError;

/// The error of starting a dashboard.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not a loopback address, and there is no token.
    #[error("other machines can reach {0}, and there is no token")]
    NeedsToken(SocketAddr),
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Address to listen on.
        address: SocketAddr,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The storage cannot be followed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Threads, sockets or signal handlers cannot be set up.
    #[error("cannot start: {0}")]
    System(std::io::Error),
}
