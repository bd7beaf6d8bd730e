//! Storage in a SQLite file with Optuna's schema and a few tables of Allometry's own.

mod connection;
mod failure;
mod former;
mod open;
mod opened_file;
mod read;
mod retry;
mod snapshot;
mod stream;
mod write;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use allometry_core::TrialState;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;
use crate::optuna::record::{AttributeKind, TrialSink};
use crate::rows::{
    Attributes, Database, Known, Parts, ReadRows, Result, Target, Wanted, WriteRows, lock, may_become,
    unfinished,
};
use crate::store::{StudyId, TrialId};
use crate::url;
pub(crate) use open::is_database;
use opened_file::OpenedFile;
pub(crate) use opened_file::resolve;

/// Time for which a write waits for another program's lock; longer than calls wait for a server.
const PATIENCE: Duration = Duration::from_secs(90);

/// Time for which a read waits for another program's lock.
const READERS_PATIENCE: Duration = Duration::from_secs(10);

/// Maximum number of prepared statements per connection: all of this module.
const STATEMENTS: usize = 64;

/// Number of idle read connections that stay open.
const IDLE_READERS: usize = 8;

/// Name of a database in memory, for messages.
const IN_MEMORY: &str = "the database in memory";

/// A [`crate::Store`] in one SQLite file in write-ahead mode: any number of readers and one writer at a time,
/// in all processes of one machine.
///
/// Commits survive the end of the process; after a power failure the last ones may be missing, but none is
/// partial.
#[derive(Debug)]
pub struct SqliteStore {
    place: OpenedFile,
    patience: Duration,
    /// Idle read connections; `None` if reads use the write connection. They are closed before it, because
    /// the last connection to close checkpoints the log, which a reader cannot do.
    readers: Option<Mutex<Vec<Connection>>>,
    writer: Mutex<Connection>,
    ids: Ids,
    known: Mutex<Known>,
}

/// Treatment of the ids of deleted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ids {
    /// SQLite may reuse the id of a deleted last row.
    Reused,
    /// A table stores the last ids, so that none is reused.
    Spent,
}

/// Row operations on a connection.
struct Rows<'t> {
    db: &'t Connection,
    ids: Ids,
}

impl SqliteStore {
    /// Opens the file that `url` names (`sqlite:///relative.db`, `sqlite:////absolute.db` or a path) for
    /// reading and writing, and creates it if missing.
    ///
    /// # Errors
    /// [`StoreError`] where the file is no store or cannot be written.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_within(&url::sqlite_path(url)?, PATIENCE)
    }

    /// Opens the file that `url` names read-only, without changing it or leaving files beside it.
    ///
    /// # Errors
    /// Those of [`Self::open`]; [`StoreError::NoFile`].
    pub fn open_read_only(url: &str) -> Result<Self, StoreError> {
        Self::open_read_only_within(&url::sqlite_path(url)?, READERS_PATIENCE)
    }

    /// Opens the file at `path` read-only; see [`Self::open_read_only`].
    pub(crate) fn open_read_only_file(path: &Path) -> Result<Self, StoreError> {
        Self::open_read_only_within(path, READERS_PATIENCE)
    }

    /// Creates a database in memory, which ends with this value. Its [`crate::Store::place`] is no path.
    ///
    /// # Errors
    /// [`StoreError`] where memory cannot be allocated.
    pub fn in_memory() -> Result<Self, StoreError> {
        let path = Path::new(IN_MEMORY);
        let connection = open::in_memory().map_err(|failure| failure.at_file(path))?;
        Ok(Self::of(OpenedFile::of(path), PATIENCE, connection))
    }

    /// Opens a file to serve Optuna's clients: with concurrent reads, and without reuse of ids.
    pub(crate) fn serving(path: &Path) -> Result<Self, StoreError> {
        let store = Self::open_within(path, PATIENCE)?;
        Self { readers: Some(Mutex::default()), ..store }.with_spent_ids()
    }

    /// Creates a database in memory without reuse of ids.
    pub(crate) fn serving_in_memory() -> Result<Self, StoreError> {
        Self::in_memory()?.with_spent_ids()
    }

    fn with_spent_ids(self) -> Result<Self, StoreError> {
        let make = |rows: &mut Rows<'_>| Ok(rows.db.execute_batch(include_str!("ids.sql"))?);
        self.transaction(&mut lock(&self.writer), TransactionBehavior::Immediate, make)?;
        Ok(Self { ids: Ids::Spent, ..self })
    }

    fn open_within(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let place = OpenedFile::of(path);
        let opened = retry::while_locked(busy_timeout, || open::writable(path, busy_timeout));
        let connection = opened.map_err(|failure| failure.at_file(path))?;
        Ok(Self::of(place.or_now(), busy_timeout, connection))
    }

    fn open_read_only_within(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let place = OpenedFile::of(path);
        let opened = retry::while_locked(busy_timeout, || open::read_only(path, busy_timeout));
        let connection = opened.map_err(|failure| failure.at_file(path))?;
        Ok(Self::of(place.or_now(), busy_timeout, connection))
    }

    fn of(place: OpenedFile, patience: Duration, connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let (writer, known) = (Mutex::new(connection), Mutex::default());
        Self { place, patience, readers: None, writer, ids: Ids::Reused, known }
    }

    /// Returns the path as the caller gave it; for a database in memory a text that is no path.
    pub fn path(&self) -> &Path {
        self.place.named()
    }

    #[cfg(test)]
    fn connection(&self) -> std::sync::MutexGuard<'_, Connection> {
        lock(&self.writer)
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let connection = connection::reader(self.place.file(), self.patience)
            .map_err(|failure| failure.at_file(self.place.named()))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    }

    fn reading<T>(&self, body: impl FnMut(&mut Rows<'_>) -> Result<T>) -> Result<T, StoreError> {
        let Some(readers) = &self.readers else {
            return self.transaction(&mut lock(&self.writer), TransactionBehavior::Deferred, body);
        };
        let idle = lock(readers).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.reader()?,
        };
        let result = self.transaction(&mut connection, TransactionBehavior::Deferred, body);
        let mut readers = lock(readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    /// Runs `body` in a transaction that holds the write lock from its start.
    fn writing<T>(&self, body: impl FnMut(&mut Rows<'_>) -> Result<T>) -> Result<T, StoreError> {
        self.place.check()?;
        self.transaction(&mut lock(&self.writer), TransactionBehavior::Immediate, body)
    }

    fn transaction<T>(
        &self,
        connection: &mut Connection,
        behavior: TransactionBehavior,
        mut body: impl FnMut(&mut Rows<'_>) -> Result<T>,
    ) -> Result<T, StoreError> {
        let run = || -> Result<T> {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let value = body(&mut Rows { db: &transaction, ids: self.ids })?;
            transaction.commit()?;
            Ok(value)
        };
        retry::while_locked(self.patience, run).map_err(|failure| failure.at_file(self.place.named()))
    }
}

impl Database for SqliteStore {
    const IS_REMOTE: bool = false;

    fn read<T>(&self, mut body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError> {
        self.reading(|rows| body(rows))
    }

    fn read_once<T>(&self, body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError> {
        self.read(body)
    }

    fn write<T>(&self, mut body: impl FnMut(&mut dyn WriteRows) -> Result<T>) -> Result<T, StoreError> {
        self.writing(|rows| body(rows))
    }

    fn write_open(
        &self,
        trial: TrialId,
        state: Option<TrialState>,
        parts: &Parts<'_>,
    ) -> Result<bool, StoreError> {
        self.write(|rows| {
            let before = unfinished(trial, rows.status(trial)?)?.state;
            if state.is_some_and(|state| !may_become(before, state)) {
                return Ok(false);
            }
            rows.write(state.map_or(Target::Open(trial), |state| Target::Into(trial, state)), parts)?;
            Ok(true)
        })
    }

    fn set_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<(), StoreError> {
        self.write(|rows| {
            rows.require_study(study)?;
            rows.set_study_attributes(study, kind, attributes)
        })
    }

    fn tell_trials(&self, wanted: Wanted<'_>, sink: &mut dyn TrialSink) -> Result<(), StoreError> {
        self.reading(|rows| {
            sink.restart();
            rows.stream(wanted, sink)
        })
    }

    fn address(&self) -> Result<String, StoreError> {
        Ok(url::of_sqlite(self.place.file()))
    }

    fn check_present(&self) -> Result<(), StoreError> {
        self.place.check()
    }

    fn known(&self) -> &Mutex<Known> {
        &self.known
    }

    fn check_text(_: &str, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn check_step(_: i64) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
