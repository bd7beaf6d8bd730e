//! Functions that open the store behind a URL.

use crate::error::StoreError;
use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;
use crate::store::Store;
use crate::url::{self, Storage};

/// Opens a storage for reading and writing. Creates a missing SQLite file, and missing tables in a
/// PostgreSQL database.
///
/// # Errors
/// [`StoreError`] where the database belongs to another program or cannot be written.
pub fn open(url: &str) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(_) => Box::new(SqliteStore::open(url)?),
        Storage::Postgres(url) => Box::new(PostgresStore::open(url.expose())?),
    })
}

/// Opens an existing storage for reading and writing.
///
/// # Errors
/// Those of [`open`]; [`StoreError::NoFile`], or [`StoreError::NotAStore`] for a database without tables.
pub fn open_existing(url: &str) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) if !path.exists() => return Err(StoreError::NoFile { path }),
        Storage::Sqlite(_) => Box::new(SqliteStore::open(url)?),
        Storage::Postgres(url) => Box::new(PostgresStore::open_existing(url.expose())?),
    })
}

/// Opens an existing storage read-only, without changing it.
///
/// # Errors
/// Those of [`open_existing`].
pub fn open_read_only(url: &str) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(_) => Box::new(SqliteStore::open_read_only(url)?),
        Storage::Postgres(url) => Box::new(PostgresStore::open_read_only(url.expose())?),
    })
}
