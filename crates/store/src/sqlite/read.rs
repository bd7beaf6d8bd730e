//! Statements that read: a whole study takes a handful of them, however many trials it has.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use allometry_core::{
    Distribution, FrozenTrial, ParamValue, Params, SearchSpace, TrialNumber, TrialRecord, TrialState,
    ValidationScores,
};
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::column;
use super::failure::Failure;
use super::{OWN_PREFIX, RECORD_KEY, SPACE_KEY};
use crate::distribution;
use crate::error::StoreError;
use crate::json;
use crate::owner::Owner;
use crate::store::{EpochMetrics, RunningTrial, StudyId, StudyRecord, TrialHandle, TrialId};

pub(super) fn require_study(db: &Connection, study: StudyId) -> Result<(), Failure> {
    let found: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM studies WHERE study_id = ?1)")?
        .query_row([study.0], |row| row.get(0))?;
    if found { Ok(()) } else { Err(StoreError::UnknownStudy(study).into()) }
}

pub(super) fn require_running(db: &Connection, trial: TrialId) -> Result<(), Failure> {
    let found: Option<(u32, String)> = db
        .prepare_cached("SELECT number, state FROM trials WHERE trial_id = ?1")?
        .query_row([trial.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((number, state)) = found else { return Err(StoreError::UnknownTrial(trial).into()) };
    match state_of(number, &state)? {
        TrialState::Running => Ok(()),
        state => Err(StoreError::NotRunning { number: number.into(), state }.into()),
    }
}

fn state_of(number: u32, name: &str) -> Result<TrialState, Failure> {
    column::state(name)
        .ok_or_else(|| Failure::malformed(format!("trial {number}"), format!("state `{name}` is unknown")))
}

/// All studies, or the one of that name.
pub(super) fn studies(db: &Connection, name: Option<&str>) -> Result<Vec<StudyRecord>, Failure> {
    let mut studies = Vec::new();
    let mut statement = db.prepare_cached(
        "SELECT study_id, study_name FROM studies WHERE ?1 IS NULL OR study_name = ?1 ORDER BY study_id",
    )?;
    let mut rows = statement.query([name])?;
    while let Some(row) = rows.next()? {
        let (id, name) = (StudyId(row.get(0)?), row.get(1)?);
        let mut directions = db.prepare_cached(
            "SELECT direction FROM study_directions WHERE study_id = ?1 ORDER BY objective",
        )?;
        let directions: Vec<String> =
            directions.query_map([id.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let user_attributes = study_attributes(db, "study_user_attributes", id)?;
        let (own, user_attributes): (BTreeMap<_, _>, _) =
            user_attributes.into_iter().partition(|(key, _)| key.starts_with(OWN_PREFIX));
        let mut attributes = BTreeMap::new();
        for (key, text) in own {
            let value = json::parse(&text).map_err(|error| {
                Failure::malformed(format!("study `{name}`, attribute `{key}`"), error.to_string())
            })?;
            attributes.insert(key[OWN_PREFIX.len()..].to_owned(), json::plain(value));
        }
        attributes.remove(SPACE_KEY);
        studies.push(StudyRecord {
            id,
            direction: directions.first().map_or_else(Default::default, |name| column::direction(name)),
            objectives: directions.len(),
            space: space(db, id)?,
            attributes,
            user_attributes,
            system_attributes: study_attributes(db, "study_system_attributes", id)?,
            name,
        });
    }
    Ok(studies)
}

fn study_attributes(
    db: &Connection,
    table: &str,
    study: StudyId,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut statement =
        db.prepare_cached(&format!("SELECT key, value_json FROM {table} WHERE study_id = ?1"))?;
    let pairs = statement.query_map([study.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(pairs.collect::<Result<_, _>>()?)
}

/// The space that Allometry stored with a study.
pub(super) fn space(db: &Connection, study: StudyId) -> Result<Option<SearchSpace>, Failure> {
    let text: Option<String> = db
        .prepare_cached("SELECT value_json FROM study_user_attributes WHERE study_id = ?1 AND key = ?2")?
        .query_row(params![study.0, format!("{OWN_PREFIX}{SPACE_KEY}")], |row| row.get(0))
        .optional()?;
    text.map(|text| {
        serde_json::from_str(&text)
            .map_err(|error| Failure::malformed(format!("search space of study {study}"), error.to_string()))
    })
    .transpose()
}

pub(super) fn last_intermediate(db: &Connection, trial: TrialId) -> Result<Option<f64>, Failure> {
    let last = db
        .prepare_cached(
            "SELECT intermediate_value, intermediate_value_type FROM trial_intermediate_values
             WHERE trial_id = ?1 ORDER BY step DESC LIMIT 1",
        )?
        .query_row([trial.0], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(last.and_then(|(value, kind)| column::number(value, &kind)))
}

pub(super) fn running(db: &Connection, study: StudyId) -> Result<Vec<RunningTrial>, Failure> {
    require_study(db, study)?;
    let leases: bool = own_table(db, "allometry_leases")?;
    let lease = if leases {
        "LEFT JOIN allometry_leases USING (trial_id)"
    } else {
        "JOIN (SELECT NULL AS host, NULL AS pid, NULL AS process_start)"
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT trial_id, number, heartbeat, host, pid, process_start
         FROM trials LEFT JOIN trial_heartbeats USING (trial_id) {lease}
         WHERE study_id = ?1 AND state = 'RUNNING' ORDER BY trial_id"
    ))?;
    let now = Timestamp::now();
    let trials = statement.query_map([study.0], |row| {
        let heartbeat: Option<String> = row.get(2)?;
        let host: Option<String> = row.get(3)?;
        Ok(RunningTrial {
            handle: TrialHandle {
                id: TrialId(row.get(0)?),
                number: TrialNumber(row.get::<_, u32>(1)?.into()),
            },
            owner: match host {
                Some(host) => Some(Owner { host, pid: row.get(4)?, process_start: row.get(5)? }),
                None => None,
            },
            heartbeat_age: heartbeat
                .and_then(|text| column::time(&text))
                .map(|at| Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO)),
        })
    })?;
    Ok(trials.collect::<Result<_, _>>()?)
}

/// Whether a table of ours is there; it is not in files that Optuna made and that are only read.
fn own_table(db: &Connection, name: &str) -> Result<bool, Failure> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)")?
        .query_row([name], |row| row.get(0))?)
}

pub(super) fn scores(
    db: &Connection,
    study: StudyId,
    number: TrialNumber,
) -> Result<Option<ValidationScores>, Failure> {
    require_study(db, study)?;
    if !own_table(db, "allometry_scores")? {
        return Ok(None);
    }
    let found = db
        .prepare_cached(
            "SELECT \"rows\", labels, scores FROM trials JOIN allometry_scores USING (trial_id)
             WHERE study_id = ?1 AND number = ?2",
        )?
        .query_row(params![study.0, number.0 as i64], |row| {
            Ok(ValidationScores {
                rows: column::rows(row.get_ref(0)?.as_blob()?),
                labels: column::labels(row.get_ref(1)?.as_blob()?),
                scores: column::scores(row.get_ref(2)?.as_blob()?),
            })
        })
        .optional()?;
    Ok(found)
}

pub(super) fn log(db: &Connection, study: StudyId, number: TrialNumber) -> Result<Option<String>, Failure> {
    require_study(db, study)?;
    if !own_table(db, "allometry_logs")? {
        return Ok(None);
    }
    let found = db
        .prepare_cached(
            "SELECT tail FROM trials JOIN allometry_logs USING (trial_id) WHERE study_id = ?1 AND number = ?2",
        )?
        .query_row(params![study.0, number.0 as i64], |row| row.get(0))
        .optional()?;
    Ok(found)
}

pub(super) fn epoch_metrics(
    db: &Connection,
    study: StudyId,
    number: TrialNumber,
) -> Result<EpochMetrics, Failure> {
    require_study(db, study)?;
    if !own_table(db, "allometry_epoch_metrics")? {
        return Ok(EpochMetrics::new());
    }
    let mut statement = db.prepare_cached(
        "SELECT step, metrics_json FROM trials JOIN allometry_epoch_metrics USING (trial_id)
         WHERE study_id = ?1 AND number = ?2",
    )?;
    let mut rows = statement.query(params![study.0, number.0 as i64])?;
    let mut epochs = EpochMetrics::new();
    while let Some(row) = rows.next()? {
        let (step, text): (i64, String) = (row.get(0)?, row.get(1)?);
        let value = json::parse(&text).map_err(|error| {
            Failure::malformed(format!("trial {number}, metrics of epoch {step}"), error.to_string())
        })?;
        epochs.insert(step, json::read_floats(&value));
    }
    Ok(epochs)
}

/// Trials of a study from number `first` on.
pub(super) fn trials(
    db: &Connection,
    study: StudyId,
    first: TrialNumber,
) -> Result<Vec<FrozenTrial>, Failure> {
    require_study(db, study)?;
    let mut batch = Batch::begin(db, study, first)?;
    if batch.ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sets = Sets { space: space(db, study)?, known: HashMap::new() };
    batch.each(db, "trial_values", "objective, value, value_type", |trial, row| {
        if row.get::<_, i64>(1)? == 0 {
            trial.value = column::number(row.get(2)?, row.get_ref(3)?.as_str().unwrap_or_default());
        }
        Ok(())
    })?;
    batch.each(db, "trial_params", "param_name, param_value, distribution_json", |trial, row| {
        let name = text(row, 1);
        let (set, value) = sets.read(trial.number, name, row.get(2)?, text(row, 3))?;
        trial.params.0.insert(name.to_owned(), value);
        trial.distributions.insert(name.to_owned(), set);
        Ok(())
    })?;
    batch.each(
        db,
        "trial_intermediate_values",
        "step, intermediate_value, intermediate_value_type",
        |trial, row| {
            if let Some(value) = column::number(row.get(2)?, text(row, 3)) {
                trial.intermediate.insert(row.get(1)?, value);
            }
            Ok(())
        },
    )?;
    batch.each(db, "trial_user_attributes", "key, value_json", |trial, row| {
        match text(row, 1) {
            RECORD_KEY => trial.record = record(trial.number, text(row, 2))?,
            own if own.starts_with(OWN_PREFIX) => {}
            key => {
                trial.user_attributes.insert(key.to_owned(), text(row, 2).to_owned());
            }
        }
        Ok(())
    })?;
    batch.each(db, "trial_system_attributes", "key, value_json", |trial, row| {
        trial.system_attributes.insert(text(row, 1).to_owned(), text(row, 2).to_owned());
        Ok(())
    })?;
    for trial in &mut batch.trials {
        take_fixed_params(trial)?;
    }
    Ok(batch.trials)
}

/// The text in a column; empty where there is none.
fn text<'a>(row: &'a Row<'_>, index: usize) -> &'a str {
    match row.get_ref(index) {
        Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}

/// Trials being read, with their ids.
struct Batch {
    ids: Vec<i64>,
    trials: Vec<FrozenTrial>,
    reading: Reading,
}

/// How the rows that belong to the trials are found.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// All rows of the table in order: the trials are most of it.
    Scan,
    /// Through the index, for trials of the study from this id on.
    Lookup { study: StudyId, first: i64 },
}

impl Batch {
    fn begin(db: &Connection, study: StudyId, first: TrialNumber) -> Result<Self, Failure> {
        // Numbers grow with ids: from the end, the first smaller number is where to stop.
        let mut statement = db.prepare_cached(
            "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials
             WHERE study_id = ?1 ORDER BY trial_id DESC",
        )?;
        let mut rows = statement.query([study.0])?;
        let (mut ids, mut trials) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let number: u32 = row.get(1)?;
            if u64::from(number) < first.0 {
                break;
            }
            let mut trial =
                FrozenTrial::new(number.into(), state_of(number, text(row, 2))?, None, Params::default());
            trial.started = column::time(text(row, 3));
            trial.completed = column::time(text(row, 4));
            ids.push(row.get(0)?);
            trials.push(trial);
        }
        ids.reverse();
        trials.reverse();
        let last: i64 = db
            .prepare_cached("SELECT ifnull(max(trial_id), 0) FROM trials")?
            .query_row([], |row| row.get(0))?;
        // Looking a row up takes a few times as long as passing over it.
        let reading = match ids.first() {
            Some(first) if (ids.len() as i64) < last / 4 => Reading::Lookup { study, first: *first },
            _ => Reading::Scan,
        };
        Ok(Self { ids, trials, reading })
    }

    /// Calls `take` with each row of `table` that belongs to one of the trials, in order of creation. Column 0 is the
    /// trial's id; `columns` follow.
    fn each(
        &mut self,
        db: &Connection,
        table: &str,
        columns: &str,
        mut take: impl FnMut(&mut FrozenTrial, &Row<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let all = format!("SELECT trial_id, {columns} FROM {table}");
        let (sql, bound) = match self.reading {
            Reading::Scan => (format!("{all} ORDER BY rowid"), Vec::new()),
            Reading::Lookup { study, first } => (
                format!(
                    "{all} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?1 AND trial_id >= ?2)
                     ORDER BY {table}.rowid"
                ),
                vec![study.0, first],
            ),
        };
        let mut statement = db.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
        let mut at = 0;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            // Rows of a trial mostly follow each other.
            if self.ids.get(at) != Some(&id) {
                match self.ids.binary_search(&id) {
                    Ok(found) => at = found,
                    Err(_) => continue,
                }
            }
            take(&mut self.trials[at], row)?;
        }
        Ok(())
    }
}

/// Distributions by parameter and text, parsed once.
struct Sets {
    space: Option<SearchSpace>,
    known: HashMap<String, HashMap<String, Distribution>>,
}

impl Sets {
    fn read(
        &mut self,
        number: TrialNumber,
        name: &str,
        internal: Option<f64>,
        text: &str,
    ) -> Result<(Distribution, ParamValue), Failure> {
        let malformed =
            |problem: String| Failure::malformed(format!("trial {number}, parameter `{name}`"), problem);
        if self.known.get(name).and_then(|sets| sets.get(text)).is_none() {
            let mut set = distribution::parse(text).map_err(malformed)?;
            distribution::restore_order(name, &mut set, self.space.as_ref());
            self.known.entry(name.into()).or_default().insert(text.into(), set);
        }
        let set = &self.known[name][text];
        let value = internal.and_then(|x| distribution::from_internal(set, x));
        match value {
            Some(value) => Ok((set.clone(), value)),
            None => Err(malformed(format!("value {internal:?} is not in its distribution"))),
        }
    }
}

fn record(number: TrialNumber, text: &str) -> Result<TrialRecord, Failure> {
    let parse = || -> Result<TrialRecord, String> {
        let mut value = json::parse(text).map_err(|error| error.to_string())?;
        let metrics = value.as_object_mut().and_then(|fields| fields.remove("metrics"));
        let mut record: TrialRecord = serde_json::from_value(value).map_err(|error| error.to_string())?;
        record.metrics = metrics.as_ref().map(json::read_floats).unwrap_or_default();
        Ok(record)
    };
    parse().map_err(|problem| Failure::malformed(format!("record of trial {number}"), problem))
}

/// A trial enqueued through Optuna has its parameters in an attribute until it runs.
fn take_fixed_params(trial: &mut FrozenTrial) -> Result<(), Failure> {
    let waits = matches!(trial.state, TrialState::Waiting | TrialState::Running) && trial.params.0.is_empty();
    let Some(text) = trial.system_attributes.get("fixed_params").filter(|_| waits) else { return Ok(()) };
    let value = json::parse(text).map_err(|error| {
        Failure::malformed(format!("trial {}, attribute `fixed_params`", trial.number), error.to_string())
    })?;
    let pairs = value.as_object().into_iter().flatten();
    trial.params =
        pairs.filter_map(|(name, value)| Some((name.clone(), distribution::read_value(value)?))).collect();
    Ok(())
}
