//! Optuna's own view of a store: parameters as the numbers it keeps, distributions and attributes as its JSON
//! texts, which nobody here interprets beyond what keeps a study readable.

mod check;
mod whole;

use std::collections::BTreeMap;
use std::fmt;

use allometry_core::{Direction, TrialState};
use jiff::Timestamp;

use crate::Store;
use crate::assemble::OWN_PREFIX;
use crate::error::StoreError;
use crate::late::LateTell;
use crate::store::{StudyId, TrialId};
use crate::url::{self, Storage};

pub(crate) use check::{attribute, compatible, distribution, name, parameter};
pub use whole::{WholeStudy, WholeTrial};

pub use crate::store::Beside;

use crate::as_optuna::AsOptuna;
use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;

/// Whether an attribute's key is one of Allometry's own, which say what a study runs and what a trial was.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with(OWN_PREFIX)
}

/// One of Optuna's two sets of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// The user's.
    User,
    /// Those of samplers, pruners and callbacks.
    System,
}

/// A study.
#[derive(Debug, Clone, PartialEq)]
pub struct OptunaStudy {
    /// Key.
    pub id: StudyId,
    /// Name; may be empty.
    pub name: String,
    /// One for each objective.
    pub directions: Vec<Direction>,
    /// The user's attributes as JSON texts.
    pub user_attributes: BTreeMap<String, String>,
    /// Attributes of samplers and pruners as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
}

/// A trial to create that does not begin empty.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialTemplate {
    /// Its state; it may have ended.
    pub state: TrialState,
    /// One for each objective, or none.
    pub values: Vec<f64>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Name, number and distribution of each parameter.
    pub params: Vec<(String, f64, String)>,
    /// The user's attributes as JSON texts.
    pub user_attributes: BTreeMap<String, String>,
    /// Attributes of samplers and pruners as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
    /// Reported values by step.
    pub intermediate: BTreeMap<i64, f64>,
}

/// A trial's own row, which comes before its parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialHead {
    /// Key.
    pub id: TrialId,
    /// Position in its study.
    pub number: i64,
    /// Its state.
    pub state: TrialState,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
}

/// Takes trials part by part as they are read, so that none has to be built: `begin`, the values by objective
/// and the other parts in any order, `end`.
pub trait TrialSink {
    /// Drops what was told so far: the trials are read from the beginning, for the first time or since the
    /// connection to the database was lost.
    fn restart(&mut self);
    /// A trial begins.
    fn begin(&mut self, head: &TrialHead);
    /// Its next objective's value.
    fn value(&mut self, value: f64);
    /// A parameter: its number, and its distribution as JSON.
    fn param(&mut self, name: &str, internal: f64, distribution: &str);
    /// An attribute as JSON.
    fn attribute(&mut self, kind: AttributeKind, key: &str, json: &str);
    /// A reported value.
    fn intermediate(&mut self, step: i64, value: f64);
    /// The trial is whole.
    fn end(&mut self);
}

/// What Optuna asks of a storage. Every call is one transaction. Ids grow and are never given out again,
/// trials become visible in the order of their ids, and a trial that ended never changes: clients keep what
/// they have seen.
///
/// # Errors
/// Of all calls: [`StoreError::UnknownStudy`] or [`StoreError::UnknownTrial`] where there is none,
/// [`StoreError::NotRunning`] for a write to a trial that ended (before anything else is wrong with it),
/// [`StoreError::Invalid`] for what no client could read back, and whatever the database fails with.
#[allow(clippy::missing_errors_doc, reason = "those of all calls are said once, above")]
pub trait OptunaStorage: fmt::Debug + Send + Sync {
    /// Whether calls wait for a server, so that no thread of an asynchronous runtime may make them.
    fn is_remote(&self) -> bool;
    /// Makes a study.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StoreError>;
    /// Makes a study with all that it has, its trials numbered in their order: in one commit, so that it is
    /// there whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::IncompatibleDistribution`].
    fn create_whole_study(&self, study: &WholeStudy) -> Result<StudyId, StoreError>;
    /// Deletes a study with all its trials.
    fn delete_study(&self, study: StudyId) -> Result<(), StoreError>;
    /// Sets or replaces an attribute.
    fn set_study_attribute(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError>;
    /// The study of that name.
    ///
    /// # Errors
    /// [`StoreError::UnknownStudyName`].
    fn study_id(&self, name: &str) -> Result<StudyId, StoreError>;
    /// The name of a study.
    fn study_name(&self, study: StudyId) -> Result<String, StoreError>;
    /// The directions of a study by objective.
    fn study_directions(&self, study: StudyId) -> Result<Vec<Direction>, StoreError>;
    /// The attributes of a study.
    fn study_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
    ) -> Result<BTreeMap<String, String>, StoreError>;
    /// All studies, by id.
    fn studies(&self) -> Result<Vec<OptunaStudy>, StoreError>;
    /// Makes a trial, running from now on unless a template says otherwise.
    ///
    /// # Errors
    /// [`StoreError::IncompatibleDistribution`].
    fn create_trial(&self, study: StudyId, template: Option<&TrialTemplate>) -> Result<TrialId, StoreError>;
    /// Sets a parameter; where the trial has it already, nothing happens.
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
    /// The trial of that number.
    ///
    /// # Errors
    /// [`StoreError::UnknownTrialNumber`].
    fn trial_id(&self, study: StudyId, number: i64) -> Result<TrialId, StoreError>;
    /// Sets state and values (none: they stay). Whether it did: a trial begins to run only out of the queue,
    /// so that of several that take it one succeeds.
    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool, StoreError>;
    /// Keeps what is told of a trial that somebody else has ended, beside the trial, which stays as it is.
    fn record_late(&self, trial: TrialId, late: &LateTell) -> Result<(), StoreError>;
    /// Sets or replaces a reported value; may be NaN.
    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<(), StoreError>;
    /// Sets or replaces an attribute.
    fn set_trial_attribute(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError>;
    /// Reads one trial.
    fn trial(&self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<(), StoreError>;
    /// Reads the trials of a study whose id is greater than `after` or among `included`, by growing id.
    fn trials(
        &self,
        study: StudyId,
        after: TrialId,
        included: &[TrialId],
        sink: &mut dyn TrialSink,
    ) -> Result<(), StoreError>;
}

/// Whether `url` is one of the two that `SQLAlchemy` has for a database in memory.
fn is_memory(url: &str) -> bool {
    matches!(url, "sqlite://" | "sqlite:///:memory:")
}

/// Opens the storage behind `url`; where there is none yet, its file or tables are made. `sqlite:///:memory:`
/// lasts as long as the process.
///
/// # Errors
/// As [`crate::open()`].
pub fn open(url: &str) -> Result<Box<dyn OptunaStorage>, StoreError> {
    if is_memory(url) {
        return Ok(Box::new(AsOptuna(SqliteStore::serving_in_memory()?)));
    }
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) => Box::new(AsOptuna(SqliteStore::serving(&path)?)),
        Storage::Postgres(url) => Box::new(AsOptuna(PostgresStore::open(url.expose())?.serving())),
    })
}

/// A store in memory that holds the studies.
///
/// # Errors
/// The name of the study that cannot be stored, with what is wrong with it.
pub fn in_memory(studies: &[WholeStudy]) -> Result<Box<dyn Store>, (String, StoreError)> {
    let store = SqliteStore::serving_in_memory().map_err(|error| (String::new(), error))?;
    let storage = AsOptuna(store);
    for study in studies {
        storage.create_whole_study(study).map_err(|error| (study.name.clone(), error))?;
    }
    Ok(Box::new(storage.0))
}

/// Opens a storage that is there for reading alone; it is not changed.
///
/// # Errors
/// As [`crate::open_read_only`].
pub(crate) fn open_read_only(url: &str) -> Result<Box<dyn OptunaStorage>, StoreError> {
    Ok(match url::parse(url)? {
        Storage::Sqlite(path) => Box::new(AsOptuna(SqliteStore::open_read_only_file(&path)?)),
        Storage::Postgres(url) => Box::new(AsOptuna(PostgresStore::open_read_only(url.expose())?.serving())),
    })
}
