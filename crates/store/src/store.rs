//! The one interface to everything that keeps trials.

use std::collections::BTreeMap;
use std::fmt;
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
use crate::late::LateTell;
use crate::location::Location;
use crate::owner::Owner;

/// Key of a study within its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyId(pub i64);

/// Key of a trial within its store, over all studies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub i64);

impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A study to create.
#[derive(Debug, Clone, Default)]
pub struct NewStudy {
    /// Name, unique in the store.
    pub name: String,
    /// Which values of the first objective are better.
    pub direction: Direction,
    /// Directions of the objectives after the first.
    pub further: Vec<Direction>,
    /// Names of all objectives, as Optuna's `set_metric_names` keeps them; may be empty.
    pub metric_names: Vec<String>,
    /// The search space, which says which lists are ordinal when trials are read back.
    pub space: SearchSpace,
    /// What it says of itself.
    pub facts: Vec<Fact>,
}

/// A study as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRecord {
    /// Key.
    pub id: StudyId,
    /// Name.
    pub name: String,
    /// Which values of the first objective are better.
    pub direction: Direction,
    /// Directions of the objectives after the first.
    pub further: Vec<Direction>,
    /// The search space, if Allometry made the study.
    pub space: Option<SearchSpace>,
    /// What it says of itself, as far as that can be read.
    pub facts: StudyFacts,
    /// Allometry's own attributes, without the prefix `allometry:`.
    pub attributes: BTreeMap<String, Value>,
    /// Foreign user attributes: JSON text as Python wrote it.
    pub user_attributes: BTreeMap<String, String>,
    /// Foreign system attributes: JSON text as Python wrote it.
    pub system_attributes: BTreeMap<String, String>,
    /// Which of Allometry's own attributes cannot be read, and why; such a study is neither analysed nor
    /// continued.
    pub unreadable: Option<String>,
}

impl StudyRecord {
    /// Checks that all of Allometry's own attributes can be read; `store` is the store's place for messages.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] where one cannot.
    pub fn check_readable(&self, store: &str) -> Result<(), StoreError> {
        self.unreadable.as_ref().map_or(Ok(()), |why| {
            Err(StoreError::Malformed {
                location: Location::Server(store.to_owned()),
                place: format!("study `{}`", self.name),
                problem: why.clone(),
            })
        })
    }

    /// Which values are better, for each objective.
    pub fn directions(&self) -> Vec<Direction> {
        std::iter::once(self.direction).chain(self.further.iter().copied()).collect()
    }

    /// Names of the objectives, where somebody gave each of them one.
    pub fn metric_names(&self) -> Option<Vec<String>> {
        let names = json::parse(self.system_attributes.get(METRIC_NAMES)?).ok()?;
        let names = names.as_array()?.iter().map(|name| name.as_str().map(Into::into));
        names.collect::<Option<Vec<String>>>().filter(|names| names.len() == 1 + self.further.len())
    }
}

/// System attribute in which Optuna keeps the names of objectives.
pub(crate) const METRIC_NAMES: &str = "study:metric_names";

/// How a trial begins.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// In the queue, until somebody claims it.
    Waiting,
    /// At once, by a process.
    Running(&'a Owner),
    /// At once, by another program that tells the result some time, however late.
    Asked,
}

/// A trial to create.
#[derive(Debug, Clone, Copy)]
pub struct NewTrial<'a> {
    /// How it begins.
    pub start: Start<'a>,
    /// Its configuration.
    pub params: &'a Params,
    /// The distribution of each parameter; may have more than `params`.
    pub space: &'a SearchSpace,
    /// Its record as far as it is known: seed, origin, size.
    pub record: &'a TrialRecord,
}

/// A trial that may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialHandle {
    /// Key.
    pub id: TrialId,
    /// Position in its study.
    pub number: TrialNumber,
}

/// How a trial may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishedState {
    /// With a value.
    Complete,
    /// Early.
    Pruned,
    /// Without a value.
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

/// How a trial ended.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Value of a complete trial's first objective. Ignored for pruned and failed ones.
    pub value: Option<f64>,
    /// Values of a complete trial's objectives after the first.
    pub further: Vec<f64>,
    /// Its constraints; a failed trial has them too.
    pub constraints: Constraints,
    /// Epochs that were not reported yet.
    pub reports: Vec<EpochReport>,
    /// The whole record; replaces what the trial started with.
    pub record: TrialRecord,
    /// Predictions on the validation rows.
    pub predictions: Option<Predictions>,
    /// The end of the evaluation's log.
    pub log: Option<String>,
}

/// A trial somebody works on, or worked on before the process ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningTrial {
    /// The trial.
    pub handle: TrialHandle,
    /// The process; `None` for a trial of Optuna.
    pub owner: Option<Owner>,
    /// Time since the last heartbeat by the clocks of who wrote and who reads; `None` where there never was
    /// one.
    pub heartbeat_age: Option<Duration>,
    /// When the last heartbeat was, by the clock of who wrote it: clocks may be set, so that it tells but one
    /// from the next.
    pub heartbeat: Option<Timestamp>,
}

/// Trials that follow each other in a study.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialPage {
    /// The trials by number.
    pub trials: Vec<FrozenTrial>,
    /// The last of them, after which the next page begins; `None` where there is none.
    pub last: Option<TrialId>,
}

/// Data of a trial that Optuna's tables have no place for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    /// Predictions on the validation rows.
    pub predictions: Option<Predictions>,
    /// Metrics of each epoch beyond its intermediate value.
    pub epoch_metrics: EpochMetrics,
    /// The end of the evaluation's log.
    pub log: Option<String>,
    /// Results that were told after it had ended.
    pub late_tells: Vec<LateTell>,
}

/// Trials of which [`each_trial`] has so many in memory at a time.
const PAGE: usize = 1000;

/// Calls `take` with every trial of a study by number, of which a page is in memory at a time.
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

/// Every metric by name, by epoch.
pub type EpochMetrics = BTreeMap<i64, BTreeMap<String, f64>>;

/// Keeps studies and their trials. Shared by all threads; every call blocks until its effect is kept.
///
/// # Contract
/// - Numbers of a study's trials are 0, 1, 2, ... without gap or repetition, whoever creates them
///   concurrently; a trial of a study becomes visible after all those with smaller numbers.
/// - A trial is `Waiting`, then `Running`, then `Complete`, `Pruned` or `Failed`, and never changes again. Of
///   several callers who claim or finish the same trial one succeeds.
/// - What a call was answered for survives the end of the process at any later moment; a call that failed or
///   was cut off has left either its whole effect or none. Creating and finishing a trial is one commit each.
/// - Read back, a trial equals what was told: values, parameters with their kind (integers of a float range
///   become floats), intermediate values including NaN and infinities; times are kept to the microsecond.
///
/// # Errors
/// Every call can fail with [`StoreError`]: of kind `NotFound` for a study or trial that does not exist,
/// `Conflict` where the contract forbids the call, `Unavailable` where the storage cannot be used.
pub trait Store: Send + Sync {
    /// Returns a text that identifies the storage, without a password. It is the same whenever this storage
    /// is opened, and another for copies of it. A SQLite file that was moved is another storage.
    ///
    /// # Errors
    /// See the trait.
    fn place(&self) -> Result<String, StoreError>;

    /// Checks that the storage is still the one that was opened: writes to a file that was removed or
    /// replaced succeed and are lost.
    ///
    /// # Errors
    /// [`StoreError::Departed`].
    fn still_there(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Makes a study.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] if there is one of that name.
    fn create_study(&self, study: &NewStudy) -> Result<StudyId, StoreError>;

    /// All studies, oldest first.
    ///
    /// # Errors
    /// See the trait.
    fn studies(&self) -> Result<Vec<StudyRecord>, StoreError>;

    /// The study of that name.
    ///
    /// # Errors
    /// See the trait.
    fn study(&self, name: &str) -> Result<Option<StudyRecord>, StoreError>;

    /// Has a study say these facts of itself, in one commit. Others that it says stay.
    ///
    /// # Errors
    /// See the trait.
    fn set_facts(&self, study: StudyId, facts: &[Fact]) -> Result<(), StoreError>;

    /// Makes a trial.
    ///
    /// # Errors
    /// [`StoreError::UnknownParameter`] or [`StoreError::OutsideDistribution`] for parameters that do not fit
    /// the space, [`StoreError::IncompatibleDistribution`] if the study has trials in which a parameter is of
    /// another kind.
    fn create_trial(&self, study: StudyId, trial: &NewTrial<'_>) -> Result<TrialHandle, StoreError>;

    /// Makes a trial whose number must become `number`; `None`, and no trial, if others were made meanwhile.
    /// A caller who chose the trial by the study's contents then chooses anew.
    ///
    /// # Errors
    /// As [`Self::create_trial`].
    fn create_trial_at(
        &self,
        study: StudyId,
        trial: &NewTrial<'_>,
        number: TrialNumber,
    ) -> Result<Option<TrialHandle>, StoreError>;

    /// Gives a running trial those of `params` that it lacks, and its record.
    ///
    /// # Errors
    /// [`StoreError::NotRunning`]; as [`Self::create_trial`] for parameters that do not fit.
    fn complete_params(
        &self,
        trial: TrialId,
        params: &Params,
        space: &SearchSpace,
        record: &TrialRecord,
    ) -> Result<(), StoreError>;

    /// Makes the first waiting trial of a study a running one; `None` if none waits. Without an `owner` it is
    /// one that another program asked for.
    ///
    /// A trial that was enqueued through Optuna keeps only those of its fixed parameters that the study's
    /// space has.
    ///
    /// # Errors
    /// See the trait.
    fn claim_waiting(
        &self,
        study: StudyId,
        owner: Option<&Owner>,
    ) -> Result<Option<(TrialHandle, FrozenTrial)>, StoreError>;

    /// Records epochs of a running trial; a step reported before is replaced.
    ///
    /// # Errors
    /// [`StoreError::NotRunning`].
    fn report(&self, trial: TrialId, reports: &[EpochReport]) -> Result<(), StoreError>;

    /// Ends a running trial.
    ///
    /// As in Optuna, a complete trial without a value, or with NaN in one, becomes a failed one; a pruned
    /// trial takes its last intermediate value (none if that is NaN); a failed one has no value. Returns the
    /// state that was stored.
    ///
    /// # Errors
    /// [`StoreError::NotRunning`] if somebody else ended it.
    fn finish(
        &self,
        trial: TrialId,
        state: FinishedState,
        finished: &Finished,
    ) -> Result<TrialState, StoreError>;

    /// Keeps what is told of a trial that somebody else has ended, beside the trial, which stays as it is;
    /// nothing where the trial is gone, or refused so often before that one more says nothing new.
    ///
    /// # Errors
    /// See the trait.
    fn record_late(&self, trial: TrialId, late: &LateTell) -> Result<(), StoreError>;

    /// Says that the trials are still being worked on, in one commit; those that ended meanwhile are passed
    /// over.
    ///
    /// # Errors
    /// See the trait.
    fn heartbeat(&self, trials: &[TrialId]) -> Result<(), StoreError>;

    /// The running trials of a study by number, and who works on them.
    ///
    /// # Errors
    /// See the trait.
    fn running(&self, study: StudyId) -> Result<Vec<RunningTrial>, StoreError>;

    /// The trials of a study from number `first` on, by number. As finished trials never change, a reader who
    /// keeps them asks again from the first unfinished one.
    ///
    /// # Errors
    /// See the trait.
    fn trials_from(&self, study: StudyId, first: TrialNumber) -> Result<Vec<FrozenTrial>, StoreError>;

    /// At most `limit` trials of a study by number: the first ones, or those after another page's last.
    ///
    /// # Errors
    /// See the trait.
    fn trials_page(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        limit: usize,
    ) -> Result<TrialPage, StoreError>;

    /// Predictions on the validation rows of the trials from number `first` on that left some.
    ///
    /// # Errors
    /// See the trait.
    fn predictions_from(
        &self,
        study: StudyId,
        first: TrialNumber,
    ) -> Result<BTreeMap<TrialNumber, Predictions>, StoreError>;

    /// Data of a study's trials that Optuna's tables have no place for, by trial; trials without any are left
    /// out.
    ///
    /// # Errors
    /// See the trait.
    fn beside(&self, study: StudyId) -> Result<BTreeMap<TrialNumber, Beside>, StoreError>;

    /// All trials of a study by number.
    ///
    /// # Errors
    /// See the trait.
    fn trials(&self, study: StudyId) -> Result<Vec<FrozenTrial>, StoreError> {
        self.trials_from(study, TrialNumber(0))
    }

    /// Predictions on the validation rows, where the trial left some.
    ///
    /// # Errors
    /// See the trait.
    fn predictions(&self, study: StudyId, number: TrialNumber) -> Result<Option<Predictions>, StoreError>;

    /// The end of what the trial's evaluation wrote for people, where it has ended and wrote something.
    ///
    /// # Errors
    /// See the trait.
    fn log(&self, study: StudyId, number: TrialNumber) -> Result<Option<String>, StoreError>;

    /// Results that were told after the trial had ended, in the order in which they were refused.
    ///
    /// # Errors
    /// See the trait.
    fn late_tells(&self, study: StudyId, number: TrialNumber) -> Result<Vec<LateTell>, StoreError>;

    /// Metrics of each epoch of a trial beyond its intermediate values.
    ///
    /// # Errors
    /// See the trait.
    fn epoch_metrics(&self, study: StudyId, number: TrialNumber) -> Result<EpochMetrics, StoreError>;
}

/// Metrics of reports that have any, by epoch.
pub(crate) fn metrics_of(reports: &[EpochReport]) -> impl Iterator<Item = (i64, &BTreeMap<String, f64>)> {
    reports.iter().filter(|r| !r.metrics.is_empty()).map(|r| (r.step, &r.metrics))
}

/// State and values that a trial is stored with, from what was told and its intermediate values.
pub(crate) fn settle(
    state: FinishedState,
    finished: &Finished,
    last_intermediate: impl FnOnce() -> Option<f64>,
) -> (TrialState, Vec<f64>) {
    let number = |value: Option<f64>| value.filter(|v| !v.is_nan());
    match state {
        FinishedState::Complete => match number(finished.value) {
            Some(value) if finished.further.iter().all(|v| !v.is_nan()) => {
                let further = finished.further.iter().copied();
                (TrialState::Complete, std::iter::once(value).chain(further).collect())
            }
            _ => (TrialState::Failed, Vec::new()),
        },
        FinishedState::Pruned => (TrialState::Pruned, number(last_intermediate()).into_iter().collect()),
        FinishedState::Failed => (TrialState::Failed, Vec::new()),
    }
}
