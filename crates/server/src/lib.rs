//! The live dashboard: web pages with the ladders and studies of a store, updated as other processes write to
//! it.
//!
//! The dashboard only reads the store, and only after a change, so it can neither slow down nor break a
//! study. It detects changes by the state of the SQLite file in the file system, or by the log position of a
//! database server, and opens a SQLite file only while it reads. By default it listens on loopback; any other
//! address requires a token.

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
pub use guard::token_query;
pub use listen::serve;

/// The options of a dashboard.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to listen on; port 0 chooses a free port.
    pub listen: SocketAddr,
    /// Token that every request must carry; required unless the address is a loopback address.
    pub token: Option<Secret>,
    /// URL of the store.
    pub storage: Secret,
}
