//! What a statement can fail with, before the file's name is added.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::assemble::Malformed;
use crate::error::StoreError;
use crate::location::Location;

/// What a statement can fail with.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Store(StoreError),
    Malformed(Malformed),
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

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl Failure {
    /// Whether another program's lock is in the way.
    pub(super) fn is_locked(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed)
        )
    }

    /// The failure as callers see it.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let (location, path) = (Location::from(path), path.to_path_buf());
        match self {
            Self::Store(error) => error,
            Self::Malformed(Malformed { place, problem }) => {
                StoreError::Malformed { location, place, problem }
            }
            Self::NotAStore(problem) => StoreError::NotAStore { location, problem },
            Self::Sql(rusqlite::Error::SqliteFailure(error, message)) => {
                let reason = message.unwrap_or_else(|| error.to_string());
                match error.code {
                    ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::FileLockingProtocolFailed => StoreError::Locked { path },
                    ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { location },
                    ErrorCode::DiskFull => StoreError::DiskFull { location },
                    // The shared-memory file is grown by allocating, which fails first on a full disk.
                    ErrorCode::SystemIoFailure if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
                        StoreError::DiskFull { location }
                    }
                    ErrorCode::NotADatabase => StoreError::NotADatabase { path },
                    ErrorCode::CannotOpen => StoreError::CannotOpen { path, reason },
                    ErrorCode::DatabaseCorrupt => {
                        StoreError::Malformed { location, place: "database".into(), problem: reason }
                    }
                    _ => StoreError::Database { location, reason },
                }
            }
            Self::Sql(error) => StoreError::Database { location, reason: error.to_string() },
        }
    }
}
