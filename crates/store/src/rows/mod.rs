//! Row operations: the interface between a database and both interfaces of a store.
//!
//! SQLite and PostgreSQL implement these traits, each with one INSERT statement per table. `as_store.rs` and
//! `as_optuna.rs` implement [`crate::Store`] and [`crate::optuna::OptunaStorage`] over them, once for both
//! databases.

mod fitting;
mod known;
mod rules;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};

use allometry_core::{Direction, TrialNumber, TrialState};
use jiff::Timestamp;

use crate::error::StoreError;
use crate::failure::Failure;
use crate::late::LateResult;
use crate::optuna::record::{AttributeKind, OptunaStudy, TrialSink};
use crate::owner::Owner;
use crate::store::{RunningTrial, StudyId, TrialHandle, TrialId, TrialPage};

pub(crate) use fitting::{Fitted, write_fitting};
pub(crate) use known::Known;
pub(crate) use rules::{
    check_attribute, check_param, check_study, check_study_with_trials, check_template, check_values,
    insert_study, may_become, running, unfinished,
};

/// Result of a statement.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Optuna's tables whose rows belong to trials.
pub(crate) const TABLES_OF_TRIALS: [&str; 6] = [
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_heartbeats",
];

/// Tables whose rows belong to studies; `trials` is the last.
pub(crate) const TABLES_OF_STUDIES: [&str; 4] =
    ["study_user_attributes", "study_system_attributes", "study_directions", "trials"];

/// Returns the table of a study's attributes.
pub(crate) fn study_attributes_table(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::User => "study_user_attributes",
        AttributeKind::System => "study_system_attributes",
    }
}

/// Name, stored number and distribution of a parameter.
pub(crate) type ParamRow = (String, f64, String);

/// JSON texts by key.
pub(crate) type Attributes = BTreeMap<String, String>;

/// Rows of one trial that are written together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts<'a> {
    /// Parameters; existing ones stay as they are.
    pub(crate) params: Cow<'a, [ParamRow]>,
    /// Values by objective.
    pub(crate) values: Cow<'a, [f64]>,
    /// Reported values by step.
    pub(crate) intermediate: Cow<'a, BTreeMap<i64, f64>>,
    /// User attributes, including Allometry's own.
    pub(crate) user_attributes: Cow<'a, Attributes>,
    /// System attributes.
    pub(crate) system_attributes: Cow<'a, Attributes>,
    /// Process that owns the trial; writing it also writes the first heartbeat.
    pub(crate) owner: Option<&'a Owner>,
    /// Metrics as JSON by epoch.
    pub(crate) metrics: BTreeMap<i64, String>,
    /// Columns `rows`, `labels` and `scores` of the predictions.
    pub(crate) predictions: Option<[Vec<u8>; 3]>,
    /// End of the evaluation's log.
    pub(crate) log: Option<&'a str>,
}

/// Times of the start and the end of a new trial.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Times {
    /// The database's clock gives the start of a running trial.
    Now,
    /// Both times are known.
    Known {
        /// Time of the start.
        started: Option<Timestamp>,
        /// Time of the end.
        completed: Option<Timestamp>,
    },
}

/// The trial that rows are written to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// A new trial of a study whose numbers are locked.
    New {
        /// Key of the study.
        study: StudyId,
        /// Number of the trial.
        number: u32,
        /// State of the trial.
        state: TrialState,
        /// Times of the trial.
        times: Times,
    },
    /// A trial that this transaction created or locked.
    Locked(TrialId),
    /// An unfinished trial.
    Open(TrialId),
    /// An unfinished trial that gets a state; a final state deletes its lease.
    Into(TrialId, TrialState),
}

/// Contents of a trial's own row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrialStatus {
    /// Key of its study.
    pub(crate) study: StudyId,
    /// Its number.
    pub(crate) number: u64,
    /// Its state.
    pub(crate) state: TrialState,
}

/// Selection of trials of a study.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Selection {
    /// Trials from a number on.
    From(TrialNumber),
    /// At most `limit` trials, after a trial if one is given.
    Page {
        /// Trial before the first one.
        after: Option<TrialId>,
        /// Maximum number of trials.
        limit: usize,
    },
}

/// A table of Allometry's own whose rows belong to trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnTable {
    /// Predictions on the validation rows.
    Predictions,
    /// Metrics of epochs.
    Metrics,
    /// Ends of the evaluations' logs.
    Logs,
    /// Results that were told after the end of their trials.
    LateResults,
}

impl OwnTable {
    /// All tables.
    pub(crate) const ALL: [Self; 4] = [Self::Predictions, Self::Metrics, Self::Logs, Self::LateResults];

    /// Returns the name of the table and the columns to read.
    pub(crate) fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Predictions => ("allometry_scores", "\"rows\", labels, scores"),
            Self::Metrics => ("allometry_epoch_metrics", "step, metrics_json"),
            Self::Logs => ("allometry_logs", "tail"),
            Self::LateResults => ("allometry_late_tells", "tell_json"),
        }
    }
}

/// A row of one of Allometry's own tables.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OwnRow<'r> {
    /// The columns `rows`, `labels` and `scores`.
    Predictions([&'r [u8]; 3]),
    /// Step and JSON.
    Metrics(i64, &'r str),
    /// End of the log.
    Log(&'r str),
    /// Late result as JSON.
    LateResult(&'r str),
}

/// Callback that receives a row of a trial.
pub(crate) type TakeOwn<'a> = dyn FnMut(TrialNumber, OwnRow<'_>) -> Result<()> + 'a;

/// Read operations within one transaction.
pub(crate) trait ReadRows {
    /// Checks that the study exists.
    fn require_study(&mut self, study: StudyId) -> Result<()>;
    /// Returns the study with this name.
    fn study_id(&mut self, name: &str) -> Result<Option<StudyId>>;
    /// Returns the name of a study.
    fn study_name(&mut self, study: StudyId) -> Result<Option<String>>;
    /// Returns the directions of a study that exists, by objective.
    fn directions(&mut self, study: StudyId) -> Result<Vec<Direction>>;
    /// Returns the attributes of a study.
    fn study_attributes(&mut self, study: StudyId, kind: AttributeKind) -> Result<Attributes>;
    /// Returns all studies by id, or the one with this name.
    fn studies(&mut self, name: Option<&str>) -> Result<Vec<OptunaStudy>>;
    /// Returns the trial with this number in a study that exists.
    fn trial_id(&mut self, study: StudyId, number: i64) -> Result<Option<TrialId>>;
    /// Returns the contents of a trial's own row.
    fn status(&mut self, trial: TrialId) -> Result<Option<TrialStatus>>;
    /// Returns the running trials of a study by number, with their owners.
    fn running(&mut self, study: StudyId) -> Result<Vec<RunningTrial>>;
    /// Returns trials of a study by number.
    fn trials(&mut self, study: StudyId, selection: Selection) -> Result<TrialPage>;
    /// Returns the text of the search space that Allometry stored with a study.
    fn space(&mut self, study: StudyId) -> Result<Option<String>>;
    /// Returns the value of a trial's last step.
    fn last_intermediate(&mut self, trial: TrialId) -> Result<Option<f64>>;
    /// Returns the names of a trial's parameters.
    fn param_names(&mut self, trial: TrialId) -> Result<HashSet<String>>;
    /// Returns a distribution that a trial of the study has for a parameter.
    fn stored_distribution(&mut self, study: StudyId, name: &str) -> Result<Option<String>>;
    /// Calls `take` with the rows of `table` for the trials with these numbers. Rows of one trial come in the
    /// order in which they were written.
    fn own_rows(
        &mut self,
        study: StudyId,
        numbers: &RangeInclusive<TrialNumber>,
        table: OwnTable,
        take: &mut TakeOwn<'_>,
    ) -> Result<()>;
    /// Passes a trial to `sink`, part by part.
    fn tell_trial(&mut self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<()>;
}

/// Write operations within one transaction.
pub(crate) trait WriteRows: ReadRows {
    /// Inserts a study; returns `None` if its name is taken.
    fn insert_study(&mut self, name: &str, directions: &[Direction]) -> Result<Option<StudyId>>;
    /// Sets or replaces attributes of a study that exists.
    fn set_study_attributes(
        &mut self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<()>;
    /// Deletes a study that exists, with all its rows.
    fn delete_study(&mut self, study: StudyId) -> Result<()>;
    /// Locks the trial numbers of a study that exists; returns the next number.
    fn lock_numbers(&mut self, study: StudyId) -> Result<u32>;
    /// Locks a trial against writes of other transactions; returns the contents of its own row.
    fn lock_trial(&mut self, trial: TrialId) -> Result<Option<TrialStatus>>;
    /// Locks the parameters of a trial's study against new ones, and the trial against its end; returns the
    /// contents of its row.
    fn lock_params(&mut self, trial: TrialId) -> Result<TrialStatus>;
    /// Writes rows of a trial. Returns `None`, and writes nothing, if the trial does not match [`Target`].
    fn write(&mut self, target: Target, parts: &Parts<'_>) -> Result<Option<TrialId>>;
    /// Deletes a user attribute of a trial.
    fn delete_attribute(&mut self, trial: TrialId, key: &str) -> Result<()>;
    /// Sets the first waiting trial of a study to running and returns it.
    fn claim(&mut self, study: StudyId) -> Result<Option<TrialHandle>>;
    /// Updates the heartbeats of the trials that are running.
    fn beat(&mut self, trials: &[TrialId]) -> Result<()>;
    /// Inserts a late result of a trial, up to the maximum number per trial.
    fn insert_late(&mut self, trial: TrialId, late: &LateResult) -> Result<()>;
}

/// Trials of a study that a client asks for: those after a trial, and selected earlier ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Key of the study.
    pub(crate) study: StudyId,
    /// Trial before the first one.
    pub(crate) after: TrialId,
    /// Earlier trials to include.
    pub(crate) included: &'a [TrialId],
}

/// A database with Optuna's tables and Allometry's own.
pub(crate) trait Database: fmt::Debug + Send + Sync {
    /// Runs `body` in a read transaction, which sees one state of the database.
    fn read<T>(&self, body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError>;
    /// Runs one read statement, which sees one state of the database without a transaction.
    fn read_once<T>(&self, body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError>;
    /// Runs `body` in a write transaction with one commit.
    fn write<T>(&self, body: impl FnMut(&mut dyn WriteRows) -> Result<T>) -> Result<T, StoreError>;
    /// Writes rows of an unfinished trial in one commit. Returns `false` if the trial cannot get the state.
    fn write_open(
        &self,
        trial: TrialId,
        state: Option<TrialState>,
        parts: &Parts<'_>,
    ) -> Result<bool, StoreError>;
    /// Sets or replaces attributes of a study in one commit.
    fn set_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<(), StoreError>;
    /// Passes the wanted trials to `sink` in ascending order of ids.
    fn tell_trials(&self, wanted: Wanted<'_>, sink: &mut dyn TrialSink) -> Result<(), StoreError>;
    /// Returns a text that identifies the database; see [`crate::Store::place`].
    fn address(&self) -> Result<String, StoreError>;
    /// Checks that the file was not removed or replaced.
    fn check_present(&self) -> Result<(), StoreError>;
    /// Returns the cache of facts about the database that never change.
    fn known(&self) -> &Mutex<Known>;
    /// Whether calls wait for a server.
    const IS_REMOTE: bool;
    /// Checks that a text fits a column.
    fn check_text(field: &str, text: &str) -> Result<(), StoreError>;
    /// Checks that a step fits its column.
    fn check_step(step: i64) -> Result<(), StoreError>;
}

/// Locks a mutex and ignores poisoning: a panic inside a transaction rolled it back, so that the guarded data
/// are consistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
