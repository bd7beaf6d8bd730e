//! Storage in a PostgreSQL database with Optuna's schema and a few tables of Allometry's own.

mod failure;
mod open;
mod password;
mod read;
mod row;
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
use crate::optuna::record::{AttributeKind, TrialSink};
use crate::rows::{
    Attributes, Database, Known, Parts, ReadRows, Result, Target, Wanted, WriteRows, may_become, unfinished,
};
use crate::store::{StudyId, TrialId};
use open::Expect;
use session::{Mode, Pool};
use target::Target as Server;

/// Time for which a call tries to reach a server that does not answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Settings of connections that serve Optuna's clients. Every statement must find its rows through an index,
/// although the planner's statistics are outdated while tables grow. Planning each execution anew, or
/// compiling it, would take longer than running it.
const SERVING: &str = "SET plan_cache_mode = force_generic_plan; SET jit = off;
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// Maximum number of connections that serve Optuna's clients: more concurrent commits share one write to the
/// disk.
const SERVING_CONNECTIONS: usize = 24;

/// A [`crate::Store`] in one PostgreSQL database, for any number of processes on any machines.
///
/// Times, including the age of heartbeats, come from the server's clock. A call that loses its server tries
/// for up to a minute to reach it again; its effect occurs once, even if the connection is lost during the
/// commit.
///
/// Every call blocks, so that no thread of an asynchronous runtime may make it.
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
    /// reading and writing, and creates missing tables.
    ///
    /// # Errors
    /// [`StoreError`] where the server refuses the connection, or the database belongs to another program or
    /// cannot be written.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url, Access::Write, PATIENCE)?;
        open::writable(&store.pool, &store.location, Expect::Anything)?;
        Ok(store)
    }

    /// Opens a database that contains Optuna's tables for reading and writing.
    ///
    /// # Errors
    /// Those of [`Self::open`]; [`StoreError::NotAStore`].
    pub fn open_existing(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url, Access::Write, PATIENCE)?;
        open::writable(&store.pool, &store.location, Expect::Studies)?;
        Ok(store)
    }

    /// Opens the database that `url` names read-only, without changing it.
    ///
    /// # Errors
    /// Those of [`Self::open_existing`].
    pub fn open_read_only(url: &str) -> Result<Self, StoreError> {
        Self::open_read_only_within(url, PATIENCE)
    }

    /// Opens a database read-only, with `patience` as the time for which calls try to reach the server.
    pub(crate) fn open_read_only_within(url: &str, patience: Duration) -> Result<Self, StoreError> {
        let store = Self::connect(url, Access::Read, patience)?;
        open::readable(&store.pool, &store.location)?;
        Ok(store)
    }

    /// Returns the position of the server's write-ahead log, which all of its databases share. An equal
    /// position means that nothing has changed.
    pub(crate) fn log_position(&self) -> Result<String, StoreError> {
        self.pool.transaction(Mode::Read, |db| {
            let position = "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                ELSE pg_current_wal_insert_lsn() END)::text";
            let row = db.first(position, &[])?;
            Ok(row.and_then(|row| row.get(0)).unwrap_or_default())
        })
    }

    /// Returns this database with the settings for Optuna's clients.
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

    /// Takes one round trip to the server.
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
                // Another session put the trial back into the queue meanwhile, so that it can be written to.
            }
            Ok(true)
        })
    }

    /// Takes one round trip to the server.
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
            return Err(invalid(field, "PostgreSQL cannot store the character NUL in a text"));
        }
        Ok(())
    }

    fn check_step(step: i64) -> Result<(), StoreError> {
        match i32::try_from(step) {
            Ok(_) => Ok(()),
            Err(_) => Err(invalid("step", format!("{step} exceeds 32 bits"))),
        }
    }
}

fn invalid(field: &str, problem: impl Into<String>) -> StoreError {
    StoreError::Invalid { field: field.into(), problem: problem.into() }
}
