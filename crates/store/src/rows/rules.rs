//! Rules shared by both interfaces and both databases.

use allometry_core::{Direction, TrialState};

use super::{Database, ReadRows, Result, TrialStatus, WriteRows};
use crate::distribution;
use crate::error::StoreError;
use crate::from_rows::Malformed;
use crate::optuna::check;
use crate::optuna::record::TrialTemplate;
use crate::optuna::study_with_trials::StudyWithTrials;
use crate::store::{StudyId, TrialId};

/// Returns the status of a trial, which must be running.
pub(crate) fn running(trial: TrialId, found: Option<TrialStatus>) -> Result<TrialStatus> {
    let status = found.ok_or(StoreError::UnknownTrial(trial))?;
    if status.state != TrialState::Running {
        return Err(StoreError::NotRunning { number: status.number, state: status.state }.into());
    }
    Ok(status)
}

/// Returns the status of a trial, which must not have ended.
pub(crate) fn unfinished(trial: TrialId, found: Option<TrialStatus>) -> Result<TrialStatus> {
    let status = found.ok_or(StoreError::UnknownTrial(trial))?;
    if status.state.is_finished() {
        return Err(StoreError::NotRunning { number: status.number, state: status.state }.into());
    }
    Ok(status)
}

/// Whether an unfinished trial may get a state: it can start to run only from the queue.
pub(crate) fn may_become(before: TrialState, after: TrialState) -> bool {
    after != TrialState::Running || before == TrialState::Waiting
}

/// Inserts a study with a new name.
pub(crate) fn insert_study(
    rows: &mut dyn WriteRows,
    name: &str,
    directions: &[Direction],
) -> Result<StudyId> {
    let made = rows.insert_study(name, directions)?;
    Ok(made.ok_or_else(|| StoreError::NameTaken { name: name.into() })?)
}

/// Checks that a distribution is compatible with the stored one of its parameter, and returns the stored
/// text.
///
/// # Errors
/// [`StoreError::IncompatibleDistribution`]; [`Malformed`] if the stored text cannot be parsed.
pub(super) fn require_fitting(
    rows: &mut dyn ReadRows,
    study: StudyId,
    name: &str,
    given: &str,
) -> Result<Option<String>> {
    let stored = rows.stored_distribution(study, name)?;
    if let Some(stored) = stored.as_ref().filter(|stored| !check::compatible(stored, given)) {
        distribution::parse(stored)
            .map_err(|problem| Malformed::new(format!("parameter `{name}`"), problem))?;
        let (parameter, stored, given) = (name.into(), stored.clone(), given.into());
        return Err(StoreError::IncompatibleDistribution { parameter, stored, given }.into());
    }
    Ok(stored)
}

fn invalid(field: &str, problem: &str) -> StoreError {
    StoreError::Invalid { field: field.into(), problem: problem.into() }
}

/// Checks name and directions of a new study.
pub(crate) fn check_study<D: Database>(name: &str, directions: &[Direction]) -> Result<(), StoreError> {
    D::check_text("study's name", name)?;
    check::name("study's name", name)?;
    if directions.is_empty() {
        return Err(invalid("directions", "a study has at least one"));
    }
    Ok(())
}

/// Checks an attribute.
pub(crate) fn check_attribute<D: Database>(key: &str, json: &str) -> Result<(), StoreError> {
    D::check_text("attribute's key", key)?;
    check::attribute(key, json)
}

/// Checks a parameter with its number and distribution.
pub(crate) fn check_param<D: Database>(name: &str, internal: f64, given: &str) -> Result<(), StoreError> {
    D::check_text("parameter's name", name)?;
    check::parameter(name, internal, given)
}

/// Checks the values of a trial.
pub(crate) fn check_values(values: &[f64]) -> Result<(), StoreError> {
    if values.iter().any(|value| value.is_nan()) {
        return Err(invalid("values", "NaN is not a result; a trial without a result fails"));
    }
    Ok(())
}

/// Checks the initial contents of a trial.
pub(crate) fn check_template<D: Database>(template: &TrialTemplate) -> Result<(), StoreError> {
    check_values(&template.values)?;
    for (name, internal, distribution) in &template.params {
        check_param::<D>(name, *internal, distribution)?;
    }
    for (key, json) in template.user_attributes.iter().chain(&template.system_attributes) {
        check_attribute::<D>(key, json)?;
    }
    template.intermediate.keys().try_for_each(|step| D::check_step(*step))
}

/// Checks a study with its trials.
pub(crate) fn check_study_with_trials<D: Database>(whole: &StudyWithTrials) -> Result<(), StoreError> {
    check_study::<D>(&whole.name, &whole.directions)?;
    for (key, json) in whole.attributes().into_iter().flat_map(|(_, attributes)| attributes) {
        check_attribute::<D>(key, json)?;
    }
    for (number, trial) in whole.trials.iter().enumerate() {
        check_template::<D>(&trial.template).map_err(|error| error.in_trial(number))?;
    }
    Ok(())
}
