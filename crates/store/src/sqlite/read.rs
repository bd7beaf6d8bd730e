//! Statements that read: a whole study takes a handful of them, however many trials it has.

use std::collections::BTreeMap;
use std::time::Duration;

use allometry_core::{
    FrozenTrial, Params, SearchSpace, TrialNumber, TrialState, ValidationOutputs, ValidationScores,
};
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::failure::Failure;
use crate::assemble::{self, Batch, OWN_PREFIX, SPACE_KEY, Sets};
use crate::column;
use crate::error::StoreError;
use crate::late::LateTell;
use crate::owner::Owner;
use crate::store::{EpochMetrics, RunningTrial, StudyId, StudyRecord, TrialHandle, TrialId, TrialPage};

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
    match assemble::state(number.into(), &state)? {
        TrialState::Running => Ok(()),
        state => Err(StoreError::NotRunning { number: number.into(), state }.into()),
    }
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
        let system_attributes = study_attributes(db, "study_system_attributes", id)?;
        studies.push(assemble::study(id, name, &directions, user_attributes, system_attributes));
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
    Ok(text.map(|text| assemble::space(study, &text)).transpose()?)
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
        let heartbeat = row.get::<_, Option<String>>(2)?.and_then(|text| column::time(&text));
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
                .map(|at| Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO)),
            heartbeat,
        })
    })?;
    Ok(trials.collect::<Result<_, _>>()?)
}

/// Whether a table of ours is there; it is not in files that Optuna made and that are only read.
pub(super) fn own_table(db: &Connection, name: &str) -> Result<bool, Failure> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)")?
        .query_row([name], |row| row.get(0))?)
}

pub(super) fn scores(
    db: &Connection,
    study: StudyId,
    number: TrialNumber,
) -> Result<Option<ValidationScores>, Failure> {
    predictions(db, study, number, column::validation_scores)
}

pub(super) fn outputs(
    db: &Connection,
    study: StudyId,
    number: TrialNumber,
) -> Result<Option<ValidationOutputs>, Failure> {
    predictions(db, study, number, column::validation_outputs)
}

/// What `parse` makes of the columns of a trial's predictions, where it left any.
fn predictions<T>(
    db: &Connection,
    study: StudyId,
    number: TrialNumber,
    parse: impl Fn([&[u8]; 3]) -> Option<T>,
) -> Result<Option<T>, Failure> {
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
            let column = |place: usize| Ok::<_, rusqlite::Error>(row.get_ref(place)?.as_blob()?);
            Ok(parse([column(0)?, column(1)?, column(2)?]))
        })
        .optional()?;
    Ok(found.flatten())
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

pub(super) fn late_tells(
    db: &Connection,
    study: StudyId,
    number: TrialNumber,
) -> Result<Vec<LateTell>, Failure> {
    require_study(db, study)?;
    if !own_table(db, "allometry_late_tells")? {
        return Ok(Vec::new());
    }
    let mut statement = db.prepare_cached(
        "SELECT tell_json FROM trials JOIN allometry_late_tells USING (trial_id)
         WHERE study_id = ?1 AND number = ?2 ORDER BY allometry_late_tells.rowid",
    )?;
    let mut rows = statement.query(params![study.0, number.0 as i64])?;
    let mut tells = Vec::new();
    while let Some(row) = rows.next()? {
        tells.push(assemble::late_tell(number, text(row, 0))?);
    }
    Ok(tells)
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
        epochs.insert(step, assemble::epoch_metrics(number, step, &text)?);
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
    let (batch, reading) = begin(db, study, first)?;
    fill(db, study, batch, reading)
}

/// The id of the first trial of a study whose number is not below `first`; one beyond all where there is none.
pub(super) fn first_trial(db: &Connection, study: StudyId, first: TrialNumber) -> Result<i64, Failure> {
    let ends = "SELECT ifnull(min(trial_id), 1), ifnull(max(trial_id), 0) FROM trials WHERE study_id = ?1";
    let (mut low, last): (i64, i64) =
        db.prepare_cached(ends)?.query_row([study.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut high = last + 1;
    // Numbers grow with ids.
    let mut next = db.prepare_cached(
        "SELECT trial_id, number FROM trials WHERE study_id = ?1 AND trial_id >= ?2 ORDER BY trial_id LIMIT 1",
    )?;
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, u32)> =
            next.query_row([study.0, middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found {
            Some((id, number)) if u64::from(number) < first.0 => low = id + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// At most `limit` trials of a study after one.
pub(super) fn trials_page(
    db: &Connection,
    study: StudyId,
    after: Option<TrialId>,
    limit: usize,
) -> Result<TrialPage, Failure> {
    require_study(db, study)?;
    let mut statement = db.prepare_cached(
        "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials
         WHERE study_id = ?1 AND trial_id > ?2 ORDER BY trial_id LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query([study.0, after.map_or(i64::MIN, |after| after.0), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(head(row)?);
    }
    let (Some((first, _)), Some((last, _))) = (found.first(), found.last()) else {
        return Ok(TrialPage { trials: Vec::new(), last: None });
    };
    let (first, last) = (*first, *last);
    let trials = fill(db, study, Batch::new(found), Reading::Lookup { study, first, last })?;
    Ok(TrialPage { trials, last: Some(TrialId(last)) })
}

/// The trials of a batch with what hangs on them.
fn fill(
    db: &Connection,
    study: StudyId,
    mut batch: Batch,
    reading: Reading,
) -> Result<Vec<FrozenTrial>, Failure> {
    if batch.ids().is_empty() {
        return Ok(Vec::new());
    }
    let mut sets = Sets::new(space(db, study)?);
    let mut each = |table: &str, columns: &str, take: &mut Take<'_>| {
        each_row(db, reading, &mut batch, table, columns, take)
    };
    each("trial_values", "objective, value, value_type", &mut |trial, row| {
        assemble::take_value(trial, row.get(1)?, row.get(2)?, text(row, 3));
        Ok(())
    })?;
    each("trial_params", "param_name, param_value, distribution_json", &mut |trial, row| {
        Ok(sets.take_param(trial, text(row, 1), row.get(2)?, text(row, 3))?)
    })?;
    let columns = "step, intermediate_value, intermediate_value_type";
    each("trial_intermediate_values", columns, &mut |trial, row| {
        assemble::take_intermediate(trial, row.get(1)?, row.get(2)?, text(row, 3));
        Ok(())
    })?;
    each("trial_system_attributes", "key, value_json", &mut |trial, row| {
        trial.system_attributes.insert(text(row, 1).to_owned(), text(row, 2).to_owned());
        Ok(())
    })?;
    each("trial_user_attributes", "key, value_json", &mut |trial, row| {
        Ok(assemble::take_user_attribute(trial, text(row, 1), text(row, 2))?)
    })?;
    Ok(batch.finish())
}

/// The text in a column; empty where there is none.
pub(super) fn text<'a>(row: &'a Row<'_>, index: usize) -> &'a str {
    match row.get_ref(index) {
        Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}

/// How the rows that belong to the trials are found.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// All rows of the table in order: the trials are most of it.
    Scan,
    /// Through the index, for trials of the study between these ids, both included.
    Lookup { study: StudyId, first: i64, last: i64 },
}

/// Takes in a row that belongs to a trial.
type Take<'a> = dyn FnMut(&mut FrozenTrial, &Row<'_>) -> Result<(), Failure> + 'a;

fn begin(db: &Connection, study: StudyId, first: TrialNumber) -> Result<(Batch, Reading), Failure> {
    // Numbers grow with ids: from the end, the first smaller number is where to stop.
    let mut statement = db.prepare_cached(
        "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials
         WHERE study_id = ?1 ORDER BY trial_id DESC",
    )?;
    let mut rows = statement.query([study.0])?;
    let mut found: Vec<(i64, FrozenTrial)> = Vec::new();
    while let Some(row) = rows.next()? {
        let number = u64::from(row.get::<_, u32>(1)?);
        if number < first.0 {
            break;
        }
        found.push(head(row)?);
    }
    found.reverse();
    let last: i64 =
        db.prepare_cached("SELECT ifnull(max(trial_id), 0) FROM trials")?.query_row([], |row| row.get(0))?;
    // Looking a row up takes a few times as long as passing over it.
    let reading = match found.first() {
        Some((first, _)) if (found.len() as i64) < last / 4 => Reading::Lookup { study, first: *first, last },
        _ => Reading::Scan,
    };
    Ok((Batch::new(found), reading))
}

/// A trial without what hangs on it, and its id.
fn head(row: &Row<'_>) -> Result<(i64, FrozenTrial), Failure> {
    let number = u64::from(row.get::<_, u32>(1)?);
    let state = assemble::state(number, text(row, 2))?;
    let mut trial = FrozenTrial::new(number, state, None, Params::default());
    trial.started = column::time(text(row, 3));
    trial.completed = column::time(text(row, 4));
    Ok((row.get(0)?, trial))
}

/// Calls `take` with each row of `table` that belongs to one of the trials, in order of creation. Column 0 is the
/// trial's id; `columns` follow.
fn each_row(
    db: &Connection,
    reading: Reading,
    batch: &mut Batch,
    table: &str,
    columns: &str,
    take: &mut Take<'_>,
) -> Result<(), Failure> {
    let all = format!("SELECT trial_id, {columns} FROM {table}");
    let (sql, bound) = match reading {
        Reading::Scan => (format!("{all} ORDER BY rowid"), Vec::new()),
        Reading::Lookup { study, first, last } => (
            format!(
                "{all} WHERE trial_id IN
                 (SELECT trial_id FROM trials WHERE study_id = ?1 AND trial_id BETWEEN ?2 AND ?3)
                 ORDER BY {table}.rowid"
            ),
            vec![study.0, first, last],
        ),
    };
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
    while let Some(row) = rows.next()? {
        if let Some(trial) = batch.find(row.get(0)?) {
            take(trial, row)?;
        }
    }
    Ok(())
}
