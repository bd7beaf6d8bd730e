//! Connections that only read, to a file that is a database.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::failure::Failure;

/// Opens another connection, for readers, to a file that [`super::open::writable`] has opened.
pub(super) fn reader(path: &Path, busy_timeout: Duration) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    Ok(connection)
}

/// Whether a database has all its pages, determined on a new connection; `None` if that is impossible at the
/// moment.
pub(super) fn is_whole(file: &Path, busy_timeout: Duration) -> Option<bool> {
    let looked = reader(file, busy_timeout).and_then(|connection| {
        Ok(connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?)
    });
    match looked {
        Ok(said) => Some(said == "ok"),
        Err(failure) if failure.is_locked() => None,
        Err(Failure::Sqlite(error)) => {
            let code = error.sqlite_error_code()?;
            matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
                .then_some(false)
        }
        Err(_) => None,
    }
}

/// Returns `path` with `suffix` at the end of its name.
pub(super) fn sibling(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
