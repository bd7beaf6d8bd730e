//! Trials in a PostgreSQL database of Optuna's schema, with a few tables of our own beside.

mod failure;
mod open;
mod password;
mod read;
mod session;
mod stream;
mod target;
mod tls;
mod write;

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use allometry_core::TrialState;

use crate::error::StoreError;
use crate::location::Location;
use crate::optuna::{AttributeKind, TrialSink};
use crate::rows::{
    Attributes, Database, Known, Parts, ReadRows, Result, Target, Wanted, WriteRows, may_become, unfinished,
};
use crate::store::{StudyId, TrialId};
use open::Expect;
use session::{Mode, Pool};
use target::Target as Server;

/// Time for which a call tries to reach a server that went away.
const PATIENCE: Duration = Duration::from_mins(1);

/// Settings of connections that serve Optuna's clients. Every statement finds its rows by an index, whatever
/// the planner believes of tables that grew since they were counted; planning each anew, or compiling it,
/// would take longer than running it.
const SERVING: &str = "SET plan_cache_mode = force_generic_plan; SET jit = off;
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// Connections of a storage for Optuna's clients: the more of them commit together, the more share one
/// writing to the disk.
const SERVING_CONNECTIONS: usize = 24;

/// A [`crate::Store`] in one PostgreSQL database, for any number of processes on any machines.
///
/// Times and the age of heartbeats are by the server's clock. A call that finds the server gone waits for it
/// for up to a minute; what it does is done once, also where the connection was lost while it was being
/// committed.
///
/// Not for the threads of an asynchronous runtime: every call blocks.
pub struct PostgresStore {
    pool: Pool,
    location: Location,
    access: Access,
    known: Mutex<Known>,
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
    /// Opens the database that `url` names (`postgresql://user@host:port/database?sslmode=verify-full`) for
    /// reading and writing, and makes the tables where they are not there.
    ///
    /// # Errors
    /// [`StoreError`] that says why nobody gets in, what the database is instead, or why it cannot be
    /// written.
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

    /// Returns how far the server has written its log, which all of its databases share. While that stays,
    /// nothing changes.
    pub(crate) fn log_position(&self) -> Result<String, StoreError> {
        self.pool.transaction(Mode::Read, |db| {
            let position = "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                ELSE pg_current_wal_insert_lsn() END)::text";
            let row = db.first(position, &[])?;
            Ok(row.and_then(|row| row.get(0)).unwrap_or_default())
        })
    }

    /// Returns this database for Optuna's clients.
    pub(crate) fn serving(self) -> Self {
        Self { pool: self.pool.with_settings(SERVING, SERVING_CONNECTIONS), ..self }
    }

    fn connect(url: &str, access: Access, patience: Duration) -> Result<Self, StoreError> {
        let server = Server::parse(url)?;
        let location = server.location.clone();
        let pool = Pool::new(server, patience);
        pool.open()?;
        Ok(Self { pool, location, access, known: Mutex::default() })
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        match self.access {
            Access::Read => Err(StoreError::ReadOnly { location: self.location.clone() }),
            Access::Write => Ok(()),
        }
    }
}

impl Database for PostgresStore {
    const IS_REMOTE: bool = true;

    fn read<T>(&self, mut body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError> {
        self.pool.transaction(Mode::Read, |db| body(db))
    }

    fn read_once<T>(&self, mut body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError> {
        self.pool.query(|db| body(db))
    }

    fn write<T>(&self, mut body: impl FnMut(&mut dyn WriteRows) -> Result<T>) -> Result<T, StoreError> {
        self.check_writable()?;
        self.pool.transaction(Mode::Write, |db| body(db))
    }

    /// One message to the server and one back.
    fn write_open(
        &self,
        trial: TrialId,
        state: Option<TrialState>,
        parts: &Parts<'_>,
    ) -> Result<bool, StoreError> {
        self.check_writable()?;
        let target = state.map_or(Target::Open(trial), |state| Target::Into(trial, state));
        self.pool.statement(&true, |db, commit| {
            while write::write(db, Some(commit), target, parts)?.is_none() {
                let before = unfinished(trial, db.status(trial)?)?.state;
                if state.is_some_and(|state| !may_become(before, state)) {
                    return Ok(false);
                }
                // It was put back into the queue meanwhile, so that it can be written to after all.
            }
            Ok(true)
        })
    }

    /// One message to the server and one back.
    fn set_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<(), StoreError> {
        self.check_writable()?;
        self.pool.statement(&(), |db, commit| {
            write::set_study_attributes(db, Some(commit), study, kind, attributes)
        })
    }

    fn tell_trials(&self, wanted: Wanted<'_>, sink: &mut dyn TrialSink) -> Result<(), StoreError> {
        let told = self.pool.query(|db| {
            sink.restart();
            stream::few(db, wanted, sink)
        })?;
        if told {
            return Ok(());
        }
        self.pool.transaction(Mode::Read, |db| {
            sink.restart();
            stream::many(db, wanted, sink)
        })
    }

    fn address(&self) -> Result<String, StoreError> {
        self.pool.transaction(Mode::Read, read::place)
    }

    fn check_present(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn known(&self) -> &Mutex<Known> {
        &self.known
    }

    fn check_text(field: &str, text: &str) -> Result<(), StoreError> {
        if text.contains('\0') {
            return Err(invalid(field, "PostgreSQL has no place for the character NUL in a text"));
        }
        Ok(())
    }

    fn check_step(step: i64) -> Result<(), StoreError> {
        match i32::try_from(step) {
            Ok(_) => Ok(()),
            Err(_) => Err(invalid("step", format!("{step} has no place in 32 bits"))),
        }
    }
}

fn invalid(field: &str, problem: impl Into<String>) -> StoreError {
    StoreError::Invalid { field: field.into(), problem: problem.into() }
}
