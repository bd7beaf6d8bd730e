//! Whether a store may hold something new, without reading it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::error::StoreError;
use crate::file_mark;
use crate::postgres::PostgresStore;
use crate::sqlite::{SqliteStore, resolve};
use crate::store::Store;
use crate::url::{self, Storage};

/// What tells of a store's changes. Equal marks, the latter taken a while after the last change, mean equal
/// contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMark(Mark);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    /// What the file system tells of the database and its log.
    Files(Vec<Option<FileMark>>),
    /// How far the server has written its log.
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
        // Behind a symbolic link the log lies beside the file, not beside the link.
        let path = resolve(path);
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        // Whoever opens the database makes an empty log, which says nothing.
        let log = FileMark::of(&PathBuf::from(log)).filter(|log| log.length > 0);
        Self(Mark::Files(vec![FileMark::of(&path), log]))
    }

    /// Whether it is the same database, whatever was written to it.
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

    /// Whether there is a database.
    pub fn exists(&self) -> bool {
        match &self.0 {
            Mark::Files(files) => files.first().is_some_and(Option::is_some),
            Mark::Server(_) => true,
        }
    }
}

/// A store that is looked at again and again, and only read.
///
/// Of a file the file system tells whether it changed, which costs no lock, and it is opened only to be read:
/// nobody who writes has to wait. To a server one connection stays, and how far the server has written its
/// log tells whether anything changed.
#[derive(Debug)]
pub struct FollowedStore {
    storage: Storage,
    connected: Mutex<Option<Arc<PostgresStore>>>,
}

impl FollowedStore {
    /// The store that `url` names; it need not be there yet.
    ///
    /// # Errors
    /// [`StoreError::Url`].
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Ok(Self { storage: url::parse(url)?, connected: Mutex::default() })
    }

    /// Tells whether it changed since another mark was taken.
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

    /// Opens it for reading.
    ///
    /// # Errors
    /// As for [`crate::open_read_only`].
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
        // Whoever looks again soon need not wait for the server.
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
