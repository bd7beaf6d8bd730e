//! Optuna's calls on a PostgreSQL database.

mod read;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use allometry_core::{Direction, TrialState};

use super::PostgresStore;
use super::failure::Failure;
use super::read::{require_study, study_key, trial_key};
use super::session::{Db, Mode, Pool};
use crate::error::StoreError;
use crate::late::LateTell;
use crate::optuna::{self, AttributeKind, OptunaStorage, OptunaStudy, TrialSink, TrialTemplate, WholeStudy};
use crate::store::{StudyId, TrialId};

/// Every statement here finds its rows by an index, whatever the planner believes of tables that grew since they were
/// counted; planning each anew, or compiling it, would take longer than running it.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET jit = off;
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// Connections at once: the more of them commit together, the more share one writing to the disk.
const CONNECTIONS: usize = 24;

/// Trials whose study is remembered: more than run at once.
const REMEMBERED: usize = 1 << 14;

/// An [`OptunaStorage`] in one PostgreSQL database.
///
/// Most calls are one message to the server and one back. As those of a [`PostgresStore`] they block, and wait for a server
/// that went away.
pub(crate) struct OptunaPostgres {
    pool: Pool,
    known: Mutex<Known>,
}

/// What was seen and never changes again.
#[derive(Default)]
struct Known {
    /// Distributions that went with those of their parameter's other trials.
    compatible: HashSet<(StudyId, String, String)>,
    /// Studies of trials.
    studies: HashMap<TrialId, StudyId>,
}

impl fmt::Debug for OptunaPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OptunaPostgres").field(&self.pool.location()).finish()
    }
}

impl OptunaPostgres {
    /// Opens a database for reading and writing, and makes the tables where they are not there.
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let store = PostgresStore::open(url)?;
        Ok(Self { pool: store.pool.with_settings(SETTINGS, CONNECTIONS), known: Mutex::default() })
    }

    /// Opens a database for reading alone.
    pub(crate) fn open_read_only(url: &str) -> Result<Self, StoreError> {
        let store = PostgresStore::open_read_only(url)?;
        Ok(Self { pool: store.pool.with_settings(SETTINGS, CONNECTIONS), known: Mutex::default() })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, trial: TrialId, study: StudyId) {
        let mut known = self.known();
        if known.studies.len() >= REMEMBERED {
            known.studies.clear();
        }
        known.studies.insert(trial, study);
    }

    fn read<T>(&self, body: impl FnMut(&mut Db<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.pool.transaction(Mode::Read, body)
    }

    fn write<T>(&self, body: impl FnMut(&mut Db<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.pool.transaction(Mode::Write, body)
    }

    /// What is wrong with a trial, or else the error that a call on it has by itself.
    fn refused(&self, trial: TrialId, error: StoreError) -> StoreError {
        let found = self.pool.query(|db| write::require_unfinished(db, trial));
        found.err().unwrap_or(error)
    }

    /// Sets a parameter whose distribution is new to this process.
    fn set_new_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &str,
    ) -> Result<(), StoreError> {
        let study = self.write(|db| {
            let study = write::lock_params(db, trial)?;
            write::insert_param(db, study, trial_key(trial)?, (name, internal, distribution))?;
            Ok(StudyId(study.into()))
        })?;
        self.remember(trial, study);
        self.known().compatible.insert((study, name.to_owned(), distribution.to_owned()));
        Ok(())
    }
}

impl OptunaStorage for OptunaPostgres {
    fn is_remote(&self) -> bool {
        true
    }

    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StoreError> {
        write::check_study(name, directions)?;
        self.write(|db| write::study(db, name, directions))
    }

    fn create_whole_study(&self, study: &WholeStudy) -> Result<StudyId, StoreError> {
        write::check_whole_study(study)?;
        self.write(|db| write::whole_study(db, study))
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StoreError> {
        self.write(|db| write::delete_study(db, study))
    }

    fn set_study_attribute(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError> {
        let id = study_key(study)?;
        if let Err(error) = write::text("attribute's key", key).and_then(|()| optuna::attribute(key, json)) {
            let found = self.pool.query(|db| require_study(db, study));
            return Err(found.err().unwrap_or(error));
        }
        self.pool.statement(&(), |db, commit| write::study_attribute(db, commit, id, kind, key, json))
    }

    fn study_id(&self, name: &str) -> Result<StudyId, StoreError> {
        self.pool.query(|db| read::study_id(db, name))
    }

    fn study_name(&self, study: StudyId) -> Result<String, StoreError> {
        self.pool.query(|db| read::study_name(db, study))
    }

    fn study_directions(&self, study: StudyId) -> Result<Vec<Direction>, StoreError> {
        self.pool.query(|db| read::directions(db, study))
    }

    fn study_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        self.read(|db| {
            let key = require_study(db, study)?;
            read::study_attributes(db, key, kind)
        })
    }

    fn studies(&self) -> Result<Vec<OptunaStudy>, StoreError> {
        self.read(read::studies)
    }

    fn create_trial(&self, study: StudyId, template: Option<&TrialTemplate>) -> Result<TrialId, StoreError> {
        if let Some(Err(error)) = template.map(write::check_template) {
            let found = self.pool.query(|db| require_study(db, study));
            return Err(found.err().unwrap_or(error));
        }
        let trial = self.write(|db| match template {
            None => write::running_trial(db, study),
            Some(template) => write::templated_trial(db, study, template),
        })?;
        self.remember(trial, study);
        Ok(trial)
    }

    fn set_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &str,
    ) -> Result<(), StoreError> {
        let id = trial_key(trial)?;
        if let Err(error) = write::check_param(name, internal, distribution) {
            return Err(self.refused(trial, error));
        }
        let is_known = {
            let known = self.known();
            known.studies.get(&trial).is_some_and(|study| {
                known.compatible.contains(&(*study, name.to_owned(), distribution.to_owned()))
            })
        };
        if !is_known {
            return self.set_new_param(trial, name, internal, distribution);
        }
        self.pool.statement(&(), |db, commit| write::param(db, commit, id, (name, internal, distribution)))
    }

    fn trial_id(&self, study: StudyId, number: i64) -> Result<TrialId, StoreError> {
        self.pool.query(|db| read::trial_id(db, study, number))
    }

    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool, StoreError> {
        let id = trial_key(trial)?;
        if let Err(error) = write::check_values(values) {
            return Err(self.refused(trial, error));
        }
        self.pool.statement(&true, |db, commit| write::state(db, commit, id, state, values))
    }

    fn record_late(&self, trial: TrialId, late: &LateTell) -> Result<(), StoreError> {
        self.write(|db| super::write::late(db, trial, late))
    }

    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<(), StoreError> {
        let id = trial_key(trial)?;
        let step = match write::step(step) {
            Ok(step) => step,
            Err(error) => return Err(self.refused(trial, error)),
        };
        self.pool.statement(&(), |db, commit| write::intermediate(db, commit, id, step, value))
    }

    fn set_trial_attribute(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError> {
        let id = trial_key(trial)?;
        if let Err(error) = write::text("attribute's key", key).and_then(|()| optuna::attribute(key, json)) {
            return Err(self.refused(trial, error));
        }
        self.pool.statement(&(), |db, commit| write::trial_attribute(db, commit, id, kind, key, json))
    }

    fn trial(&self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<(), StoreError> {
        self.pool.query(|db| {
            sink.restart();
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
        let few = self.pool.query(|db| {
            sink.restart();
            read::few(db, study, after, included, sink)
        })?;
        if few {
            return Ok(());
        }
        self.read(|db| {
            sink.restart();
            read::many(db, study, after, included, sink)
        })
    }
}
