//! Detection of changes to a store without reading it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::error::StoreError;
use crate::file_mark;
use crate::postgres::PostgresStore;
use crate::sqlite::{SqliteStore, resolve};
use crate::store::Store;
use crate::url::{self, Storage};

/// A mark of a store's state. If two marks are equal, and the later one was taken a while after the last
/// change, the contents are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMark(Mark);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    /// Metadata of the database file and of its log.
    Files(Vec<Option<FileMark>>),
    /// Position of the server's write-ahead log.
    Server(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileMark {
    identity: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl ChangeMark {
    fn of_files(path: &Path) -> Self {
        // SQLite keeps the log beside the target of a symbolic link, not beside the link.
        let path = resolve(path);
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        // A reader that opens the database may create an empty log, which is no change.
        let log = FileMark::of(&PathBuf::from(log)).filter(|log| log.length > 0);
        Self(Mark::Files(vec![FileMark::of(&path), log]))
    }

    /// Whether both marks are of the same database, regardless of later writes.
    pub fn same_database(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Mark::Files(one), Mark::Files(other)) => {
                let identity = |files: &[Option<FileMark>]| Some(files.first()?.as_ref()?.identity);
                identity(one).is_some() && identity(one) == identity(other)
            }
            (Mark::Server(_), Mark::Server(_)) => true,
            _ => false,
        }
    }

    /// Whether the database exists.
    pub fn exists(&self) -> bool {
        match &self.0 {
            Mark::Files(files) => files.first().is_some_and(Option::is_some),
            Mark::Server(_) => true,
        }
    }
}

/// A read-only store that is polled for changes.
///
/// For a file, its metadata shows whether it changed, which takes no lock; the file is only opened to be
/// read, so that writers never wait. For a server, one connection stays open, and the position of the
/// write-ahead log shows whether anything changed.
#[derive(Debug)]
pub struct FollowedStore {
    storage: Storage,
    connected: Mutex<Option<Arc<PostgresStore>>>,
}

impl FollowedStore {
    /// Returns the store that `url` names; it need not exist yet.
    ///
    /// # Errors
    /// [`StoreError::Url`].
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Ok(Self { storage: url::parse(url)?, connected: Mutex::default() })
    }

    /// Returns a mark of the current state, to compare with an earlier one.
    ///
    /// # Errors
    /// [`StoreError`] where a server does not answer.
    pub fn mark(&self) -> Result<ChangeMark, StoreError> {
        match &self.storage {
            Storage::Sqlite(path) => Ok(ChangeMark::of_files(path)),
            Storage::Postgres(url) => {
                let position = self.connected(url.expose())?.log_position();
                if position.is_err() {
                    *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                Ok(ChangeMark(Mark::Server(position?)))
            }
        }
    }

    /// Opens the store read-only.
    ///
    /// # Errors
    /// Those of [`crate::open_read_only`].
    pub fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match &self.storage {
            Storage::Sqlite(path) => Arc::new(SqliteStore::open_read_only_file(path)?),
            Storage::Postgres(url) => self.connected(url.expose())?,
        })
    }

    fn connected(&self, url: &str) -> Result<Arc<PostgresStore>, StoreError> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*connected {
            return Ok(Arc::clone(store));
        }
        // The caller polls again soon, so that it need not wait for the server.
        let store = Arc::new(PostgresStore::open_read_only_within(url, Duration::ZERO)?);
        *connected = Some(Arc::clone(&store));
        Ok(store)
    }
}

impl FileMark {
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            identity: file_mark::identity(&found),
            length: found.len(),
            modified: found.modified().ok(),
        })
    }
}
