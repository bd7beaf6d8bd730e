//! Optuna's calls on a SQLite database.

mod read;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use allometry_core::{Direction, TrialState};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::failure::Failure;
use super::place::Place;
use super::read::require_study;
use super::{PATIENCE, READERS_PATIENCE, SqliteStore, open, patience};
use crate::error::StoreError;
use crate::late::LateTell;
use crate::optuna::{AttributeKind, OptunaStorage, OptunaStudy, TrialSink, TrialTemplate, WholeStudy};
use crate::store::{StudyId, TrialId};
use write::Compatible;

/// Statements that a connection keeps prepared: all of this module.
const STATEMENTS: usize = 64;

/// Connections that stay open for readers when none reads.
const IDLE_READERS: usize = 8;

/// An [`OptunaStorage`] in one SQLite file, or in memory.
#[derive(Debug)]
pub(crate) struct OptunaSqlite {
    place: Place,
    /// Idle connections that read beside the writer; none in memory, where the writer reads. They are closed before it: the last
    /// one to close takes the log into the file, which a reader cannot.
    readers: Option<Mutex<Vec<Connection>>>,
    writer: Mutex<Connection>,
    compatible: Mutex<Compatible>,
}

impl OptunaSqlite {
    /// Opens a file for reading and writing, and makes it where it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = patience::within(PATIENCE, || open::writable(path, PATIENCE));
        let connection = opened.map_err(|failure| failure.at(path))?;
        Self::of(path, connection, Some(Mutex::default()))
    }

    /// Opens a file for reading alone.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let opened = patience::within(READERS_PATIENCE, || open::read_only(path, READERS_PATIENCE));
        let connection = opened.map_err(|failure| failure.at(path))?;
        Ok(Self::unprepared(path, connection, None))
    }

    /// A database that ends with this value.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let path = Path::new("the database in memory");
        let connection = open::in_memory().map_err(|failure| failure.at(path))?;
        Self::of(path, connection, None)
    }

    /// The same database, read as trials.
    pub(crate) fn into_store(self) -> SqliteStore {
        SqliteStore::of(
            self.place,
            PATIENCE,
            self.writer.into_inner().unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn of(
        path: &Path,
        connection: Connection,
        readers: Option<Mutex<Vec<Connection>>>,
    ) -> Result<Self, StoreError> {
        let storage = Self::unprepared(path, connection, readers);
        storage.write(|db| Ok(db.execute_batch(include_str!("ids.sql"))?))?;
        Ok(storage)
    }

    /// Without the table of ids given out, which a reader neither has nor needs.
    fn unprepared(path: &Path, connection: Connection, readers: Option<Mutex<Vec<Connection>>>) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Self {
            place: Place::of(path),
            writer: Mutex::new(connection),
            readers,
            compatible: Mutex::new(HashSet::new()),
        }
    }

    /// Reads one state of the database.
    fn read<T>(&self, body: impl FnMut(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        let Some(readers) = &self.readers else {
            return self.run(&mut lock(&self.writer), TransactionBehavior::Deferred, body);
        };
        let idle = lock(readers).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.reader()?,
        };
        let result = self.run(&mut connection, TransactionBehavior::Deferred, body);
        let mut readers = lock(readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let connection =
            open::reader(self.place.file(), PATIENCE).map_err(|failure| failure.at(self.place.named()))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    }

    /// Writes in one commit, alone from its first statement on.
    fn write<T>(&self, body: impl FnMut(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.place.check()?;
        self.run(&mut lock(&self.writer), TransactionBehavior::Immediate, body)
    }

    fn run<T>(
        &self,
        connection: &mut Connection,
        behavior: TransactionBehavior,
        mut body: impl FnMut(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let run = || -> Result<T, Failure> {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let value = body(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        patience::within(PATIENCE, run).map_err(|failure| failure.at(self.place.named()))
    }
}

/// Begins anew where a reading was cut off by a lock.
fn restart(again: &mut bool, sink: &mut dyn TrialSink) {
    if std::mem::replace(again, true) {
        sink.restart();
    }
}

/// A panic inside a transaction rolled it back: what the lock guards is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OptunaStorage for OptunaSqlite {
    fn is_remote(&self) -> bool {
        false
    }

    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StoreError> {
        self.write(|db| write::study(db, name, directions))
    }

    fn create_whole_study(&self, study: &WholeStudy) -> Result<StudyId, StoreError> {
        self.write(|db| write::whole_study(db, study))
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StoreError> {
        self.write(|db| write::delete_study(db, study))?;
        lock(&self.compatible).retain(|(of, ..)| *of != study);
        Ok(())
    }

    fn set_study_attribute(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError> {
        self.write(|db| write::study_attribute(db, study, kind, key, json))
    }

    fn study_id(&self, name: &str) -> Result<StudyId, StoreError> {
        self.read(|db| read::study_id(db, name))
    }

    fn study_name(&self, study: StudyId) -> Result<String, StoreError> {
        self.read(|db| read::study_name(db, study))
    }

    fn study_directions(&self, study: StudyId) -> Result<Vec<Direction>, StoreError> {
        self.read(|db| {
            require_study(db, study)?;
            read::directions(db, study)
        })
    }

    fn study_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        self.read(|db| {
            require_study(db, study)?;
            read::study_attributes(db, study, kind)
        })
    }

    fn studies(&self) -> Result<Vec<OptunaStudy>, StoreError> {
        self.read(|db| read::studies(db))
    }

    fn create_trial(&self, study: StudyId, template: Option<&TrialTemplate>) -> Result<TrialId, StoreError> {
        self.write(|db| match template {
            None => write::running_trial(db, study),
            Some(template) => write::templated_trial(db, study, template, &mut lock(&self.compatible)),
        })
    }

    fn set_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &str,
    ) -> Result<(), StoreError> {
        self.write(|db| write::param(db, trial, (name, internal, distribution), &mut lock(&self.compatible)))
    }

    fn trial_id(&self, study: StudyId, number: i64) -> Result<TrialId, StoreError> {
        self.read(|db| read::trial_id(db, study, number))
    }

    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool, StoreError> {
        self.write(|db| write::state(db, trial, state, values))
    }

    fn record_late(&self, trial: TrialId, late: &LateTell) -> Result<(), StoreError> {
        self.write(|db| super::write::late(db, trial, late))
    }

    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<(), StoreError> {
        self.write(|db| write::intermediate(db, trial, step, value))
    }

    fn set_trial_attribute(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError> {
        self.write(|db| write::trial_attribute(db, trial, kind, key, json))
    }

    fn trial(&self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<(), StoreError> {
        let mut again = false;
        self.read(|db| {
            restart(&mut again, sink);
            read::trial(db, trial, sink)
        })
    }

    fn trials(
        &self,
        study: StudyId,
        after: TrialId,
        included: &[TrialId],
        sink: &mut dyn TrialSink,
    ) -> Result<(), StoreError> {
        let mut again = false;
        self.read(|db| {
            restart(&mut again, sink);
            read::trials(db, study, after, included, sink)
        })
    }
}
