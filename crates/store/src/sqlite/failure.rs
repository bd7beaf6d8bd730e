//! Failures of SQLite statements.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::StoreError;
use crate::failure::Failure;
use crate::location::Location;

impl Failure {
    /// Whether the lock of another program caused the failure.
    pub(super) fn is_locked(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed)
        )
    }

    /// Converts the failure of a statement to an error with the path of the file.
    pub(super) fn at_file(self, path: &Path) -> StoreError {
        let (location, path) = (Location::from(path), path.to_path_buf());
        let (error, message) = match self {
            Self::Sqlite(Error::SqliteFailure(error, message)) => (error, message),
            other => return other.at(location),
        };
        let reason = message.unwrap_or_else(|| error.to_string());
        match error.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
                StoreError::Locked { path }
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { location },
            ErrorCode::DiskFull => StoreError::DiskFull { location },
            // On a full disk, growing the shared-memory file fails first.
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
}
