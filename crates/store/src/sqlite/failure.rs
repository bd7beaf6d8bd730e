//! What a statement can fail with, before the file's name is added.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::StoreError;

/// What a statement can fail with.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Store(StoreError),
    Malformed { place: String, problem: String },
    NotAStore(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    pub(super) fn malformed(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Malformed { place: place.into(), problem: problem.into() }
    }

    /// The failure as callers see it.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_path_buf();
        match self {
            Self::Store(error) => error,
            Self::Malformed { place, problem } => StoreError::Malformed { path, place, problem },
            Self::NotAStore(problem) => StoreError::NotAStore { path, problem },
            Self::Sql(rusqlite::Error::SqliteFailure(error, message)) => {
                let reason = message.unwrap_or_else(|| error.to_string());
                match error.code {
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked { path },
                    ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { path },
                    ErrorCode::DiskFull => StoreError::DiskFull { path },
                    // The shared-memory file is grown by allocating, which fails first on a full disk.
                    ErrorCode::SystemIoFailure if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
                        StoreError::DiskFull { path }
                    }
                    ErrorCode::NotADatabase => StoreError::NotADatabase { path },
                    ErrorCode::CannotOpen => StoreError::CannotOpen { path, reason },
                    ErrorCode::DatabaseCorrupt => {
                        StoreError::Malformed { path, place: "database".into(), problem: reason }
                    }
                    _ => StoreError::Database { path, reason },
                }
            }
            Self::Sql(error) => StoreError::Database { path, reason: error.to_string() },
        }
    }
}
