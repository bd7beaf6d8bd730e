//! The interface to a storage of Optuna's.

use std::collections::BTreeMap;
use std::fmt;

use allometry_core::{Direction, TrialState};

use super::record::{AttributeKind, OptunaStudy, TrialSink, TrialTemplate};
use super::study_with_trials::StudyWithTrials;
use crate::error::StoreError;
use crate::id::{StudyId, TrialId};
use crate::late::LateResult;

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
    fn create_study_with_trials(&self, study: &StudyWithTrials) -> Result<StudyId, StoreError>;
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
    fn record_late(&self, trial: TrialId, late: &LateResult) -> Result<(), StoreError>;
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
