//! Checks of a file, and connections to it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior, ffi};

use super::connection::{reader, sibling};
use super::{former, opened_file, snapshot};
use crate::error::StoreError;
use crate::failure::Failure;
use crate::schema::{Former, OWN_VERSION, REVISION};

/// Opens a file for reading and writing; creates missing tables.
pub(super) fn writable(path: &Path, busy_timeout: Duration) -> Result<Connection, Failure> {
    open_writable(path, busy_timeout).map_err(|failure| match failure {
        Failure::Sqlite(error)
            if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && !folder_is_writable(path) =>
        {
            StoreError::ReadOnly { location: path.into() }.into()
        }
        other => other,
    })
}

/// Opens a database in memory, which ends with its connection.
pub(super) fn in_memory() -> Result<Connection, Failure> {
    let mut connection = Connection::open_in_memory()?;
    create_tables(&mut connection)?;
    Ok(connection)
}

/// Whether files can be created in the folder of `path`, which SQLite needs.
fn folder_is_writable(path: &Path) -> bool {
    let probe = sibling(path, &format!("-probe-{}", std::process::id()));
    let made = fs::File::create_new(&probe);
    let refused = made.as_ref().err().map(io::Error::kind);
    if made.is_ok() {
        // The file is empty and has the process id in its name, so that a failure to delete it is harmless.
        let _ = fs::remove_file(&probe);
    }
    !matches!(refused, Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem))
}

fn open_writable(path: &Path, busy_timeout: Duration) -> Result<Connection, Failure> {
    let cannot = |reason: String| Failure::Store(StoreError::CannotOpen { path: path.into(), reason });
    if path.is_dir() {
        return Err(cannot("it is a folder".into()));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        return Err(cannot(format!("there is no folder {}", folder.display())));
    }
    make_private(path);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    let tables = tables(&connection)?;
    if !tables.is_empty() {
        let found = revision(&connection, &tables)?;
        if found != REVISION {
            return Err(other_revision(path, found));
        }
        check_own(path, &connection, &tables)?;
    }
    // SQLite opens a file read-only where it cannot write.
    if connection.is_readonly("main")? {
        return Err(StoreError::ReadOnly { location: path.into() }.into());
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode == "wal" {
        // Without a write-ahead log any setting below the default could corrupt the file.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    create_tables(&mut connection)?;
    Ok(connection)
}

/// Creates an empty file with permissions for its owner alone, because it will contain logs and the ladder's
/// text. SQLite gives the log and its index the same mode. Errors are ignored: opening the file reports them.
fn make_private(path: &Path) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}

/// Creates missing tables in one commit.
fn create_tables(connection: &mut Connection) -> Result<(), Failure> {
    let own = ["allometry_version", "allometry_logs", "allometry_late_tells"];
    let tables_before = tables(connection)?;
    if own.iter().all(|table| tables_before.contains(*table)) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have created them meanwhile.
    let tables = tables(&transaction)?;
    if tables.is_empty() {
        transaction.execute_batch(include_str!("schema.sql"))?;
    }
    if !tables.contains("allometry_version") {
        transaction.execute_batch(include_str!("own.sql"))?;
    }
    if !tables.contains("allometry_logs") {
        transaction.execute_batch(include_str!("logs.sql"))?;
    }
    if !tables.contains("allometry_late_tells") {
        transaction.execute_batch(include_str!("late.sql"))?;
    }
    transaction.commit()?;
    Ok(())
}

/// Opens a file read-only; a database of a former revision is read through views.
pub(super) fn read_only(path: &Path, busy_timeout: Duration) -> Result<Connection, Failure> {
    let cannot = |reason: String| Failure::Store(StoreError::CannotOpen { path: path.into(), reason });
    if path.is_dir() {
        return Err(cannot("it is a folder".into()));
    }
    let file = opened_file::resolve(path);
    let connection = match kind(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::NoFile { path: path.into() }.into());
        }
        Err(error) => return Err(cannot(error.to_string())),
        Ok(FileKind::Empty) => return Err(Failure::NotAStore("it is empty".into())),
        Ok(FileKind::Other) => return Err(StoreError::NotADatabase { path: path.into() }.into()),
        Ok(FileKind::LoggedAtRest) => at_rest(&file, busy_timeout)?,
        Ok(FileKind::Database) => reader(&file, busy_timeout)?,
    };
    let tables = tables(&connection)?;
    let found = revision(&connection, &tables)?;
    match Former::of(&found) {
        Some(shape) => former::view(&connection, shape, &tables)?,
        None if found == REVISION => {}
        None => {
            return Err(other_revision(path, found));
        }
    }
    check_own(path, &connection, &tables)?;
    Ok(connection)
}

/// Opens a database in write-ahead mode that no process has open.
///
/// A reader creates the log and its index, and only a connection that may write deletes them again. So this
/// connection is opened for writing and then made read-only. If the folder or the file is read-only, a copy
/// in memory is read instead.
fn at_rest(file: &Path, busy_timeout: Duration) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = || -> Result<Connection, rusqlite::Error> {
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(busy_timeout)?;
        if connection.is_readonly("main")? {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY), None));
        }
        connection.pragma_update(None, "query_only", true)?;
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(connection)
    };
    match opened() {
        Ok(connection) => Ok(connection),
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
            ) =>
        {
            snapshot::open(file, busy_timeout)
        }
        Err(error) => Err(error.into()),
    }
}

/// Kind of a file, determined from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Empty,
    Other,
    Database,
    /// A database in write-ahead mode that no process has open.
    LoggedAtRest,
}

/// Whether a file is a SQLite database.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn is_database(path: &Path) -> io::Result<bool> {
    Ok(matches!(kind(&opened_file::resolve(path))?, FileKind::Database | FileKind::LoggedAtRest))
}

/// Returns the kind of the file at `path`, which is no symbolic link.
fn kind(path: &Path) -> io::Result<FileKind> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const WRITE_VERSION: usize = 18;
    // POSIX drops all locks of this process on a file when any handle to it is closed. If a connection may be
    // open, only SQLite may touch the file.
    if fs::metadata(path)?.is_file() && sibling(path, "-wal").exists() {
        return Ok(FileKind::Database);
    }
    let mut header = Vec::new();
    fs::File::open(path)?.take(WRITE_VERSION as u64 + 1).read_to_end(&mut header)?;
    Ok(match header.as_slice() {
        [] => FileKind::Empty,
        header if !header.starts_with(MAGIC) => FileKind::Other,
        header if header.get(WRITE_VERSION) == Some(&2) => FileKind::LoggedAtRest,
        _ => FileKind::Database,
    })
}

fn tables(connection: &Connection) -> Result<BTreeSet<String>, Failure> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

fn other_revision(path: &Path, found: String) -> Failure {
    StoreError::OtherRevision { location: path.into(), found, supported: REVISION }.into()
}

/// Returns the revision of Optuna's schema; `none` if the database does not contain one.
fn revision(connection: &Connection, tables: &BTreeSet<String>) -> Result<String, Failure> {
    if let Some(missing) = ["studies", "trials"].iter().find(|table| !tables.contains(**table)) {
        return Err(Failure::NotAStore(format!("it has no table `{missing}`")));
    }
    let found: Option<String> = if tables.contains("alembic_version") {
        connection.query_row("SELECT version_num FROM alembic_version", [], |row| row.get(0)).optional()?
    } else {
        None
    };
    Ok(found.unwrap_or_else(|| "none".into()))
}

fn check_own(path: &Path, connection: &Connection, tables: &BTreeSet<String>) -> Result<(), Failure> {
    if !tables.contains("allometry_version") {
        return Ok(());
    }
    let found: i64 =
        connection.query_row("SELECT max(version) FROM allometry_version", [], |row| row.get(0))?;
    if found > OWN_VERSION {
        return Err(StoreError::NewerTables { location: path.into(), found, supported: OWN_VERSION }.into());
    }
    Ok(())
}
