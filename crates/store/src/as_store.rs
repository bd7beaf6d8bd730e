//! Implementation of [`Store`] over row operations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use allometry_core::{
    EpochReport, FrozenTrial, Params, Predictions, SearchSpace, TrialNumber, TrialRecord, TrialState,
};
use serde_json::Value;

use crate::column;
use crate::error::StoreError;
use crate::facts::{self, Fact};
use crate::from_rows;
use crate::json;
use crate::late::LateResult;
use crate::optuna::record::AttributeKind;
use crate::own_attribute::{EXACT_KEY, OWN_PREFIX, RECORD_KEY, SPACE_KEY, space_json};
use crate::owner::Owner;
use crate::rows::{
    Attributes, Database, Fitted, OwnRow, OwnTable, Parts, Result, Selection, Target, Times, WriteRows,
    insert_study, running, write_fitting,
};
use crate::store::{
    EpochMetrics, Finished, FinishedState, NewStudy, NewTrial, RunningTrial, Start, Store, StudyId,
    StudyRecord, TrialExtras, TrialHandle, TrialId, TrialPage, metrics_of, stored_result,
};

impl<D: Database> Store for D {
    fn place(&self) -> Result<String, StoreError> {
        self.address()
    }

    fn check_present(&self) -> Result<(), StoreError> {
        self.check_present()
    }

    fn create_study(&self, study: &NewStudy) -> Result<StudyId, StoreError> {
        let space = space_json(&study.space);
        let facts = facts::attributes(&study.facts);
        let facts = facts.iter().map(|(key, value)| (*key, value));
        let own: Attributes = [(SPACE_KEY, &space)].into_iter().chain(facts).map(own_attribute).collect();
        let names: Attributes = from_rows::metric_names(&study.metric_names).into_iter().collect();
        self.write(|rows| {
            let id = insert_study(rows, &study.name, &study.directions)?;
            rows.set_study_attributes(id, AttributeKind::System, &names)?;
            rows.set_study_attributes(id, AttributeKind::User, &own)?;
            Ok(id)
        })
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StoreError> {
        Ok(self.read(|rows| rows.studies(None))?.into_iter().map(from_rows::study).collect())
    }

    fn study(&self, name: &str) -> Result<Option<StudyRecord>, StoreError> {
        Ok(self.read(|rows| rows.studies(Some(name)))?.pop().map(from_rows::study))
    }

    fn set_facts(&self, study: StudyId, facts: &[Fact]) -> Result<(), StoreError> {
        let attributes = facts::attributes(facts);
        let own: Attributes = attributes.iter().map(|(key, value)| own_attribute((*key, value))).collect();
        self.set_attributes(study, AttributeKind::User, &own)
    }

    fn create_trial(&self, study: StudyId, new: &NewTrial<'_>) -> Result<TrialHandle, StoreError> {
        let made = create(self, study, new, None)?;
        Ok(made.expect("a trial of any number is made"))
    }

    fn create_trial_at(
        &self,
        study: StudyId,
        new: &NewTrial<'_>,
        number: TrialNumber,
    ) -> Result<Option<TrialHandle>, StoreError> {
        create(self, study, new, Some(number))
    }

    fn complete_params(
        &self,
        trial: TrialId,
        params: &Params,
        space: &SearchSpace,
        record: &TrialRecord,
    ) -> Result<(), StoreError> {
        write_fitting(self, |rows, fitted| {
            let study = running(trial, rows.lock_trial(trial)?)?.study;
            let missing = from_rows::missing(params, &rows.param_names(trial)?);
            let parts = Parts {
                params: fitted.params(rows, study, &missing, space)?.into(),
                user_attributes: Cow::Owned(record_and_exact(record, params)),
                ..Parts::default()
            };
            rows.write(Target::Locked(trial), &parts)?;
            forget_empty(rows, trial, record)
        })
    }

    fn claim_waiting(
        &self,
        study: StudyId,
        owner: Option<&Owner>,
    ) -> Result<Option<(TrialHandle, FrozenTrial)>, StoreError> {
        write_fitting(self, |rows, fitted| {
            rows.require_study(study)?;
            let Some(handle) = rows.claim(study)? else { return Ok(None) };
            rows.write(Target::Locked(handle.id), &Parts { owner, ..Parts::default() })?;
            place_fixed(rows, study, handle, fitted)?;
            let claimed = rows.trials(study, Selection::From(handle.number))?.trials.into_iter().next();
            Ok(claimed.map(|trial| (handle, trial)))
        })
    }

    fn report(&self, trial: TrialId, reports: &[EpochReport]) -> Result<(), StoreError> {
        if reports.is_empty() {
            return Ok(());
        }
        self.write(|rows| {
            running(trial, rows.lock_trial(trial)?)?;
            rows.write(Target::Locked(trial), &report_parts(reports))?;
            Ok(())
        })
    }

    fn finish(
        &self,
        trial: TrialId,
        state: FinishedState,
        finished: &Finished,
    ) -> Result<TrialState, StoreError> {
        self.write(|rows| {
            running(trial, rows.lock_trial(trial)?)?;
            rows.write(Target::Locked(trial), &report_parts(&finished.reports))?;
            let last = match state {
                FinishedState::Pruned => rows.last_intermediate(trial)?,
                FinishedState::Complete | FinishedState::Failed => None,
            };
            let (state, values) = stored_result(state, finished, || last);
            let parts = Parts {
                values: values.into(),
                user_attributes: Cow::Owned(from_rows::record_attributes(&finished.record)),
                system_attributes: Cow::Owned(finished.constraints.attributes().into_iter().collect()),
                predictions: finished.predictions.as_ref().map(column::of_predictions),
                log: finished.log.as_deref(),
                ..Parts::default()
            };
            rows.write(Target::Into(trial, state), &parts)?;
            forget_empty(rows, trial, &finished.record)?;
            Ok(state)
        })
    }

    fn record_late(&self, trial: TrialId, late: &LateResult) -> Result<(), StoreError> {
        self.write(|rows| rows.insert_late(trial, late))
    }

    fn heartbeat(&self, trials: &[TrialId]) -> Result<(), StoreError> {
        self.write(|rows| rows.beat(trials))
    }

    fn running(&self, study: StudyId) -> Result<Vec<RunningTrial>, StoreError> {
        self.read(|rows| {
            rows.require_study(study)?;
            rows.running(study)
        })
    }

    fn trials_from(&self, study: StudyId, first: TrialNumber) -> Result<Vec<FrozenTrial>, StoreError> {
        Ok(select(self, study, Selection::From(first))?.trials)
    }

    fn trials_page(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        limit: usize,
    ) -> Result<TrialPage, StoreError> {
        select(self, study, Selection::Page { after, limit })
    }

    fn predictions_from(
        &self,
        study: StudyId,
        first: TrialNumber,
    ) -> Result<BTreeMap<TrialNumber, Predictions>, StoreError> {
        let all = own(self, study, first..=LAST, &[OwnTable::Predictions])?;
        Ok(all.into_iter().filter_map(|(number, kept)| Some((number, kept.predictions?))).collect())
    }

    fn extras(&self, study: StudyId) -> Result<BTreeMap<TrialNumber, TrialExtras>, StoreError> {
        own(self, study, TrialNumber(0)..=LAST, &OwnTable::ALL)
    }

    fn predictions(&self, study: StudyId, number: TrialNumber) -> Result<Option<Predictions>, StoreError> {
        Ok(own_of(self, study, number, OwnTable::Predictions)?.predictions)
    }

    fn log(&self, study: StudyId, number: TrialNumber) -> Result<Option<String>, StoreError> {
        Ok(own_of(self, study, number, OwnTable::Logs)?.log)
    }

    fn late_results(&self, study: StudyId, number: TrialNumber) -> Result<Vec<LateResult>, StoreError> {
        Ok(own_of(self, study, number, OwnTable::LateResults)?.late_results)
    }

    fn epoch_metrics(&self, study: StudyId, number: TrialNumber) -> Result<EpochMetrics, StoreError> {
        Ok(own_of(self, study, number, OwnTable::Metrics)?.epoch_metrics)
    }
}

/// Number above that of any trial.
const LAST: TrialNumber = TrialNumber(u64::MAX);

/// Key and text of one of Allometry's own attributes.
fn own_attribute((key, value): (&str, &Value)) -> (String, String) {
    (format!("{OWN_PREFIX}{key}"), json::write(value))
}

/// Creates a trial; returns `None` if its number differs from the wanted one.
fn create<D: Database>(
    db: &D,
    study: StudyId,
    new: &NewTrial<'_>,
    wanted: Option<TrialNumber>,
) -> Result<Option<TrialHandle>, StoreError> {
    let (state, owner) = match new.start {
        Start::Waiting => (TrialState::Waiting, None),
        Start::Running(owner) => (TrialState::Running, Some(owner)),
        Start::Asked => (TrialState::Running, None),
    };
    let mut queue = Attributes::new();
    if state == TrialState::Waiting {
        queue.insert("fixed_params".into(), from_rows::fixed_params_json(new.params));
    }
    write_fitting(db, |rows, fitted| {
        let number = rows.lock_numbers(study)?;
        if wanted.is_some_and(|wanted| wanted.0 != u64::from(number)) {
            return Ok(None);
        }
        let parts = Parts {
            params: fitted.params(rows, study, new.params, new.space)?.into(),
            user_attributes: Cow::Owned(record_and_exact(new.record, new.params)),
            system_attributes: Cow::Borrowed(&queue),
            owner,
            ..Parts::default()
        };
        let made = rows.write(Target::New { study, number, state, times: Times::Now }, &parts)?;
        let number = TrialNumber(number.into());
        Ok(made.map(|id| TrialHandle { id, number }))
    })
}

/// Sets the fixed parameters of a trial enqueued through Optuna, as far as the study's space contains them.
fn place_fixed(
    rows: &mut dyn WriteRows,
    study: StudyId,
    handle: TrialHandle,
    fitted: &mut Fitted<'_>,
) -> Result<()> {
    let Some(text) = rows.space(study)? else { return Ok(()) };
    let space = from_rows::space(study, &text)?;
    let first = rows.trials(study, Selection::From(handle.number))?.trials.into_iter().next();
    let Some(fitting) = first.and_then(|trial| from_rows::fitting(trial, &space)) else { return Ok(()) };
    let params = fitted.params(rows, study, &fitting, &space)?.into();
    rows.write(Target::Locked(handle.id), &Parts { params, ..Parts::default() })?;
    Ok(())
}

/// Returns the attributes of a record and of the integers beyond 2^53, which the parameter columns round.
fn record_and_exact(record: &TrialRecord, params: &Params) -> Attributes {
    let mut attributes = from_rows::record_attributes(record);
    attributes.extend(from_rows::exact_json(params).map(|text| (EXACT_KEY.to_owned(), text)));
    attributes
}

/// Deletes the record of a trial if the record that replaces it is empty.
fn forget_empty(rows: &mut dyn WriteRows, trial: TrialId, record: &TrialRecord) -> Result<()> {
    if *record == TrialRecord::default() { rows.delete_attribute(trial, RECORD_KEY) } else { Ok(()) }
}

/// Returns the rows of reports; of equal steps the last one counts.
fn report_parts(reports: &[EpochReport]) -> Parts<'static> {
    let by_step: BTreeMap<i64, f64> = reports.iter().map(|report| (report.step, report.value)).collect();
    let metrics = metrics_of(reports).map(|(step, metrics)| (step, from_rows::metrics_json(metrics)));
    Parts { intermediate: Cow::Owned(by_step), metrics: metrics.collect(), ..Parts::default() }
}

fn select<D: Database>(db: &D, study: StudyId, selection: Selection) -> Result<TrialPage, StoreError> {
    db.read(|rows| {
        rows.require_study(study)?;
        rows.trials(study, selection)
    })
}

/// Returns the rows of Allometry's own `tables` for the trials with these numbers.
fn own<D: Database>(
    db: &D,
    study: StudyId,
    numbers: RangeInclusive<TrialNumber>,
    tables: &[OwnTable],
) -> Result<BTreeMap<TrialNumber, TrialExtras>, StoreError> {
    db.read(|rows| {
        rows.require_study(study)?;
        let mut all = BTreeMap::new();
        for table in tables {
            rows.own_rows(study, &numbers, *table, &mut |number, row| take_own(&mut all, number, row))?;
        }
        Ok(all)
    })
}

/// Returns the rows of one of Allometry's own tables for one trial.
fn own_of<D: Database>(
    db: &D,
    study: StudyId,
    number: TrialNumber,
    table: OwnTable,
) -> Result<TrialExtras, StoreError> {
    Ok(own(db, study, number..=number, &[table])?.remove(&number).unwrap_or_default())
}

fn take_own(
    all: &mut BTreeMap<TrialNumber, TrialExtras>,
    number: TrialNumber,
    row: OwnRow<'_>,
) -> Result<()> {
    let extras = all.entry(number).or_default();
    match row {
        OwnRow::Predictions(columns) => {
            extras.predictions = column::predictions(columns);
        }
        OwnRow::Metrics(step, text) => {
            extras.epoch_metrics.insert(step, from_rows::epoch_metrics(number, step, text)?);
        }
        OwnRow::Log(text) => extras.log = Some(text.to_owned()),
        OwnRow::LateResult(text) => extras.late_results.push(from_rows::late_result(number, text)?),
    }
    Ok(())
}
