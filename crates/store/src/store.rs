//! The interface to storages of trials.

use std::collections::BTreeMap;
use std::time::Duration;

use allometry_core::{
    Constraints, Direction, EpochReport, FrozenTrial, Params, Predictions, SearchSpace, TrialNumber,
    TrialRecord, TrialState,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::error::StoreError;
use crate::facts::{Fact, StudyFacts};
use crate::json;
use crate::late::LateResult;
use crate::location::Location;
use crate::owner::Owner;

pub use crate::id::{StudyId, TrialId};

/// Properties of a study to create.
#[derive(Debug, Clone)]
pub struct NewStudy {
    /// Name, unique in the store.
    pub name: String,
    /// Direction of each objective; at least one.
    pub directions: Vec<Direction>,
    /// Names of all objectives, as Optuna's `set_metric_names` keeps them; may be empty.
    pub metric_names: Vec<String>,
    /// Search space; it records which lists are ordinal.
    pub space: SearchSpace,
    /// Facts about the study.
    pub facts: Vec<Fact>,
}

/// A study without a name, space or facts, whose only objective is maximized.
impl Default for NewStudy {
    fn default() -> Self {
        Self {
            name: String::new(),
            directions: vec![Direction::Maximize],
            metric_names: Vec::new(),
            space: SearchSpace::default(),
            facts: Vec::new(),
        }
    }
}

/// A stored study.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRecord {
    /// Key in the store.
    pub id: StudyId,
    /// Name.
    pub name: String,
    /// Direction of each objective; at least one.
    pub directions: Vec<Direction>,
    /// Search space, if Allometry created the study.
    pub space: Option<SearchSpace>,
    /// Facts that could be read.
    pub facts: StudyFacts,
    /// Allometry's own attributes, without the prefix `allometry:`.
    pub attributes: BTreeMap<String, Value>,
    /// Other user attributes: JSON texts as Python wrote them.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes: JSON texts as Python wrote them.
    pub system_attributes: BTreeMap<String, String>,
    /// Name and problem of one of Allometry's own attributes that cannot be read; such a study is neither
    /// analysed nor continued.
    pub unreadable: Option<String>,
}

impl StudyRecord {
    /// Checks that all of Allometry's own attributes can be read; `store` names the store in the message.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] where an attribute cannot be read.
    pub fn check_readable(&self, store: &str) -> Result<(), StoreError> {
        self.unreadable.as_ref().map_or(Ok(()), |why| {
            Err(StoreError::Malformed {
                location: Location::Server(store.to_owned()),
                place: format!("study `{}`", self.name),
                problem: why.clone(),
            })
        })
    }

    /// Returns the direction of the first objective.
    pub fn direction(&self) -> Direction {
        self.directions.first().copied().unwrap_or_default()
    }

    /// Whether the study has at least two objectives.
    pub fn has_several_objectives(&self) -> bool {
        self.directions.len() > 1
    }

    /// Returns the names of the objectives, if each has one.
    pub fn metric_names(&self) -> Option<Vec<String>> {
        let names = json::parse(self.system_attributes.get(METRIC_NAMES)?).ok()?;
        let names = names.as_array()?.iter().map(|name| name.as_str().map(Into::into));
        names.collect::<Option<Vec<String>>>().filter(|names| names.len() == self.directions.len())
    }
}

/// System attribute in which Optuna keeps the names of the objectives.
pub(crate) const METRIC_NAMES: &str = "study:metric_names";

/// The initial state of a trial.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// Waiting in the queue until a process claims it.
    Waiting,
    /// Running, owned by a process.
    Running(&'a Owner),
    /// Running without an owner: another program asked for it and tells the result at any later time.
    Asked,
}

/// Properties of a trial to create.
#[derive(Debug, Clone, Copy)]
pub struct NewTrial<'a> {
    /// Initial state.
    pub start: Start<'a>,
    /// Configuration.
    pub params: &'a Params,
    /// Distribution of each parameter; may contain more parameters than `params`.
    pub space: &'a SearchSpace,
    /// Known parts of its record: seed, origin, size.
    pub record: &'a TrialRecord,
}

/// Key and number of a trial that may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialHandle {
    /// Key in the store.
    pub id: TrialId,
    /// Number in its study.
    pub number: TrialNumber,
}

/// A final state of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishedState {
    /// The trial has a value.
    Complete,
    /// The trial was stopped early.
    Pruned,
    /// The trial has no value.
    Failed,
}

impl From<FinishedState> for TrialState {
    fn from(state: FinishedState) -> Self {
        match state {
            FinishedState::Complete => Self::Complete,
            FinishedState::Pruned => Self::Pruned,
            FinishedState::Failed => Self::Failed,
        }
    }
}

/// Result of a trial.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Value of each objective of a complete trial; ignored for pruned and failed trials.
    pub values: Vec<f64>,
    /// Constraints, also of a failed trial.
    pub constraints: Constraints,
    /// Epochs that were not reported yet.
    pub reports: Vec<EpochReport>,
    /// Whole record; replaces the one that the trial started with.
    pub record: TrialRecord,
    /// Predictions on the validation rows.
    pub predictions: Option<Predictions>,
    /// End of the evaluation's log.
    pub log: Option<String>,
}

/// A trial in state `Running`, whose process may have ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningTrial {
    /// Key and number.
    pub handle: TrialHandle,
    /// Process that owns the trial; `None` for a trial that Optuna runs.
    pub owner: Option<Owner>,
    /// Time since the last heartbeat, by the clocks of writer and reader; `None` without a heartbeat.
    pub heartbeat_age: Option<Duration>,
    /// Time of the last heartbeat by the writer's clock, which may be adjusted: compare it for equality
    /// only.
    pub heartbeat: Option<Timestamp>,
}

/// Consecutive trials of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialPage {
    /// Trials by number.
    pub trials: Vec<FrozenTrial>,
    /// Key of the last trial, after which the next page begins; `None` for an empty page.
    pub last: Option<TrialId>,
}

/// Data of a trial for which Optuna's tables have no columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrialExtras {
    /// Predictions on the validation rows.
    pub predictions: Option<Predictions>,
    /// Metrics of each epoch other than its intermediate value.
    pub epoch_metrics: EpochMetrics,
    /// End of the evaluation's log.
    pub log: Option<String>,
    /// Results that were told after the trial had ended.
    pub late_results: Vec<LateResult>,
}

/// Number of trials that [`each_trial`] holds in memory at a time.
const PAGE: usize = 1000;

/// Calls `take` for every trial of a study by number, with one page of trials in memory at a time.
///
/// # Errors
/// Those of the store, and those of `take`.
pub fn each_trial<E: From<StoreError>>(
    store: &dyn Store,
    study: StudyId,
    mut take: impl FnMut(FrozenTrial) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = None;
    loop {
        let page = store.trials_page(study, after, PAGE)?;
        let is_last = page.trials.len() < PAGE;
        page.trials.into_iter().try_for_each(&mut take)?;
        if is_last {
            return Ok(());
        }
        after = page.last;
    }
}

/// Metrics by name, by epoch.
pub type EpochMetrics = BTreeMap<i64, BTreeMap<String, f64>>;

/// A storage of studies and their trials, shared by all threads. Every call blocks until its effect is
/// stored.
///
/// # Contract
/// - Numbers of a study's trials are 0, 1, 2, ... without gaps or repetitions, even with concurrent
///   writers; a trial becomes visible after all trials of its study with smaller numbers.
/// - A trial is `Waiting`, then `Running`, then `Complete`, `Pruned` or `Failed`, and does not change after
///   that. If several callers claim or finish the same trial, one succeeds.
/// - The effect of a call that returned survives a later end of the process; a call that failed or was
///   interrupted had either its whole effect or none. Creating and finishing a trial is one commit each.
/// - A trial is read back as it was written: values, parameters with their kind (integers of a float range
///   become floats), intermediate values including NaN and infinities; times are kept to the microsecond.
///
/// # Errors
/// Every call can fail with a [`StoreError`] of kind `NotFound` for a study or trial that does not exist,
/// `Conflict` where the contract forbids the call, `Unavailable` where the storage cannot be used.
pub trait Store: Send + Sync {
    /// Returns a text that identifies the storage, without a password. The text is equal for all
    /// connections to one storage and differs for copies. A SQLite file that was moved is another storage.
    ///
    /// # Errors
    /// See the trait.
    fn place(&self) -> Result<String, StoreError>;

    /// Checks that the path still leads to the file that was opened: writes to a removed or replaced file
    /// succeed and are lost.
    ///
    /// # Errors
    /// [`StoreError::Departed`].
    fn check_present(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Creates a study.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] if a study has this name.
    fn create_study(&self, study: &NewStudy) -> Result<StudyId, StoreError>;

    /// Returns all studies, oldest first.
    ///
    /// # Errors
    /// See the trait.
    fn studies(&self) -> Result<Vec<StudyRecord>, StoreError>;

    /// Returns the study with this name.
    ///
    /// # Errors
    /// See the trait.
    fn study(&self, name: &str) -> Result<Option<StudyRecord>, StoreError>;

    /// Stores facts about a study in one commit. Other facts stay as they are.
    ///
    /// # Errors
    /// See the trait.
    fn set_facts(&self, study: StudyId, facts: &[Fact]) -> Result<(), StoreError>;

    /// Creates a trial.
    ///
    /// # Errors
    /// [`StoreError::UnknownParameter`] or [`StoreError::OutsideDistribution`] for parameters that do not fit
    /// the space, [`StoreError::IncompatibleDistribution`] if the study has trials in which a parameter is of
    /// another kind.
    fn create_trial(&self, study: StudyId, trial: &NewTrial<'_>) -> Result<TrialHandle, StoreError>;

    /// Creates a trial only if its number becomes `number`. Returns `None`, and creates nothing, if other
    /// trials were created meanwhile, so that a caller who chose the parameters from the study's contents
    /// can choose again.
    ///
    /// # Errors
    /// Those of [`Self::create_trial`].
    fn create_trial_at(
        &self,
        study: StudyId,
        trial: &NewTrial<'_>,
        number: TrialNumber,
    ) -> Result<Option<TrialHandle>, StoreError>;

    /// Adds missing parameters to a running trial, and replaces its record.
    ///
    /// # Errors
    /// [`StoreError::NotRunning`]; those of [`Self::create_trial`] for parameters that do not fit.
    fn complete_params(
        &self,
        trial: TrialId,
        params: &Params,
        space: &SearchSpace,
        record: &TrialRecord,
    ) -> Result<(), StoreError>;

    /// Sets the first waiting trial of a study to running and returns it; `None` if none waits. Without an
    /// `owner` it counts as a trial that another program asked for.
    ///
    /// A trial that was enqueued through Optuna keeps only fixed parameters found in the study's space.
    ///
    /// # Errors
    /// See the trait.
    fn claim_waiting(
        &self,
        study: StudyId,
        owner: Option<&Owner>,
    ) -> Result<Option<(TrialHandle, FrozenTrial)>, StoreError>;

    /// Stores epochs of a running trial; replaces steps that were reported before.
    ///
    /// # Errors
    /// [`StoreError::NotRunning`].
    fn report(&self, trial: TrialId, reports: &[EpochReport]) -> Result<(), StoreError>;

    /// Ends a running trial and returns the stored state.
    ///
    /// Follows Optuna's rules: a complete trial without a value, or with NaN among its values, becomes
    /// failed; a pruned trial takes its last intermediate value (none if that is NaN); a failed trial has
    /// no value.
    ///
    /// # Errors
    /// [`StoreError::NotRunning`] if another process ended the trial.
    fn finish(
        &self,
        trial: TrialId,
        state: FinishedState,
        finished: &Finished,
    ) -> Result<TrialState, StoreError>;

    /// Stores a result that arrived after another process had ended the trial, which does not change. Does
    /// nothing if the trial was deleted or already has the maximum number of late results.
    ///
    /// # Errors
    /// See the trait.
    fn record_late(&self, trial: TrialId, late: &LateResult) -> Result<(), StoreError>;

    /// Updates the heartbeats of running trials in one commit; skips trials that have ended.
    ///
    /// # Errors
    /// See the trait.
    fn heartbeat(&self, trials: &[TrialId]) -> Result<(), StoreError>;

    /// Returns the running trials of a study by number, with their owners.
    ///
    /// # Errors
    /// See the trait.
    fn running(&self, study: StudyId) -> Result<Vec<RunningTrial>, StoreError>;

    /// Returns the trials of a study from number `first` on, by number. Finished trials never change, so
    /// that a reader who keeps them need only read from the first unfinished one on.
    ///
    /// # Errors
    /// See the trait.
    fn trials_from(&self, study: StudyId, first: TrialNumber) -> Result<Vec<FrozenTrial>, StoreError>;

    /// Returns at most `limit` trials of a study by number: the first ones, or those after another page's
    /// last.
    ///
    /// # Errors
    /// See the trait.
    fn trials_page(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        limit: usize,
    ) -> Result<TrialPage, StoreError>;

    /// Returns the stored predictions on the validation rows, for trials from number `first` on.
    ///
    /// # Errors
    /// See the trait.
    fn predictions_from(
        &self,
        study: StudyId,
        first: TrialNumber,
    ) -> Result<BTreeMap<TrialNumber, Predictions>, StoreError>;

    /// Returns, by trial, the data for which Optuna's tables have no columns; trials without any are left
    /// out.
    ///
    /// # Errors
    /// See the trait.
    fn extras(&self, study: StudyId) -> Result<BTreeMap<TrialNumber, TrialExtras>, StoreError>;

    /// Returns all trials of a study by number.
    ///
    /// # Errors
    /// See the trait.
    fn trials(&self, study: StudyId) -> Result<Vec<FrozenTrial>, StoreError> {
        self.trials_from(study, TrialNumber(0))
    }

    /// Returns a trial's predictions on the validation rows, if stored.
    ///
    /// # Errors
    /// See the trait.
    fn predictions(&self, study: StudyId, number: TrialNumber) -> Result<Option<Predictions>, StoreError>;

    /// Returns the end of the evaluation's log of a trial that has ended, if it wrote any.
    ///
    /// # Errors
    /// See the trait.
    fn log(&self, study: StudyId, number: TrialNumber) -> Result<Option<String>, StoreError>;

    /// Returns the results that were told after the trial had ended, in the order of their refusal.
    ///
    /// # Errors
    /// See the trait.
    fn late_results(&self, study: StudyId, number: TrialNumber) -> Result<Vec<LateResult>, StoreError>;

    /// Returns the metrics of each epoch of a trial other than its intermediate values.
    ///
    /// # Errors
    /// See the trait.
    fn epoch_metrics(&self, study: StudyId, number: TrialNumber) -> Result<EpochMetrics, StoreError>;
}

/// Returns the metrics by epoch of the reports that have any.
pub(crate) fn metrics_of(reports: &[EpochReport]) -> impl Iterator<Item = (i64, &BTreeMap<String, f64>)> {
    reports.iter().filter(|r| !r.metrics.is_empty()).map(|r| (r.step, &r.metrics))
}

/// Returns the state and values to store, from the result and the intermediate values.
pub(crate) fn stored_result(
    state: FinishedState,
    finished: &Finished,
    last_intermediate: impl FnOnce() -> Option<f64>,
) -> (TrialState, Vec<f64>) {
    let is_number = |value: &f64| !value.is_nan();
    match state {
        FinishedState::Complete if !finished.values.is_empty() && finished.values.iter().all(is_number) => {
            (TrialState::Complete, finished.values.clone())
        }
        FinishedState::Complete | FinishedState::Failed => (TrialState::Failed, Vec::new()),
        FinishedState::Pruned => {
            (TrialState::Pruned, last_intermediate().filter(is_number).into_iter().collect())
        }
    }
}
