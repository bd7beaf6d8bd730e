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

use allometry_analysis::LadderTrials;
use allometry_core::Secret;
use allometry_store::{StoredStudy, StudyRecord};

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
    /// How stored studies become ladders.
    pub assembly: Assembly,
}

/// How stored studies become ladders: what their attributes mean is known where they are written.
#[derive(Debug, Clone, Copy)]
pub struct Assembly {
    /// Name of the ladder that a study is of.
    pub ladder_name: fn(&StudyRecord) -> String,
    /// The trials of one ladder, its studies in order; takes the store's URL for people to read.
    pub ladder: fn(Vec<StoredStudy>, &str) -> LadderTrials,
}
