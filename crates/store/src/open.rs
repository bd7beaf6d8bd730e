//! Opening whatever store a URL names.

use crate::error::StoreError;
use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;
use crate::store::Store;
use crate::url::{self, Storage};

/// Opens a storage for reading and writing, and makes what is missing: a SQLite file, or the tables in a
/// database of PostgreSQL.
///
/// # Errors
/// [`StoreError`] that says what the storage is instead, or why it cannot be written.
pub fn open(url: &str) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(_) => Box::new(SqliteStore::open(url)?),
        Storage::Postgres(url) => Box::new(PostgresStore::open(url.expose())?),
    })
}

/// Opens a storage that is there for reading and writing.
///
/// # Errors
/// As for [`open`]; [`StoreError::NoFile`], or [`StoreError::NotAStore`] for a database without tables.
pub fn open_existing(url: &str) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) if !path.exists() => return Err(StoreError::NoFile { path }),
        Storage::Sqlite(_) => Box::new(SqliteStore::open(url)?),
        Storage::Postgres(url) => Box::new(PostgresStore::open_existing(url.expose())?),
    })
}

/// Opens a storage that is there for reading alone; it is not changed.
///
/// # Errors
/// As for [`open_existing`].
pub fn open_read_only(url: &str) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(_) => Box::new(SqliteStore::open_read_only(url)?),
        Storage::Postgres(url) => Box::new(PostgresStore::open_read_only(url.expose())?),
    })
}
