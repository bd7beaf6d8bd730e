//! Optuna's storage protocol over a store: Python workers share its studies through `optuna.storages.GrpcStorageProxy`.
//!
//! It listens on loopback unless told otherwise, and beyond it only with a token.

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

/// What to serve, and to whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What every call must show; needed beyond loopback.
    pub token: Option<Secret>,
    /// Encrypts every connection.
    pub identity: Option<Identity>,
    /// The store's URL.
    pub storage: Secret,
}

#[cfg(test)]
mod tests;
