//! Implementation of [`OptunaStorage`] over row operations.

use std::borrow::Cow;
use std::collections::BTreeMap;

use allometry_core::{Direction, TrialState};

use crate::column;
use crate::error::StoreError;
use crate::from_rows;
use crate::late::LateResult;
use crate::optuna::record::{AttributeKind, OptunaStudy, TrialSink, TrialTemplate};
use crate::optuna::storage::OptunaStorage;
use crate::optuna::study_with_trials::StudyWithTrials;
use crate::rows::{
    Attributes, Database, Fitted, ParamRow, Parts, Result, Target, Times, Wanted, WriteRows, check_attribute,
    check_param, check_study, check_study_with_trials, check_template, check_values, insert_study, lock,
    unfinished, write_fitting,
};
use crate::store::{StudyId, TrialExtras, TrialId};

/// A database as an [`OptunaStorage`].
#[derive(Debug)]
pub(crate) struct AsOptuna<D>(pub(crate) D);

impl<D: Database> AsOptuna<D> {
    /// Returns an error if the study does not exist, else the result of a check of the call's arguments.
    fn study_then(&self, study: StudyId, checked: Result<(), StoreError>) -> Result<(), StoreError> {
        if checked.is_err() {
            self.0.read_once(|rows| rows.require_study(study))?;
        }
        checked
    }

    /// Returns an error if the trial does not exist or has ended, else the result of a check of the call's
    /// arguments.
    fn trial_then(&self, trial: TrialId, checked: Result<(), StoreError>) -> Result<(), StoreError> {
        if checked.is_err() {
            self.0.read_once(|rows| unfinished(trial, rows.status(trial)?).map(drop))?;
        }
        checked
    }

    /// Refuses a complete trial whose number of values differs from the study's number of objectives: Optuna
    /// cannot read such a study.
    fn check_count(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<(), StoreError> {
        if state != TrialState::Complete {
            return Ok(());
        }
        let known = lock(self.0.known()).objectives(trial);
        let objectives = known.map_or_else(|| self.objectives(trial), Ok)?;
        if objectives == values.len() {
            return Ok(());
        }
        let problem = format!("expected one per objective ({objectives}), found {}", values.len());
        Err(StoreError::Invalid { field: "values".into(), problem })
    }

    /// Returns the number of objectives of an unfinished trial, and caches it.
    fn objectives(&self, trial: TrialId) -> Result<usize, StoreError> {
        let (study, objectives) = self.0.read_once(|rows| {
            let study = unfinished(trial, rows.status(trial)?)?.study;
            Ok((study, rows.directions(study)?.len()))
        })?;
        let mut known = lock(self.0.known());
        known.remember(trial, study);
        known.remember_objectives(study, objectives);
        Ok(objectives)
    }

    /// Writes rows of an unfinished trial.
    fn write_open(&self, trial: TrialId, parts: &Parts<'_>) -> Result<(), StoreError> {
        self.0.write_open(trial, None, parts).map(drop)
    }
}

impl<D: Database> OptunaStorage for AsOptuna<D> {
    fn is_remote(&self) -> bool {
        D::IS_REMOTE
    }

    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, StoreError> {
        check_study::<D>(name, directions)?;
        self.0.write(|rows| insert_study(rows, name, directions))
    }

    fn create_study_with_trials(&self, study: &StudyWithTrials) -> Result<StudyId, StoreError> {
        check_study_with_trials::<D>(study)?;
        write_fitting(&self.0, |rows, fitted| insert_study_with_trials(rows, study, fitted))
    }

    fn delete_study(&self, study: StudyId) -> Result<(), StoreError> {
        self.0.write(|rows| rows.delete_study(study))?;
        lock(self.0.known()).forget(study);
        Ok(())
    }

    fn set_study_attribute(
        &self,
        study: StudyId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError> {
        self.study_then(study, check_attribute::<D>(key, json))?;
        let attributes = Attributes::from([(key.to_owned(), json.to_owned())]);
        self.0.set_attributes(study, kind, &attributes)
    }

    fn study_id(&self, name: &str) -> Result<StudyId, StoreError> {
        let found = self.0.read_once(|rows| rows.study_id(name))?;
        found.ok_or_else(|| StoreError::UnknownStudyName { name: name.into() })
    }

    fn study_name(&self, study: StudyId) -> Result<String, StoreError> {
        self.0.read_once(|rows| rows.study_name(study))?.ok_or(StoreError::UnknownStudy(study))
    }

    fn study_directions(&self, study: StudyId) -> Result<Vec<Direction>, StoreError> {
        self.0.read_once(|rows| rows.directions(study))
    }

    fn study_attributes(
        &self,
        study: StudyId,
        kind: AttributeKind,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        self.0.read(|rows| {
            rows.require_study(study)?;
            rows.study_attributes(study, kind)
        })
    }

    fn studies(&self) -> Result<Vec<OptunaStudy>, StoreError> {
        self.0.read(|rows| rows.studies(None))
    }

    fn create_trial(&self, study: StudyId, template: Option<&TrialTemplate>) -> Result<TrialId, StoreError> {
        self.study_then(study, template.map_or(Ok(()), check_template::<D>))?;
        let trial = write_fitting(&self.0, |rows, fitted| match template {
            Some(template) => insert_template(rows, study, template, &TrialExtras::default(), fitted),
            None => insert_trial(rows, study, (TrialState::Running, Times::Now), &Parts::default()),
        })?;
        lock(self.0.known()).remember(trial, study);
        Ok(trial)
    }

    fn set_param(
        &self,
        trial: TrialId,
        name: &str,
        internal: f64,
        distribution: &str,
    ) -> Result<(), StoreError> {
        self.trial_then(trial, check_param::<D>(name, internal, distribution))?;
        let param: [ParamRow; 1] = [(name.into(), internal, distribution.into())];
        let parts = Parts { params: Cow::Borrowed(&param), ..Parts::default() };
        if lock(self.0.known()).fits(trial, name, distribution) {
            return self.write_open(trial, &parts);
        }
        let study = write_fitting(&self.0, |rows, fitted| {
            let study = rows.lock_params(trial)?.study;
            fitted.require(rows, study, name, distribution)?;
            rows.write(Target::Locked(trial), &parts)?;
            Ok(study)
        })?;
        lock(self.0.known()).remember(trial, study);
        Ok(())
    }

    fn trial_id(&self, study: StudyId, number: i64) -> Result<TrialId, StoreError> {
        let found = self.0.read_once(|rows| rows.trial_id(study, number))?;
        found.ok_or(StoreError::UnknownTrialNumber { study, number })
    }

    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool, StoreError> {
        self.trial_then(trial, check_values(values))?;
        self.trial_then(trial, self.check_count(trial, state, values))?;
        self.0.write_open(trial, Some(state), &Parts { values: values.into(), ..Parts::default() })
    }

    fn record_late(&self, trial: TrialId, late: &LateResult) -> Result<(), StoreError> {
        self.0.write(|rows| rows.insert_late(trial, late))
    }

    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<(), StoreError> {
        self.trial_then(trial, D::check_step(step))?;
        let intermediate = Cow::Owned(BTreeMap::from([(step, value)]));
        self.write_open(trial, &Parts { intermediate, ..Parts::default() })
    }

    fn set_trial_attribute(
        &self,
        trial: TrialId,
        kind: AttributeKind,
        key: &str,
        json: &str,
    ) -> Result<(), StoreError> {
        self.trial_then(trial, check_attribute::<D>(key, json))?;
        let attributes = Cow::Owned(BTreeMap::from([(key.to_owned(), json.to_owned())]));
        let parts = match kind {
            AttributeKind::User => Parts { user_attributes: attributes, ..Parts::default() },
            AttributeKind::System => Parts { system_attributes: attributes, ..Parts::default() },
        };
        self.write_open(trial, &parts)
    }

    fn trial(&self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<(), StoreError> {
        self.0.read_once(|rows| {
            sink.restart();
            rows.tell_trial(trial, sink)
        })
    }

    fn trials(
        &self,
        study: StudyId,
        after: TrialId,
        included: &[TrialId],
        sink: &mut dyn TrialSink,
    ) -> Result<(), StoreError> {
        self.0.tell_trials(Wanted { study, after, included }, sink)
    }
}

/// Inserts a checked study with its trials.
fn insert_study_with_trials(
    rows: &mut dyn WriteRows,
    whole: &StudyWithTrials,
    fitted: &mut Fitted<'_>,
) -> Result<StudyId> {
    let study = insert_study(rows, &whole.name, &whole.directions)?;
    for (kind, attributes) in whole.attributes() {
        rows.set_study_attributes(study, kind, attributes)?;
    }
    for trial in &whole.trials {
        let made = insert_template(rows, study, &trial.template, &trial.extras, fitted)?;
        for late in &trial.extras.late_results {
            rows.insert_late(made, late)?;
        }
    }
    Ok(study)
}

/// Inserts a trial from a checked template, with Allometry's own data.
fn insert_template(
    rows: &mut dyn WriteRows,
    study: StudyId,
    template: &TrialTemplate,
    extras: &TrialExtras,
    fitted: &mut Fitted<'_>,
) -> Result<TrialId> {
    for (name, _, distribution) in &template.params {
        fitted.require(rows, study, name, distribution)?;
    }
    let metrics = extras.epoch_metrics.iter();
    let parts = Parts {
        params: Cow::Borrowed(&template.params),
        values: Cow::Borrowed(&template.values),
        intermediate: Cow::Borrowed(&template.intermediate),
        user_attributes: Cow::Borrowed(&template.user_attributes),
        system_attributes: Cow::Borrowed(&template.system_attributes),
        owner: None,
        metrics: metrics.map(|(step, metrics)| (*step, from_rows::metrics_json(metrics))).collect(),
        predictions: extras.predictions.as_ref().map(column::of_predictions),
        log: extras.log.as_deref(),
    };
    let times = Times::Known { started: template.started, completed: template.completed };
    insert_trial(rows, study, (template.state, times), &parts)
}

/// Inserts a trial under the study's next number.
fn insert_trial(
    rows: &mut dyn WriteRows,
    study: StudyId,
    (state, times): (TrialState, Times),
    parts: &Parts<'_>,
) -> Result<TrialId> {
    let number = rows.lock_numbers(study)?;
    let made = rows.write(Target::New { study, number, state, times }, parts)?;
    Ok(made.expect("a new trial is made"))
}
