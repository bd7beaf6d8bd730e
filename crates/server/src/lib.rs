//! The live dashboard: ladders and studies of a store as web pages that follow what other processes write.
//!
//! The store is only read, and only when it changed: a SQLite file is looked at through the file system and opened for no
//! longer than reading takes, a server is asked how far its log is. A dashboard can neither slow nor break a study. It listens on loopback unless told otherwise, and beyond it only with a token.

mod api;
mod content;
mod error;
mod guard;
mod listen;
mod page;
mod render;
mod routes;
mod watch;

use std::net::SocketAddr;

use allometry_core::Secret;

pub use error::ServeError;
pub use listen::serve;

/// What to serve, and to whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What every request must show; needed beyond loopback.
    pub token: Option<Secret>,
    /// The store's URL.
    pub storage: Secret,
}
