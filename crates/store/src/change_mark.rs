//! Whether a store may hold something new, without opening it.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::StoreError;
use crate::url;

/// What the file system tells of a store's files. Equal marks, the latter taken a while after the last change, mean equal
/// contents; telling costs no lock, so that it never stands in a writer's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMark(Vec<Option<FileMark>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileMark {
    identity: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl ChangeMark {
    /// Looks at the files behind `url`: the database and its log.
    ///
    /// # Errors
    /// [`StoreError`] where `url` names no SQLite file.
    pub fn of(url: &str) -> Result<Self, StoreError> {
        let path = url::sqlite_path(url)?;
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Ok(Self([path.as_path(), &PathBuf::from(log)].into_iter().map(FileMark::of).collect()))
    }

    /// Whether it is the same database file, whatever was written to it.
    pub fn same_file(&self, other: &Self) -> bool {
        let identity = |mark: &Self| mark.0.first().and_then(|file| file.as_ref().map(|file| file.identity));
        identity(self).is_some() && identity(self) == identity(other)
    }

    /// Whether there is a database file.
    pub fn exists(&self) -> bool {
        self.0.first().is_some_and(Option::is_some)
    }
}

impl FileMark {
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self { identity: identity(&found), length: found.len(), modified: found.modified().ok() })
    }
}

#[cfg(unix)]
fn identity(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
