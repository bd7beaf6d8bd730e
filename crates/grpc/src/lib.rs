//! Server of Optuna's storage protocol over a store: Python workers share its studies through
//! `optuna.storages.GrpcStorageProxy`.
//!
//! The server listens on loopback by default, and on other addresses only with a token.

mod call;
mod connection;
mod encode;
mod ended;
mod error;
mod guard;
mod listen;
mod message;
mod service;
mod time;
mod tls;

use std::net::SocketAddr;

use allometry_core::Secret;

pub use error::ServeError;
pub use listen::serve;
pub use service::Answers;
pub use tls::Identity;

/// Options of a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address to listen on. Port 0 chooses a free one.
    pub listen: SocketAddr,
    /// Token that every call must carry. Required unless the address is loopback.
    pub token: Option<Secret>,
    /// Certificate and key. If given, every connection uses TLS.
    pub identity: Option<Identity>,
    /// URL of the store.
    pub storage: Secret,
}

#[cfg(test)]
mod tests;
