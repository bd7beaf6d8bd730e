//! Trials in memory, for tests and for studies that nobody keeps.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use allometry_core::{
    Distribution, EpochReport, FrozenTrial, Params, SearchSpace, TrialNumber, TrialRecord, TrialState,
    ValidationOutputs, ValidationScores,
};
use jiff::{Timestamp, TimestampRound, Unit};
use serde_json::Value;

use crate::assemble::metric_names;
use crate::distribution::{self, Placed};
use crate::error::StoreError;
use crate::late::{LateTell, MOST_LATE_TELLS};
use crate::owner::Owner;
use crate::store::{
    Beside, EpochMetrics, Finished, FinishedState, NewStudy, NewTrial, Predictions, RunningTrial, Start,
    Store, StudyId, StudyRecord, TrialHandle, TrialId, TrialPage, metrics_of, settle,
};

/// A [`Store`] that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    studies: Vec<StudyRecord>,
    trials: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    study: StudyId,
    trial: FrozenTrial,
    owner: Option<Owner>,
    heartbeat: Option<Timestamp>,
    metrics: EpochMetrics,
    scores: Option<ValidationScores>,
    outputs: Option<ValidationOutputs>,
    log: Option<String>,
    late_tells: Vec<LateTell>,
}

impl Row {
    fn handle(&self, index: usize) -> TrialHandle {
        TrialHandle { id: trial_id(index), number: self.trial.number }
    }

    fn begin(&mut self, owner: Option<&Owner>) {
        let now = now();
        self.trial.state = TrialState::Running;
        self.trial.started = Some(now);
        self.owner = owner.cloned();
        self.heartbeat = owner.map(|_| now);
    }

    fn place(&mut self, placed: &[Placed<'_>], space: Option<&SearchSpace>) {
        for place in placed {
            let mut given: Distribution = place.distribution.clone();
            distribution::restore_order(place.name, &mut given, space);
            self.trial.params.insert(place.name, place.value());
            self.trial.distributions.insert(place.name.into(), given);
        }
    }

    fn report(&mut self, reports: &[EpochReport]) {
        self.trial.intermediate.extend(reports.iter().map(|r| (r.step, r.value)));
        self.metrics.extend(metrics_of(reports).map(|(step, metrics)| (step, metrics.clone())));
    }
}

fn now() -> Timestamp {
    // Stores keep microseconds; rounding down never moves a time into the future.
    let round = TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc);
    Timestamp::now().round(round).unwrap_or_else(|_| Timestamp::now())
}

fn trial_id(index: usize) -> TrialId {
    TrialId(index as i64 + 1)
}

impl Tables {
    fn study(&self, id: StudyId) -> Result<&StudyRecord, StoreError> {
        self.studies.iter().find(|s| s.id == id).ok_or(StoreError::UnknownStudy(id))
    }

    fn of_study(&self, id: StudyId) -> Result<impl Iterator<Item = (usize, &Row)>, StoreError> {
        self.study(id)?;
        Ok(self.trials.iter().enumerate().filter(move |(_, row)| row.study == id))
    }

    fn numbered(&self, id: StudyId, number: TrialNumber) -> Result<Option<&Row>, StoreError> {
        Ok(self.of_study(id)?.find(|(_, row)| row.trial.number == number).map(|(_, row)| row))
    }

    fn running(&mut self, id: TrialId) -> Result<&mut Row, StoreError> {
        let index = usize::try_from(id.0 - 1).map_err(|_| StoreError::UnknownTrial(id))?;
        let row = self.trials.get_mut(index).ok_or(StoreError::UnknownTrial(id))?;
        match row.trial.state {
            TrialState::Running => Ok(row),
            state => Err(StoreError::NotRunning { number: row.trial.number.0, state }),
        }
    }

    fn create(&mut self, study: StudyId, new: &NewTrial<'_>) -> Result<TrialHandle, StoreError> {
        let placed = distribution::place(new.params, new.space)?;
        self.check_compatible(study, &placed)?;
        let number = self.of_study(study)?.count() as u64;
        let mut trial = FrozenTrial::new(number, TrialState::Waiting, None, Params::default());
        trial.record = new.record.clone();
        let mut row = Row {
            study,
            trial,
            owner: None,
            heartbeat: None,
            metrics: EpochMetrics::new(),
            scores: None,
            outputs: None,
            log: None,
            late_tells: Vec::new(),
        };
        row.place(&placed, self.study(study)?.space.as_ref());
        match new.start {
            Start::Waiting => {}
            Start::Running(owner) => row.begin(Some(owner)),
            Start::Asked => row.begin(None),
        }
        let handle = row.handle(self.trials.len());
        self.trials.push(row);
        Ok(handle)
    }

    fn check_compatible(&self, study: StudyId, placed: &[Placed<'_>]) -> Result<(), StoreError> {
        for Placed { name, distribution: given, .. } in placed {
            let stored = self.of_study(study)?.find_map(|(_, row)| row.trial.distributions.get(*name));
            if let Some(stored) = stored.filter(|stored| !distribution::compatible(stored, given)) {
                return Err(StoreError::IncompatibleDistribution {
                    parameter: (*name).into(),
                    stored: distribution::write(stored),
                    given: distribution::write(given),
                });
            }
        }
        Ok(())
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn place(&self) -> Result<String, StoreError> {
        Ok(format!("memory of process {}", std::process::id()))
    }

    fn create_study(&self, study: &NewStudy) -> Result<StudyId, StoreError> {
        let mut tables = self.tables();
        if tables.studies.iter().any(|s| s.name == study.name) {
            return Err(StoreError::NameTaken { name: study.name.clone() });
        }
        let id = StudyId(tables.studies.len() as i64 + 1);
        tables.studies.push(StudyRecord {
            unreadable: None,
            id,
            name: study.name.clone(),
            direction: study.direction,
            further: study.further.clone(),
            space: Some(study.space.clone()),
            attributes: study.attributes.clone(),
            user_attributes: BTreeMap::new(),
            system_attributes: metric_names(&study.metric_names).into_iter().collect(),
        });
        Ok(id)
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, StoreError> {
        Ok(self.tables().studies.clone())
    }

    fn study(&self, name: &str) -> Result<Option<StudyRecord>, StoreError> {
        Ok(self.tables().studies.iter().find(|s| s.name == name).cloned())
    }

    fn set_study_attribute(&self, study: StudyId, key: &str, value: &Value) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let record =
            tables.studies.iter_mut().find(|s| s.id == study).ok_or(StoreError::UnknownStudy(study))?;
        match (key, serde_json::from_value(value.clone())) {
            ("search_space", Ok(space)) => record.space = Some(space),
            _ => drop(record.attributes.insert(key.into(), value.clone())),
        }
        Ok(())
    }

    fn create_trial(&self, study: StudyId, new: &NewTrial<'_>) -> Result<TrialHandle, StoreError> {
        self.tables().create(study, new)
    }

    fn create_trial_at(
        &self,
        study: StudyId,
        new: &NewTrial<'_>,
        number: TrialNumber,
    ) -> Result<Option<TrialHandle>, StoreError> {
        let mut tables = self.tables();
        if tables.of_study(study)?.count() as u64 != number.0 {
            return Ok(None);
        }
        tables.create(study, new).map(Some)
    }

    fn complete_params(
        &self,
        trial: TrialId,
        params: &Params,
        space: &SearchSpace,
        record: &TrialRecord,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = tables.running(trial)?;
        let (study, known) = (row.study, row.trial.params.clone());
        let missing = params.iter().filter(|(name, _)| known.get(name).is_none());
        let missing: Params = missing.map(|(name, value)| (name, value.clone())).collect();
        let placed = distribution::place(&missing, space)?;
        tables.check_compatible(study, &placed)?;
        let stored = tables.study(study)?.space.clone();
        let row = tables.running(trial)?;
        row.place(&placed, stored.as_ref());
        row.trial.record = record.clone();
        Ok(())
    }

    fn claim_waiting(
        &self,
        study: StudyId,
        owner: Option<&Owner>,
    ) -> Result<Option<(TrialHandle, FrozenTrial)>, StoreError> {
        let mut tables = self.tables();
        let first = tables.of_study(study)?.find(|(_, row)| row.trial.state == TrialState::Waiting);
        let Some(index) = first.map(|(index, _)| index) else { return Ok(None) };
        let row = &mut tables.trials[index];
        row.begin(owner);
        Ok(Some((row.handle(index), row.trial.clone())))
    }

    fn report(&self, trial: TrialId, reports: &[EpochReport]) -> Result<(), StoreError> {
        self.tables().running(trial)?.report(reports);
        Ok(())
    }

    fn finish(
        &self,
        trial: TrialId,
        state: FinishedState,
        finished: &Finished,
    ) -> Result<TrialState, StoreError> {
        let mut tables = self.tables();
        let row = tables.running(trial)?;
        row.report(&finished.reports);
        let last = || row.trial.intermediate.last_key_value().map(|(_, value)| *value);
        let (state, values) = settle(state, finished, last);
        row.trial.state = state;
        row.trial.value = values.first().copied();
        row.trial.further = values.into_iter().skip(1).collect();
        row.trial.completed = Some(now());
        row.trial.record = finished.record.clone();
        row.trial.system_attributes.extend(finished.constraints.attributes());
        row.scores.clone_from(&finished.scores);
        row.outputs.clone_from(&finished.outputs);
        row.log.clone_from(&finished.log);
        row.owner = None;
        Ok(state)
    }

    fn record_late(&self, trial: TrialId, late: &LateTell) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = usize::try_from(trial.0 - 1).ok().and_then(|index| tables.trials.get_mut(index));
        if let Some(row) = row.filter(|row| row.late_tells.len() < MOST_LATE_TELLS) {
            row.late_tells.push(late.clone());
        }
        Ok(())
    }

    fn heartbeat(&self, trials: &[TrialId]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for trial in trials {
            match tables.running(*trial) {
                Ok(row) => row.heartbeat = Some(now()),
                Err(StoreError::NotRunning { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn running(&self, study: StudyId) -> Result<Vec<RunningTrial>, StoreError> {
        let now = now();
        let tables = self.tables();
        let rows = tables.of_study(study)?.filter(|(_, row)| row.trial.state == TrialState::Running);
        Ok(rows
            .map(|(index, row)| RunningTrial {
                handle: row.handle(index),
                owner: row.owner.clone(),
                heartbeat_age: row.heartbeat.map(|at| now.duration_since(at).unsigned_abs()),
                heartbeat: row.heartbeat,
            })
            .collect())
    }

    fn trials_from(&self, study: StudyId, first: TrialNumber) -> Result<Vec<FrozenTrial>, StoreError> {
        let tables = self.tables();
        let rows = tables.of_study(study)?.filter(|(_, row)| row.trial.number >= first);
        Ok(rows.map(|(_, row)| row.trial.clone()).collect())
    }

    fn scores(&self, study: StudyId, number: TrialNumber) -> Result<Option<ValidationScores>, StoreError> {
        Ok(self.tables().numbered(study, number)?.and_then(|row| row.scores.clone()))
    }

    fn outputs(&self, study: StudyId, number: TrialNumber) -> Result<Option<ValidationOutputs>, StoreError> {
        Ok(self.tables().numbered(study, number)?.and_then(|row| row.outputs.clone()))
    }

    fn trials_page(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        limit: usize,
    ) -> Result<TrialPage, StoreError> {
        let tables = self.tables();
        let of_study = tables.of_study(study)?;
        let later = of_study.filter(|(index, _)| after.is_none_or(|after| trial_id(*index) > after));
        let page: Vec<_> = later.take(limit).collect();
        Ok(TrialPage {
            last: page.last().map(|(index, _)| trial_id(*index)),
            trials: page.into_iter().map(|(_, row)| row.trial.clone()).collect(),
        })
    }

    fn predictions_from(&self, study: StudyId, first: TrialNumber) -> Result<Predictions, StoreError> {
        let tables = self.tables();
        tables.study(study)?;
        let mut predictions = Predictions::default();
        let later = |row: &&Row| row.study == study && row.trial.number >= first;
        for row in tables.trials.iter().filter(later) {
            predictions.scores.extend(row.scores.clone().map(|scores| (row.trial.number, scores)));
            predictions.outputs.extend(row.outputs.clone().map(|outputs| (row.trial.number, outputs)));
        }
        Ok(predictions)
    }

    fn beside(&self, study: StudyId) -> Result<BTreeMap<TrialNumber, Beside>, StoreError> {
        let tables = self.tables();
        tables.study(study)?;
        let beside = |row: &Row| Beside {
            scores: row.scores.clone(),
            outputs: row.outputs.clone(),
            epoch_metrics: row.metrics.clone(),
            log: row.log.clone(),
            late_tells: row.late_tells.clone(),
        };
        let of_study = tables.trials.iter().filter(|row| row.study == study);
        Ok(of_study.map(|row| (row.trial.number, beside(row))).collect())
    }

    fn log(&self, study: StudyId, number: TrialNumber) -> Result<Option<String>, StoreError> {
        Ok(self.tables().numbered(study, number)?.and_then(|row| row.log.clone()))
    }

    fn late_tells(&self, study: StudyId, number: TrialNumber) -> Result<Vec<LateTell>, StoreError> {
        Ok(self.tables().numbered(study, number)?.map(|row| row.late_tells.clone()).unwrap_or_default())
    }

    fn epoch_metrics(&self, study: StudyId, number: TrialNumber) -> Result<EpochMetrics, StoreError> {
        Ok(self.tables().numbered(study, number)?.map(|row| row.metrics.clone()).unwrap_or_default())
    }
}
