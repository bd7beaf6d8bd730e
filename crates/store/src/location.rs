//! Where a store lies, for messages.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::url;

/// Where a store lies, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    File(PathBuf),
    /// A database of a server: its URL without the password.
    Server(String),
}

impl Location {
    /// The database behind a URL, which loses its password.
    pub(crate) fn server(url: &str) -> Self {
        Self::Server(url::redact(url))
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
