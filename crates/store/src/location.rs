//! Locations of stores, for messages.

use std::fmt;
use std::path::{Path, PathBuf};

use allometry_core::secret;

/// The location of a store, as messages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Path of a SQLite file.
    File(PathBuf),
    /// URL of a database on a server, without its password.
    Server(String),
}

impl Location {
    /// Returns the location of a server's database; removes the password from the URL.
    pub(crate) fn server(url: &str) -> Self {
        Self::Server(secret::hide(url))
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::File(path.into())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(url) => f.write_str(url),
        }
    }
}
