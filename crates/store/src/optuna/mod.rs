//! Optuna's view of a store: parameters as stored numbers, distributions and attributes as JSON texts. They
//! are interpreted only as far as needed to keep a study readable.

mod check;
mod whole_study;

use std::collections::BTreeMap;
use std::fmt;

use allometry_core::{Direction, TrialState};
use jiff::Timestamp;

use crate::Store;
use crate::error::StoreError;
use crate::from_rows::OWN_PREFIX;
use crate::late::LateTell;
use crate::store::{StudyId, TrialId};
use crate::url::{self, Storage};

pub(crate) use check::{attribute, compatible, distribution, name, parameter};
pub use whole_study::{WholeStudy, WholeTrial};

pub use crate::store::Beside;

use crate::as_optuna::AsOptuna;
use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;

/// Whether a key is reserved for Allometry's own attributes, which describe studies and trials.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with(OWN_PREFIX)
}

/// Kind of an attribute: Optuna keeps two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Attribute of the user.
    User,
    /// Attribute of a sampler, pruner or callback.
    System,
}

/// A study with its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct OptunaStudy {
    /// Key in the storage.
    pub id: StudyId,
    /// Name; may be empty.
    pub name: String,
    /// Direction of each objective.
    pub directions: Vec<Direction>,
    /// User attributes as JSON texts.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
}

/// Initial contents of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialTemplate {
    /// State, possibly a final one.
    pub state: TrialState,
    /// Value of each objective, or empty.
    pub values: Vec<f64>,
    /// Time of the start.
    pub started: Option<Timestamp>,
    /// Time of the end.
    pub completed: Option<Timestamp>,
    /// Name, stored number and distribution of each parameter.
    pub params: Vec<(String, f64, String)>,
    /// User attributes as JSON texts.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
    /// Reported values by step.
    pub intermediate: BTreeMap<i64, f64>,
}

/// The own row of a trial, which precedes its parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialHead {
    /// Key in the storage.
    pub id: TrialId,
    /// Number in its study.
    pub number: i64,
    /// State.
    pub state: TrialState,
    /// Time of the start.
    pub started: Option<Timestamp>,
    /// Time of the end.
    pub completed: Option<Timestamp>,
}

/// Receiver of trials, called for each part as it is read, so that no trial has to be built: `begin`, the
/// values by objective and the other parts in any order, `end`.
pub trait TrialSink {
    /// Discards everything received: the trials are read from the beginning, for the first time or after the
    /// connection to the database was lost.
    fn restart(&mut self);
    /// Starts a trial.
    fn begin(&mut self, head: &TrialHead);
    /// Receives the value of the next objective.
    fn value(&mut self, value: f64);
    /// Receives a parameter: its stored number and its distribution as JSON.
    fn param(&mut self, name: &str, internal: f64, distribution: &str);
    /// Receives an attribute as JSON.
    fn attribute(&mut self, kind: AttributeKind, key: &str, json: &str);
    /// Receives a reported value.
    fn intermediate(&mut self, step: i64, value: f64);
    /// Ends the trial.
    fn end(&mut self);
}

/// The storage interface that Optuna's clients need. Every call is one transaction. Ids grow and are never
/// reused, trials become visible in the order of their ids, and a finished trial never changes, because
/// clients cache what they have read.
///
/// # Errors
/// Every call fails with [`StoreError::UnknownStudy`] or [`StoreError::UnknownTrial`] where the study or
/// trial does not exist, with [`StoreError::NotRunning`] for a write to a finished trial (before other
/// checks), with [`StoreError::Invalid`] for arguments that no client could read back, and with errors of the
/// database.
#[allow(clippy::missing_errors_doc, reason = "those of all calls are said once, above")]
pub trait OptunaStorage: fmt::Debug + Send + Sync {
    /// Whether calls wait for a server; then no thread of an asynchronous runtime may make them.
    fn is_remote(&self) -> bool;
    /// Creates a study.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StoreError>;
    /// Creates a study with all its contents in one commit; its trials are numbered in their order.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::IncompatibleDistribution`].
    fn create_whole_study(&self, study: &WholeStudy) -> Result<StudyId, StoreError>;
    /// Deletes a study with all its trials.
    fn delete_study(&self, study: StudyId) -> Result<(), StoreError>;
    /// Sets or replaces an attribute of a study.
    fn set_study_attribute(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError>;
    /// Returns the key of the study with this name.
    ///
    /// # Errors
    /// [`StoreError::UnknownStudyName`].
    fn study_id(&self, name: &str) -> Result<StudyId, StoreError>;
    /// Returns the name of a study.
    fn study_name(&self, study: StudyId) -> Result<String, StoreError>;
    /// Returns the direction of each objective of a study.
    fn study_directions(&self, study: StudyId) -> Result<Vec<Direction>, StoreError>;
    /// Returns the attributes of a study.
    fn study_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
    ) -> Result<BTreeMap<String, String>, StoreError>;
    /// Returns all studies by id.
    fn studies(&self) -> Result<Vec<OptunaStudy>, StoreError>;
    /// Creates a trial, running unless a template says otherwise.
    ///
    /// # Errors
    /// [`StoreError::IncompatibleDistribution`].
    fn create_trial(&self, study: StudyId, template: Option<&TrialTemplate>) -> Result<TrialId, StoreError>;
    /// Sets a parameter; does nothing if the trial has it already.
    ///
    /// # Errors
    /// [`StoreError::IncompatibleDistribution`].
    fn set_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &str,
    ) -> Result<(), StoreError>;
    /// Returns the key of the trial with this number.
    ///
    /// # Errors
    /// [`StoreError::UnknownTrialNumber`].
    fn trial_id(&self, study: StudyId, number: i64) -> Result<TrialId, StoreError>;
    /// Sets the state and the values; empty values stay as they are. Returns whether it did: a trial can
    /// start to run only from the queue, so that one of several callers who claim it succeeds.
    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool, StoreError>;
    /// Stores a result that arrived after another process had ended the trial, which does not change.
    fn record_late(&self, trial: TrialId, late: &LateTell) -> Result<(), StoreError>;
    /// Sets or replaces a reported value, which may be NaN.
    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<(), StoreError>;
    /// Sets or replaces an attribute of a trial.
    fn set_trial_attribute(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError>;
    /// Reads one trial.
    fn trial(&self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<(), StoreError>;
    /// Reads the trials of a study whose id is greater than `after` or in `included`, in ascending order of
    /// ids.
    fn trials(
        &self,
        study: StudyId,
        after: TrialId,
        included: &[TrialId],
        sink: &mut dyn TrialSink,
    ) -> Result<(), StoreError>;
}

/// Whether `url` is one of `SQLAlchemy`'s two URLs of a database in memory.
fn is_memory(url: &str) -> bool {
    matches!(url, "sqlite://" | "sqlite:///:memory:")
}

/// Opens the storage behind `url`, and creates its file or tables if missing. `sqlite:///:memory:` lasts as
/// long as the process.
///
/// # Errors
/// Those of [`crate::open()`].
pub fn open(url: &str) -> Result<Box<dyn OptunaStorage>, StoreError> {
    if is_memory(url) {
        return Ok(Box::new(AsOptuna(SqliteStore::serving_in_memory()?)));
    }
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) => Box::new(AsOptuna(SqliteStore::serving(&path)?)),
        Storage::Postgres(url) => Box::new(AsOptuna(PostgresStore::open(url.expose())?.serving())),
    })
}

/// Returns a store in memory that contains the studies.
///
/// # Errors
/// Name of the study that cannot be stored, and the problem.
pub fn in_memory(studies: &[WholeStudy]) -> Result<Box<dyn Store>, (String, StoreError)> {
    let store = SqliteStore::serving_in_memory().map_err(|error| (String::new(), error))?;
    let storage = AsOptuna(store);
    for study in studies {
        storage.create_whole_study(study).map_err(|error| (study.name.clone(), error))?;
    }
    Ok(Box::new(storage.0))
}

/// Opens an existing storage read-only, without changing it.
///
/// # Errors
/// Those of [`crate::open_read_only`].
pub(crate) fn open_read_only(url: &str) -> Result<Box<dyn OptunaStorage>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) => Box::new(AsOptuna(SqliteStore::open_read_only_file(&path)?)),
        Storage::Postgres(url) => Box::new(AsOptuna(PostgresStore::open_read_only(url.expose())?.serving())),
    })
}
