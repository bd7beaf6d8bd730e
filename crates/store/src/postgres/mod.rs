//! Trials in a PostgreSQL database of Optuna's schema, with a few tables of our own beside.

mod beside;
mod failure;
mod open;
mod optuna;
mod password;
mod read;
mod session;
mod target;
mod tls;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use allometry_core::{
    EpochReport, FrozenTrial, Params, SearchSpace, TrialNumber, TrialRecord, TrialState, ValidationOutputs,
    ValidationScores,
};
use serde_json::Value;

use crate::error::StoreError;
use crate::late::LateTell;
use crate::location::Location;
use crate::owner::Owner;
use crate::store::{
    Beside, EpochMetrics, Finished, FinishedState, NewStudy, NewTrial, Predictions, RunningTrial, Store,
    StudyId, StudyRecord, TrialHandle, TrialId, TrialPage,
};
use failure::Failure;
use open::Expect;
pub(crate) use optuna::OptunaPostgres;
use session::{Db, Mode, Pool};
use target::Target;

/// How long a call goes on trying to reach a server that went away.
const PATIENCE: Duration = Duration::from_mins(1);

/// A [`Store`] in one PostgreSQL database, for any number of processes on any machines.
///
/// Times and the age of heartbeats are by the server's clock. A call that finds the server gone waits for it for up to a
/// minute; what it does is done once, also where the connection was lost while it was being committed.
///
/// Not for the threads of an asynchronous runtime: every call blocks.
pub struct PostgresStore {
    pool: Pool,
    location: Location,
    access: Access,
    /// Distributions found compatible with the stored ones: that never changes again.
    compatible: Mutex<write::Compatible>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.location).field(&self.access).finish()
    }
}

impl PostgresStore {
    /// Opens the database that `url` names (`postgresql://user@host:port/database?sslmode=verify-full`) for reading and
    /// writing, and makes the tables where they are not there.
    ///
    /// # Errors
    /// [`StoreError`] that says why nobody gets in, what the database is instead, or why it cannot be written.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url, Access::Write, PATIENCE)?;
        open::writable(&store.pool, &store.location, Expect::Anything)?;
        Ok(store)
    }

    /// As [`Self::open`] where Optuna's tables must be there.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::NotAStore`].
    pub fn open_existing(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url, Access::Write, PATIENCE)?;
        open::writable(&store.pool, &store.location, Expect::Studies)?;
        Ok(store)
    }

    /// Opens the database that `url` names for reading alone; it is not changed.
    ///
    /// # Errors
    /// As for [`Self::open_existing`].
    pub fn open_read_only(url: &str) -> Result<Self, StoreError> {
        Self::open_read_only_within(url, PATIENCE)
    }

    /// As [`Self::open_read_only`], where calls wait for a server that went away for that long.
    pub(crate) fn open_read_only_within(url: &str, patience: Duration) -> Result<Self, StoreError> {
        let store = Self::connect(url, Access::Read, patience)?;
        open::readable(&store.pool, &store.location)?;
        Ok(store)
    }

    /// How far the server has written its log, all of its databases in one: where that stays, nothing changes.
    pub(crate) fn log_position(&self) -> Result<String, StoreError> {
        self.read(|db| {
            let position = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END";
            let row = db.first(&format!("SELECT ({position})::text"), &[])?;
            Ok(row.and_then(|row| row.get(0)).unwrap_or_default())
        })
    }

    fn connect(url: &str, access: Access, patience: Duration) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        let location = target.location.clone();
        let pool = Pool::new(target, patience);
        pool.open()?;
        Ok(Self { pool, location, access, compatible: Mutex::default() })
    }

    /// Reads one state of the database.
    fn read<T>(&self, read: impl FnMut(&mut Db<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.pool.transaction(Mode::Read, read)
    }

    /// Writes in one commit.
    fn write<T>(&self, write: impl FnMut(&mut Db<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        match self.access {
            Access::Read => Err(StoreError::ReadOnly { location: self.location.clone() }),
            Access::Write => self.pool.transaction(Mode::Write, write),
        }
    }

    fn create(
        &self,
        study: StudyId,
        new: &NewTrial<'_>,
        wanted: Option<TrialNumber>,
    ) -> Result<Option<TrialHandle>, StoreError> {
        let known = self.compatible.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut found = write::Compatible::new();
        let handle = self.write(|db| {
            found.clear();
            let (key, number) = write::lock_numbers(db, study)?;
            if wanted.is_some_and(|wanted| u64::try_from(number) != Ok(wanted.0)) {
                return Ok(None);
            }
            write::trial(db, (key, number), new, &known, &mut found).map(Some)
        })?;
        if handle.is_some() {
            self.compatible.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        }
        Ok(handle)
    }
}

impl Store for PostgresStore {
    fn place(&self) -> Result<String, StoreError> {
        self.read(read::place)
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
            let study = read::require_study(db, study)?;
            write::study_attribute(db, study, key, value)
        })
    }

    fn create_trial(&self, study: StudyId, new: &NewTrial<'_>) -> Result<TrialHandle, StoreError> {
        let made = self.create(study, new, None)?;
        Ok(made.expect("a trial of any number is made"))
    }

    fn create_trial_at(
        &self,
        study: StudyId,
        new: &NewTrial<'_>,
        number: TrialNumber,
    ) -> Result<Option<TrialHandle>, StoreError> {
        self.create(study, new, Some(number))
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
            let (key, _) = read::lock_running(db, trial)?;
            write::reports(db, key, reports)
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

    fn log(&self, study: StudyId, number: TrialNumber) -> Result<Option<String>, StoreError> {
        self.read(|db| read::log(db, study, number))
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

    fn late_tells(&self, study: StudyId, number: TrialNumber) -> Result<Vec<LateTell>, StoreError> {
        self.read(|db| read::late_tells(db, study, number))
    }

    fn epoch_metrics(&self, study: StudyId, number: TrialNumber) -> Result<EpochMetrics, StoreError> {
        self.read(|db| read::epoch_metrics(db, study, number))
    }
}
