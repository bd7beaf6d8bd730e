//! Statements that read: a whole study takes a handful of them, however many trials it has.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use allometry_core::{
    FrozenTrial, Params, SearchSpace, TrialNumber, TrialState, ValidationOutputs, ValidationScores,
};
use jiff::Timestamp;
use postgres::Row;

use super::failure::Failure;
use super::session::{Db, Values};
use crate::assemble::{self, Batch, OWN_PREFIX, SPACE_KEY, Sets};
use crate::column;
use crate::error::StoreError;
use crate::late::LateTell;
use crate::owner::Owner;
use crate::store::{EpochMetrics, RunningTrial, StudyId, StudyRecord, TrialHandle, TrialId, TrialPage};

/// Up to this many trials are named one by one, so that their rows are found through the index.
const FEW: usize = 256;

/// A study's key as its column has it.
pub(super) fn study_key(study: StudyId) -> Result<i32, StoreError> {
    i32::try_from(study.0).map_err(|_| StoreError::UnknownStudy(study))
}

/// A trial's key as its column has it.
pub(super) fn trial_key(trial: TrialId) -> Result<i32, StoreError> {
    i32::try_from(trial.0).map_err(|_| StoreError::UnknownTrial(trial))
}

/// A trial's number as its column has it; the largest where there is none so large.
pub(super) fn number_key(number: TrialNumber) -> i32 {
    i32::try_from(number.0).unwrap_or(i32::MAX)
}

pub(super) fn number(row: &Row, index: usize) -> Result<u64, Failure> {
    let number: i32 = row.try_get(index)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// The cluster's own number, where its administrator lets everybody see it, and the database's name.
pub(super) fn place(db: &mut Db<'_>) -> Result<String, Failure> {
    let text = |row: Option<Row>| row.and_then(|row| row.get::<_, Option<String>>(0)).unwrap_or_default();
    let seen = db.first("SELECT has_function_privilege('pg_control_system()', 'execute')::text", &[])?;
    let cluster = if text(seen) == "true" {
        text(db.first("SELECT system_identifier::text FROM pg_control_system()", &[])?)
    } else {
        String::new()
    };
    let database = text(db.first("SELECT current_database()::text", &[])?);
    Ok(format!("postgresql:{cluster}/{database}"))
}

pub(super) fn require_study(db: &mut Db<'_>, study: StudyId) -> Result<i32, Failure> {
    let key = study_key(study)?;
    match db.first("SELECT 1 FROM studies WHERE study_id = $1", &[&key])? {
        Some(_) => Ok(key),
        None => Err(StoreError::UnknownStudy(study).into()),
    }
}

/// Keeps others from writing to a running trial until the transaction ends; returns its key and that of its study.
pub(super) fn lock_running(db: &mut Db<'_>, trial: TrialId) -> Result<(i32, i32), Failure> {
    let key = trial_key(trial)?;
    let found = db.first(
        "SELECT number, state::text, study_id FROM trials WHERE trial_id = $1 FOR NO KEY UPDATE",
        &[&key],
    )?;
    let row = found.ok_or(StoreError::UnknownTrial(trial))?;
    let number = number(&row, 0)?;
    match assemble::state(number, row.try_get(1)?)? {
        TrialState::Running => Ok((key, row.try_get(2)?)),
        state => Err(StoreError::NotRunning { number, state }.into()),
    }
}

/// All studies, or the one of that name.
pub(super) fn studies(db: &mut Db<'_>, name: Option<&str>) -> Result<Vec<StudyRecord>, Failure> {
    let found = db.query(
        "SELECT study_id, study_name::text FROM studies WHERE $1::text IS NULL OR study_name = $1 ORDER BY study_id",
        &[&name],
    )?;
    let mut studies = Vec::new();
    for row in found {
        let (key, name): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
        let directions = db.query(
            "SELECT direction::text FROM study_directions WHERE study_id = $1 ORDER BY objective",
            &[&key],
        )?;
        let directions: Vec<String> = directions.iter().map(|row| row.get(0)).collect();
        let user_attributes = study_attributes(db, "study_user_attributes", key)?;
        let system_attributes = study_attributes(db, "study_system_attributes", key)?;
        let id = StudyId(key.into());
        studies.push(assemble::study(id, name, &directions, user_attributes, system_attributes));
    }
    Ok(studies)
}

fn study_attributes(db: &mut Db<'_>, table: &str, study: i32) -> Result<BTreeMap<String, String>, Failure> {
    let rows =
        db.query(&format!("SELECT key::text, value_json FROM {table} WHERE study_id = $1"), &[&study])?;
    Ok(rows.iter().map(|row| (text(row, 0).to_owned(), text(row, 1).to_owned())).collect())
}

/// The space that Allometry stored with a study.
pub(super) fn space(db: &mut Db<'_>, study: i32) -> Result<Option<SearchSpace>, Failure> {
    let found = db.first(
        "SELECT value_json FROM study_user_attributes WHERE study_id = $1 AND key = $2",
        &[&study, &format!("{OWN_PREFIX}{SPACE_KEY}")],
    )?;
    Ok(found.map(|row| assemble::space(StudyId(study.into()), text(&row, 0))).transpose()?)
}

pub(super) fn last_intermediate(db: &mut Db<'_>, trial: i32) -> Result<Option<f64>, Failure> {
    let last = db.first(
        "SELECT intermediate_value, intermediate_value_type::text FROM trial_intermediate_values
         WHERE trial_id = $1 ORDER BY step DESC LIMIT 1",
        &[&trial],
    )?;
    Ok(last.and_then(|row| column::number(row.get(0), row.get(1))))
}

pub(super) fn running(db: &mut Db<'_>, study: StudyId) -> Result<Vec<RunningTrial>, Failure> {
    let key = require_study(db, study)?;
    let lease = if own_table(db, "allometry_leases")? {
        "LEFT JOIN (SELECT trial_id, host, pid, process_start, heartbeat AS beat FROM allometry_leases) AS lease USING (trial_id)"
    } else {
        "CROSS JOIN (SELECT NULL::text AS host, NULL::bigint AS pid, NULL::text AS process_start, NULL::timestamptz AS beat) AS lease"
    };
    // While the server was away nobody could say that he works. Optuna's heartbeats are in the session's local time.
    let rows = db.query(
        &format!(
            "SELECT trial_id, number, host, pid, process_start,
             extract(epoch FROM clock_timestamp() - greatest(coalesce(beat, heartbeat::timestamptz), pg_postmaster_start_time()))::double precision,
             coalesce(beat, heartbeat::timestamptz)
             FROM trials LEFT JOIN trial_heartbeats USING (trial_id) {lease}
             WHERE study_id = $1 AND state = 'RUNNING' ORDER BY trial_id"
        ),
        &[&key],
    )?;
    let trial = |row: &Row| {
        let age: f64 = row.try_get(5)?;
        let heartbeat: Option<SystemTime> = row.try_get(6)?;
        let host: Option<String> = row.try_get(2)?;
        Ok(RunningTrial {
            handle: TrialHandle {
                id: TrialId(row.try_get::<_, i32>(0)?.into()),
                number: TrialNumber(number(row, 1)?),
            },
            owner: match host {
                Some(host) => Some(Owner {
                    host,
                    pid: u32::try_from(row.try_get::<_, i64>(3)?).unwrap_or_default(),
                    process_start: row.try_get(4)?,
                }),
                None => None,
            },
            heartbeat_age: heartbeat.map(|_| Duration::try_from_secs_f64(age).unwrap_or_default()),
            heartbeat: heartbeat.and_then(|at| Timestamp::try_from(at).ok()),
        })
    };
    rows.iter().map(trial).collect()
}

/// Whether a table of ours is there; it is not in databases that Optuna made and that are only read.
pub(super) fn own_table(db: &mut Db<'_>, name: &str) -> Result<bool, Failure> {
    Ok(db.first("SELECT to_regclass($1::text) IS NOT NULL", &[&name])?.is_some_and(|row| row.get(0)))
}

pub(super) fn scores(
    db: &mut Db<'_>,
    study: StudyId,
    number: TrialNumber,
) -> Result<Option<ValidationScores>, Failure> {
    predictions(db, study, number, column::validation_scores)
}

pub(super) fn outputs(
    db: &mut Db<'_>,
    study: StudyId,
    number: TrialNumber,
) -> Result<Option<ValidationOutputs>, Failure> {
    predictions(db, study, number, column::validation_outputs)
}

/// What `parse` makes of the columns of a trial's predictions, where it left any.
fn predictions<T>(
    db: &mut Db<'_>,
    study: StudyId,
    number: TrialNumber,
    parse: impl Fn([&[u8]; 3]) -> Option<T>,
) -> Result<Option<T>, Failure> {
    let key = require_study(db, study)?;
    if !own_table(db, "allometry_scores")? {
        return Ok(None);
    }
    let found = db.first(
        "SELECT \"rows\", labels, scores FROM trials JOIN allometry_scores USING (trial_id)
         WHERE study_id = $1 AND number = $2",
        &[&key, &number_key(number)],
    )?;
    Ok(found.and_then(|row| parse([row.get(0), row.get(1), row.get(2)])))
}

pub(super) fn log(db: &mut Db<'_>, study: StudyId, number: TrialNumber) -> Result<Option<String>, Failure> {
    let key = require_study(db, study)?;
    if !own_table(db, "allometry_logs")? {
        return Ok(None);
    }
    let found = db.first(
        "SELECT tail FROM trials JOIN allometry_logs USING (trial_id) WHERE study_id = $1 AND number = $2",
        &[&key, &number_key(number)],
    )?;
    Ok(found.map(|row| row.get(0)))
}

pub(super) fn late_tells(
    db: &mut Db<'_>,
    study: StudyId,
    number: TrialNumber,
) -> Result<Vec<LateTell>, Failure> {
    let key = require_study(db, study)?;
    if !own_table(db, "allometry_late_tells")? {
        return Ok(Vec::new());
    }
    let rows = db.query(
        "SELECT tell_json FROM trials JOIN allometry_late_tells USING (trial_id)
         WHERE study_id = $1 AND number = $2 ORDER BY tell_id",
        &[&key, &number_key(number)],
    )?;
    Ok(rows.iter().map(|row| assemble::late_tell(number, text(row, 0))).collect::<Result<_, _>>()?)
}

pub(super) fn epoch_metrics(
    db: &mut Db<'_>,
    study: StudyId,
    number: TrialNumber,
) -> Result<EpochMetrics, Failure> {
    let key = require_study(db, study)?;
    let mut epochs = EpochMetrics::new();
    if !own_table(db, "allometry_epoch_metrics")? {
        return Ok(epochs);
    }
    let rows = db.query(
        "SELECT step, metrics_json FROM trials JOIN allometry_epoch_metrics USING (trial_id)
         WHERE study_id = $1 AND number = $2",
        &[&key, &number_key(number)],
    )?;
    for row in rows {
        let step: i32 = row.try_get(0)?;
        epochs.insert(step.into(), assemble::epoch_metrics(number, step.into(), text(&row, 1))?);
    }
    Ok(epochs)
}

/// Trials of a study from number `first` on.
pub(super) fn trials(
    db: &mut Db<'_>,
    study: StudyId,
    first: TrialNumber,
) -> Result<Vec<FrozenTrial>, Failure> {
    let key = require_study(db, study)?;
    let mut found = Vec::new();
    db.each(
        "SELECT trial_id, number, state::text, datetime_start, datetime_complete FROM trials
         WHERE study_id = $1 AND number >= $2 ORDER BY trial_id",
        &[&key, &number_key(first)],
        |row| {
            found.push(head(&row)?);
            Ok(())
        },
    )?;
    fill(db, key, found)
}

/// At most `limit` trials of a study after one.
pub(super) fn trials_page(
    db: &mut Db<'_>,
    study: StudyId,
    after: Option<TrialId>,
    limit: usize,
) -> Result<TrialPage, Failure> {
    let key = require_study(db, study)?;
    let mut found = Vec::new();
    let after = after.map_or(Ok(i32::MIN), trial_key)?;
    db.each(
        "SELECT trial_id, number, state::text, datetime_start, datetime_complete FROM trials
         WHERE study_id = $1 AND trial_id > $2 ORDER BY trial_id LIMIT $3",
        &[&key, &after, &i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| {
            found.push(head(&row)?);
            Ok(())
        },
    )?;
    let last = found.last().map(|(id, _)| TrialId(*id));
    Ok(TrialPage { trials: fill(db, key, found)?, last })
}

/// A trial without what hangs on it, and its id.
fn head(row: &Row) -> Result<(i64, FrozenTrial), Failure> {
    let number = number(row, 1)?;
    let state = assemble::state(number, text(row, 2))?;
    let mut trial = FrozenTrial::new(number, state, None, Params::default());
    trial.started = time(row, 3)?;
    trial.completed = time(row, 4)?;
    Ok((i64::from(row.try_get::<_, i32>(0)?), trial))
}

/// The trials with what hangs on them.
fn fill(db: &mut Db<'_>, key: i32, found: Vec<(i64, FrozenTrial)>) -> Result<Vec<FrozenTrial>, Failure> {
    let ends = found.first().zip(found.last());
    let Some(((from, _), (to, _))) = ends else { return Ok(Vec::new()) };
    let (from, to) = (i32::try_from(*from).unwrap_or_default(), i32::try_from(*to).unwrap_or(i32::MAX));
    let mut batch = Batch::new(found);
    let mut sets = Sets::new(space(db, key)?);
    let few: Option<Vec<i32>> =
        (batch.ids().len() <= FEW).then(|| batch.ids().iter().map(|id| *id as i32).collect());
    let mut each = |columns: &str, rest: &str, take: &mut Take<'_>| {
        let (sql, values): (String, Values<'_>) = match &few {
            Some(ids) => (format!("SELECT trial_id, {columns} WHERE trial_id = ANY($1) {rest}"), &[ids]),
            None => (
                format!(
                    "SELECT trial_id, {columns} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1 AND trial_id BETWEEN $2 AND $3) {rest}"
                ),
                &[&key, &from, &to],
            ),
        };
        db.each(&sql, values, |row| match batch.find(row.try_get::<_, i32>(0)?.into()) {
            Some(trial) => take(trial, &row),
            None => Ok(()),
        })
    };
    each("objective, value, value_type::text FROM trial_values", "", &mut |trial, row| {
        assemble::take_value(trial, row.try_get::<_, i32>(1)?.into(), row.try_get(2)?, text(row, 3));
        Ok(())
    })?;
    let columns = "param_name::text, param_value, distribution_json FROM trial_params";
    each(columns, "ORDER BY param_id", &mut |trial, row| {
        Ok(sets.take_param(trial, text(row, 1), row.try_get(2)?, text(row, 3))?)
    })?;
    let columns = "step, intermediate_value, intermediate_value_type::text FROM trial_intermediate_values";
    each(columns, "", &mut |trial, row| {
        assemble::take_intermediate(trial, row.try_get::<_, i32>(1)?.into(), row.try_get(2)?, text(row, 3));
        Ok(())
    })?;
    each("key::text, value_json FROM trial_user_attributes", "", &mut |trial, row| {
        Ok(assemble::take_user_attribute(trial, text(row, 1), text(row, 2))?)
    })?;
    each("key::text, value_json FROM trial_system_attributes", "", &mut |trial, row| {
        trial.system_attributes.insert(text(row, 1).to_owned(), text(row, 2).to_owned());
        Ok(())
    })?;
    Ok(batch.finish())
}

/// Takes in a row that belongs to a trial.
type Take<'a> = dyn FnMut(&mut FrozenTrial, &Row) -> Result<(), Failure> + 'a;

/// The text in a column; empty where there is none.
pub(super) fn text(row: &Row, index: usize) -> &str {
    row.try_get(index).unwrap_or_default()
}

/// The time in a column, which is UTC.
pub(super) fn time(row: &Row, index: usize) -> Result<Option<Timestamp>, Failure> {
    let stored: Option<SystemTime> = row.try_get(index)?;
    Ok(stored.and_then(|time| Timestamp::try_from(time).ok()))
}
