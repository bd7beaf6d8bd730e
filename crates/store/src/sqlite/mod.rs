//! Trials in a SQLite file of Optuna's schema, with a few tables of our own beside.

mod beside;
mod failure;
mod former;
mod open;
mod optuna;
mod patience;
mod place;
mod read;
mod snapshot;
mod write;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use allometry_core::{
    EpochReport, FrozenTrial, Params, SearchSpace, TrialNumber, TrialRecord, TrialState, ValidationOutputs,
    ValidationScores,
};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde_json::Value;

use crate::error::StoreError;
use crate::late::LateTell;
use crate::owner::Owner;
use crate::store::{
    Beside, EpochMetrics, Finished, FinishedState, NewStudy, NewTrial, Predictions, RunningTrial, Store,
    StudyId, StudyRecord, TrialHandle, TrialId, TrialPage,
};
use crate::url;
use failure::Failure;
pub(crate) use open::is_database;
pub(crate) use optuna::OptunaSqlite;
use place::Place;
pub(crate) use place::resolve;

/// How long a call of somebody who writes waits for another program's lock: as long as for a server of PostgreSQL, and more.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a call of somebody who only reads waits for another program's lock.
const READERS_PATIENCE: Duration = Duration::from_secs(10);

/// A [`Store`] in one SQLite file, in write-ahead mode: any number of readers beside one writer at a time, over
/// processes of one machine.
///
/// Commits survive the end of the process; after a power failure the last of them may be missing, never half there.
#[derive(Debug)]
pub struct SqliteStore {
    place: Place,
    patience: Duration,
    connection: Mutex<Connection>,
    /// Distributions found compatible with the stored ones: that never changes again.
    compatible: Mutex<write::Compatible>,
}

impl SqliteStore {
    /// Opens the file that `url` names (`sqlite:///relative.db`, `sqlite:////absolute.db` or a path) for reading and
    /// writing, and makes it where it is not there.
    ///
    /// # Errors
    /// [`StoreError`] that says what the file is instead, or why it cannot be written.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_within(&url::sqlite_path(url)?, PATIENCE)
    }

    /// Opens the file that `url` names for reading alone; it is not changed, and no file is left beside it.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::NoFile`].
    pub fn open_read_only(url: &str) -> Result<Self, StoreError> {
        Self::open_read_only_within(&url::sqlite_path(url)?, READERS_PATIENCE)
    }

    /// As [`Self::open_read_only`], for a path.
    pub(crate) fn open_read_only_file(path: &Path) -> Result<Self, StoreError> {
        Self::open_read_only_within(path, READERS_PATIENCE)
    }

    /// Makes a database in memory, which ends with this value. Its [`Store::place`] is no file.
    ///
    /// # Errors
    /// [`StoreError`] where there is no memory left.
    pub fn in_memory() -> Result<Self, StoreError> {
        let path = Path::new("the database in memory");
        let connection = open::in_memory().map_err(|failure| failure.at(path))?;
        Ok(Self::of(Place::of(path), PATIENCE, connection))
    }

    fn open_within(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let place = Place::of(path);
        let opened = patience::within(busy_timeout, || open::writable(path, busy_timeout));
        let connection = opened.map_err(|failure| failure.at(path))?;
        Ok(Self::of(place.or_now(), busy_timeout, connection))
    }

    fn open_read_only_within(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let place = Place::of(path);
        let opened = patience::within(busy_timeout, || open::read_only(path, busy_timeout));
        let connection = opened.map_err(|failure| failure.at(path))?;
        Ok(Self::of(place.or_now(), busy_timeout, connection))
    }

    fn of(place: Place, patience: Duration, connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        Self { place, patience, connection: Mutex::new(connection), compatible: Mutex::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.place.named()
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction rolled it back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads one state of the database.
    fn read<T>(&self, read: impl FnMut(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.transaction(TransactionBehavior::Deferred, read)
    }

    /// Writes in one commit, alone from its first statement on.
    fn write<T>(&self, write: impl FnMut(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.place.check()?;
        self.transaction(TransactionBehavior::Immediate, write)
    }

    fn transaction<T>(
        &self,
        behavior: TransactionBehavior,
        mut body: impl FnMut(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let run = || -> Result<T, Failure> {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let value = body(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        patience::within(self.patience, run).map_err(|failure| failure.at(self.place.named()))
    }
}

impl Store for SqliteStore {
    fn place(&self) -> Result<String, StoreError> {
        Ok(url::of_sqlite(self.place.file()))
    }

    fn still_there(&self) -> Result<(), StoreError> {
        self.place.check()
    }

    fn create_study(&self, study: &NewStudy) -> Result<StudyId, StoreError> {
        self.write(|db| write::study(db, study))
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StoreError> {
        self.read(|db| read::studies(db, None))
    }

    fn study(&self, name: &str) -> Result<Option<StudyRecord>, StoreError> {
        Ok(self.read(|db| read::studies(db, Some(name)))?.pop())
    }

    fn set_study_attribute(&self, study: StudyId, key: &str, value: &Value) -> Result<(), StoreError> {
        self.write(|db| {
            read::require_study(db, study)?;
            write::study_attribute(db, study, key, value)
        })
    }

    fn create_trial(&self, study: StudyId, new: &NewTrial<'_>) -> Result<TrialHandle, StoreError> {
        let mut compatible = self.compatible.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(|db| write::trial(db, study, new, &mut compatible))
    }

    fn create_trial_at(
        &self,
        study: StudyId,
        new: &NewTrial<'_>,
        number: TrialNumber,
    ) -> Result<Option<TrialHandle>, StoreError> {
        let mut compatible = self.compatible.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(|db| {
            if u64::from(write::next_number(db, study)?) != number.0 {
                return Ok(None);
            }
            write::trial(db, study, new, &mut compatible).map(Some)
        })
    }

    fn complete_params(
        &self,
        trial: TrialId,
        params: &Params,
        space: &SearchSpace,
        record: &TrialRecord,
    ) -> Result<(), StoreError> {
        self.write(|db| write::complete_params(db, trial, params, space, record))
    }

    fn claim_waiting(
        &self,
        study: StudyId,
        owner: Option<&Owner>,
    ) -> Result<Option<(TrialHandle, FrozenTrial)>, StoreError> {
        self.write(|db| {
            let Some(handle) = write::claim(db, study, owner)? else { return Ok(None) };
            let trial = read::trials(db, study, handle.number)?.into_iter().next();
            Ok(trial.map(|trial| (handle, trial)))
        })
    }

    fn report(&self, trial: TrialId, reports: &[EpochReport]) -> Result<(), StoreError> {
        if reports.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            read::require_running(db, trial)?;
            write::reports(db, trial, reports)
        })
    }

    fn finish(
        &self,
        trial: TrialId,
        state: FinishedState,
        finished: &Finished,
    ) -> Result<TrialState, StoreError> {
        self.write(|db| write::finish(db, trial, state, finished))
    }

    fn record_late(&self, trial: TrialId, late: &LateTell) -> Result<(), StoreError> {
        self.write(|db| write::late(db, trial, late))
    }

    fn heartbeat(&self, trials: &[TrialId]) -> Result<(), StoreError> {
        self.write(|db| write::heartbeats(db, trials))
    }

    fn running(&self, study: StudyId) -> Result<Vec<RunningTrial>, StoreError> {
        self.read(|db| read::running(db, study))
    }

    fn trials_from(&self, study: StudyId, first: TrialNumber) -> Result<Vec<FrozenTrial>, StoreError> {
        self.read(|db| read::trials(db, study, first))
    }

    fn trials_page(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        limit: usize,
    ) -> Result<TrialPage, StoreError> {
        self.read(|db| read::trials_page(db, study, after, limit))
    }

    fn predictions_from(&self, study: StudyId, first: TrialNumber) -> Result<Predictions, StoreError> {
        self.read(|db| beside::predictions_from(db, study, first))
    }

    fn beside(&self, study: StudyId) -> Result<BTreeMap<TrialNumber, Beside>, StoreError> {
        self.read(|db| beside::all(db, study))
    }

    fn scores(&self, study: StudyId, number: TrialNumber) -> Result<Option<ValidationScores>, StoreError> {
        self.read(|db| read::scores(db, study, number))
    }

    fn outputs(&self, study: StudyId, number: TrialNumber) -> Result<Option<ValidationOutputs>, StoreError> {
        self.read(|db| read::outputs(db, study, number))
    }

    fn log(&self, study: StudyId, number: TrialNumber) -> Result<Option<String>, StoreError> {
        self.read(|db| read::log(db, study, number))
    }

    fn late_tells(&self, study: StudyId, number: TrialNumber) -> Result<Vec<LateTell>, StoreError> {
        self.read(|db| read::late_tells(db, study, number))
    }

    fn epoch_metrics(&self, study: StudyId, number: TrialNumber) -> Result<EpochMetrics, StoreError> {
        self.read(|db| read::epoch_metrics(db, study, number))
    }
}

#[cfg(test)]
mod tests;
