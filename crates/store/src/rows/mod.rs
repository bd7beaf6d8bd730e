//! Row operations: what a database does so that both interfaces of a store work on it.
//!
//! SQLite and PostgreSQL implement the traits here, each with one statement that inserts into each table.
//! `as_store.rs` and `as_optuna.rs` implement [`crate::Store`] and [`crate::optuna::OptunaStorage`] over
//! them, once.

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
use crate::late::LateTell;
use crate::optuna::{AttributeKind, OptunaStudy, TrialSink};
use crate::owner::Owner;
use crate::store::{RunningTrial, StudyId, TrialHandle, TrialId, TrialPage};

pub(crate) use fitting::{Fitted, write_fitting};
pub(crate) use known::Known;
pub(crate) use rules::{
    check_attribute, check_param, check_study, check_template, check_values, check_whole_study, insert_study,
    may_become, running, unfinished,
};

/// Result of a statement.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Tables whose rows belong to trials, in which Optuna keeps what it knows of them.
pub(crate) const TABLES_OF_TRIALS: [&str; 6] = [
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_heartbeats",
];

/// Tables whose rows belong to studies; the trials come last.
pub(crate) const TABLES_OF_STUDIES: [&str; 4] =
    ["study_user_attributes", "study_system_attributes", "study_directions", "trials"];

/// The table of a study's attributes.
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
    /// Parameters; those that the trial has stay as they are.
    pub(crate) params: Cow<'a, [ParamRow]>,
    /// Values by objective.
    pub(crate) values: Cow<'a, [f64]>,
    /// Reported values by step.
    pub(crate) intermediate: Cow<'a, BTreeMap<i64, f64>>,
    /// The user's attributes, Allometry's own among them.
    pub(crate) user_attributes: Cow<'a, Attributes>,
    /// Attributes of samplers and pruners.
    pub(crate) system_attributes: Cow<'a, Attributes>,
    /// The process that works on the trial, with its first heartbeat.
    pub(crate) owner: Option<&'a Owner>,
    /// Metrics as JSON by epoch.
    pub(crate) metrics: BTreeMap<i64, String>,
    /// The columns `rows`, `labels` and `scores` of its predictions.
    pub(crate) predictions: Option<[Vec<u8>; 3]>,
    /// The end of what its evaluation wrote for people.
    pub(crate) log: Option<&'a str>,
}

/// When a new trial began and ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Times {
    /// A running trial begins now, by the database's clock.
    Now,
    /// Both times are known.
    Known {
        /// When it began.
        started: Option<Timestamp>,
        /// When it ended.
        completed: Option<Timestamp>,
    },
}

/// The trial that rows are written to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// A new trial of a study whose numbers are locked.
    New {
        /// The study.
        study: StudyId,
        /// The trial's number.
        number: u32,
        /// Its state.
        state: TrialState,
        /// Its times.
        times: Times,
    },
    /// A trial that this transaction made or locked.
    Locked(TrialId),
    /// A trial that has not ended.
    Open(TrialId),
    /// A trial that has not ended and gets a state; its lease goes with its end.
    Into(TrialId, TrialState),
}

/// What a trial's own row says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrialStatus {
    /// Its study.
    pub(crate) study: StudyId,
    /// Its number.
    pub(crate) number: u64,
    /// Its state.
    pub(crate) state: TrialState,
}

/// Which trials of a study are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Selection {
    /// Those from a number on.
    From(TrialNumber),
    /// At most `limit` of them, after one where one is named.
    Page {
        /// The trial before the first.
        after: Option<TrialId>,
        /// The most trials.
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
    /// The end of what evaluations wrote.
    Logs,
    /// What was told of trials that had ended.
    LateTells,
}

impl OwnTable {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Predictions, Self::Metrics, Self::Logs, Self::LateTells];

    /// Its name and the columns that are read of it.
    pub(crate) fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Predictions => ("allometry_scores", "\"rows\", labels, scores"),
            Self::Metrics => ("allometry_epoch_metrics", "step, metrics_json"),
            Self::Logs => ("allometry_logs", "tail"),
            Self::LateTells => ("allometry_late_tells", "tell_json"),
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
    /// The text.
    Log(&'r str),
    /// JSON.
    LateTell(&'r str),
}

/// Takes in a row of a trial.
pub(crate) type TakeOwn<'a> = dyn FnMut(TrialNumber, OwnRow<'_>) -> Result<()> + 'a;

/// Statements that read, within one transaction.
pub(crate) trait ReadRows {
    /// Checks that the study exists.
    fn require_study(&mut self, study: StudyId) -> Result<()>;
    /// Returns the study of that name.
    fn study_id(&mut self, name: &str) -> Result<Option<StudyId>>;
    /// Returns the name of a study.
    fn study_name(&mut self, study: StudyId) -> Result<Option<String>>;
    /// Returns the directions of a study that exists, by objective.
    fn directions(&mut self, study: StudyId) -> Result<Vec<Direction>>;
    /// Returns the attributes of a study.
    fn study_attributes(&mut self, study: StudyId, kind: AttributeKind) -> Result<Attributes>;
    /// Returns all studies by id, or the one of that name.
    fn studies(&mut self, name: Option<&str>) -> Result<Vec<OptunaStudy>>;
    /// Returns the trial of that number in a study that exists.
    fn trial_id(&mut self, study: StudyId, number: i64) -> Result<Option<TrialId>>;
    /// Returns what a trial's own row says.
    fn status(&mut self, trial: TrialId) -> Result<Option<TrialStatus>>;
    /// Returns the running trials of a study by number, with who works on them.
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
    /// Calls `take` with the rows of `table` that belong to trials of the study with those numbers. Rows of
    /// one trial come in the order in which they were written.
    fn own_rows(
        &mut self,
        study: StudyId,
        numbers: &RangeInclusive<TrialNumber>,
        table: OwnTable,
        take: &mut TakeOwn<'_>,
    ) -> Result<()>;
    /// Gives a trial to `sink`, part by part.
    fn tell_trial(&mut self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<()>;
}

/// Statements that write, within one transaction.
pub(crate) trait WriteRows: ReadRows {
    /// Inserts a study; `None` if there is one of that name.
    fn insert_study(&mut self, name: &str, directions: &[Direction]) -> Result<Option<StudyId>>;
    /// Sets or replaces attributes of a study that exists.
    fn set_study_attributes(
        &mut self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<()>;
    /// Deletes a study that exists, with all that belongs to it.
    fn delete_study(&mut self, study: StudyId) -> Result<()>;
    /// Keeps others from making trials of a study that exists; returns the next trial's number.
    fn lock_numbers(&mut self, study: StudyId) -> Result<u32>;
    /// Keeps others from writing to a trial; returns what its own row says.
    fn lock_trial(&mut self, trial: TrialId) -> Result<Option<TrialStatus>>;
    /// Keeps others from setting new parameters in a trial's study, and the trial from ending; returns what
    /// its row says.
    fn lock_params(&mut self, trial: TrialId) -> Result<TrialStatus>;
    /// Writes rows of a trial; `None`, and nothing is written, if the trial is not as [`Target`] says.
    fn write(&mut self, target: Target, parts: &Parts<'_>) -> Result<Option<TrialId>>;
    /// Deletes a user attribute of a trial.
    fn delete_attribute(&mut self, trial: TrialId, key: &str) -> Result<()>;
    /// Makes the first waiting trial of a study a running one.
    fn claim(&mut self, study: StudyId) -> Result<Option<TrialHandle>>;
    /// Sets the heartbeats of those trials that run.
    fn beat(&mut self, trials: &[TrialId]) -> Result<()>;
    /// Keeps what is told of a trial that has ended, unless there is enough of it.
    fn insert_late(&mut self, trial: TrialId, late: &LateTell) -> Result<()>;
}

/// Which trials of a study a client asks for: those after one, and some before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The study.
    pub(crate) study: StudyId,
    /// The trial before the first.
    pub(crate) after: TrialId,
    /// Trials before that are wanted too.
    pub(crate) included: &'a [TrialId],
}

/// A database with Optuna's tables and Allometry's own.
pub(crate) trait Database: fmt::Debug + Send + Sync {
    /// Reads one state of the database.
    fn read<T>(&self, body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError>;
    /// Reads by one statement, which sees one state of the database by itself.
    fn read_once<T>(&self, body: impl FnMut(&mut dyn ReadRows) -> Result<T>) -> Result<T, StoreError>;
    /// Writes in one commit.
    fn write<T>(&self, body: impl FnMut(&mut dyn WriteRows) -> Result<T>) -> Result<T, StoreError>;
    /// Writes rows of a trial that has not ended, in one commit. Returns false if the trial could not get its
    /// state.
    fn write_open(
        &self,
        trial: TrialId,
        state: Option<TrialState>,
        parts: &Parts<'_>,
    ) -> Result<bool, StoreError>;
    /// Sets or replaces attributes of a study, in one commit.
    fn set_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<(), StoreError>;
    /// Gives the wanted trials to `sink` by growing id.
    fn tell_trials(&self, wanted: Wanted<'_>, sink: &mut dyn TrialSink) -> Result<(), StoreError>;
    /// Returns where the studies are; see [`crate::Store::place`].
    fn address(&self) -> Result<String, StoreError>;
    /// Checks that the storage is still the one that was opened.
    fn check_present(&self) -> Result<(), StoreError>;
    /// Returns what this process knows of the database and never changes.
    fn known(&self) -> &Mutex<Known>;
    /// Whether calls wait for a server.
    const IS_REMOTE: bool;
    /// Checks that a text fits a column.
    fn check_text(field: &str, text: &str) -> Result<(), StoreError>;
    /// Checks that a step fits its column.
    fn check_step(step: i64) -> Result<(), StoreError>;
}

/// Locks a mutex. What it guards is whole: a panic inside a transaction rolled it back.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
