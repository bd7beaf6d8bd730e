//! Statements that write; each function belongs into one transaction.

use std::collections::{HashMap, HashSet};

use allometry_core::{EpochReport, Params, SearchSpace, TrialNumber, TrialRecord, TrialState};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::failure::Failure;
use super::read;
use crate::assemble::{self, EXACT_KEY, OWN_PREFIX, RECORD_KEY, SPACE_KEY};
use crate::column::{self, stored_number, stored_time};
use crate::distribution::{self, Placed};
use crate::error::StoreError;
use crate::json;
use crate::late::{LateTell, MOST_LATE_TELLS};
use crate::owner::Owner;
use crate::store::{
    Finished, FinishedState, NewStudy, NewTrial, Start, StudyId, TrialHandle, TrialId, metrics_of, settle,
};

/// Distributions known to be compatible, as study, parameter and JSON, with the text that is stored for them.
pub(super) type Compatible = HashMap<(StudyId, String, String), String>;

pub(super) fn study(db: &Connection, study: &NewStudy) -> Result<StudyId, Failure> {
    let taken: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM studies WHERE study_name = ?1)")?
        .query_row([&study.name], |row| row.get(0))?;
    if taken {
        return Err(StoreError::NameTaken { name: study.name.clone() }.into());
    }
    db.prepare_cached("INSERT INTO studies (study_name) VALUES (?1)")?.execute([&study.name])?;
    let id = StudyId(db.last_insert_rowid());
    let directions = std::iter::once(&study.direction).chain(&study.further);
    for (objective, direction) in directions.enumerate() {
        db.prepare_cached(
            "INSERT INTO study_directions (direction, study_id, objective) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![column::direction_name(*direction), id.0, objective as i64])?;
    }
    if let Some((key, text)) = assemble::metric_names(&study.metric_names) {
        db.prepare_cached(
            "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![id.0, key, text])?;
    }
    study_attribute(db, id, SPACE_KEY, &assemble::space_json(&study.space))?;
    for (key, value) in &study.attributes {
        study_attribute(db, id, key, value)?;
    }
    Ok(id)
}

pub(super) fn study_attribute(
    db: &Connection,
    study: StudyId,
    key: &str,
    value: &Value,
) -> Result<(), Failure> {
    db.prepare_cached(
        "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES (?1, ?2, ?3)
         ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json",
    )?
    .execute(params![study.0, format!("{OWN_PREFIX}{key}"), json::write(value)])?;
    Ok(())
}

pub(super) fn trial(
    db: &Connection,
    study: StudyId,
    new: &NewTrial<'_>,
    compatible: &mut Compatible,
) -> Result<TrialHandle, Failure> {
    let placed = distribution::place(new.params, new.space)?;
    read::require_study(db, study)?;
    let number = next_number(db, study)?;
    let (state, started) = match new.start {
        Start::Waiting => (TrialState::Waiting, None),
        Start::Running(_) | Start::Asked => (TrialState::Running, Some(stored_time(Timestamp::now()))),
    };
    db.prepare_cached(
        "INSERT INTO trials (number, study_id, state, datetime_start) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![number, study.0, column::state_name(state), started])?;
    let id = TrialId(db.last_insert_rowid());
    write_params(db, study, id, &placed, compatible)?;
    exact(db, id, new.params)?;
    record(db, id, new.record)?;
    match new.start {
        Start::Waiting => fixed_params(db, id, new.params)?,
        Start::Running(owner) => {
            lease(db, id, owner)?;
            heartbeats(db, &[id])?;
        }
        Start::Asked => {}
    }
    Ok(TrialHandle { id, number: TrialNumber(number.into()) })
}

pub(super) fn next_number(db: &Connection, study: StudyId) -> Result<u32, Failure> {
    let last: Option<u32> = db
        .prepare_cached("SELECT number FROM trials WHERE study_id = ?1 ORDER BY trial_id DESC LIMIT 1")?
        .query_row([study.0], |row| row.get(0))
        .optional()?;
    Ok(last.map_or(0, |last| last + 1))
}

fn write_params(
    db: &Connection,
    study: StudyId,
    trial: TrialId,
    placed: &[Placed<'_>],
    compatible: &mut Compatible,
) -> Result<(), Failure> {
    let mut insert = db.prepare_cached(
        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for Placed { name, distribution: given, internal } in placed {
        let key = (study, (*name).to_owned(), distribution::write(given));
        let text = if let Some(text) = compatible.get(&key) {
            text
        } else {
            let text = compatible_text(db, &key, given)?;
            compatible.entry(key).or_insert(text)
        };
        insert.execute(params![trial.0, name, internal, text])?;
    }
    Ok(())
}

/// Keeps the integers that the columns of parameters have no place for.
fn exact(db: &Connection, trial: TrialId, params: &Params) -> Result<(), Failure> {
    if let Some(text) = assemble::exact_json(params) {
        db.prepare_cached(
            "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (?1, ?2, ?3)
             ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
        )?
        .execute(params![trial.0, EXACT_KEY, text])?;
    }
    Ok(())
}

fn compatible_text(
    db: &Connection,
    (study, name, given_json): &(StudyId, String, String),
    given: &allometry_core::Distribution,
) -> Result<String, Failure> {
    let stored: Option<String> = db
        .prepare_cached(
            "SELECT distribution_json FROM trials JOIN trial_params USING (trial_id)
             WHERE study_id = ?1 AND param_name = ?2 LIMIT 1",
        )?
        .query_row(params![study.0, name], |row| row.get(0))
        .optional()?;
    let Some(stored) = stored else { return Ok(given_json.clone()) };
    Ok(assemble::compatible_text(name, stored, given, given_json)??)
}

/// Tells Optuna which parameters an enqueued trial must take.
fn fixed_params(db: &Connection, trial: TrialId, params: &Params) -> Result<(), Failure> {
    db.prepare_cached(
        "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES (?1, 'fixed_params', ?2)",
    )?
    .execute(params![trial.0, assemble::fixed_params_json(params)])?;
    Ok(())
}

/// Writes what differs from an empty record.
fn record(db: &Connection, trial: TrialId, record: &TrialRecord) -> Result<(), Failure> {
    let Some(text) = assemble::record_json(record) else {
        db.prepare_cached("DELETE FROM trial_user_attributes WHERE trial_id = ?1 AND key = ?2")?
            .execute(params![trial.0, RECORD_KEY])?;
        return Ok(());
    };
    let mut set = db.prepare_cached(
        "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (?1, ?2, ?3)
         ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
    )?;
    set.execute(params![trial.0, RECORD_KEY, text])?;
    for (key, text) in assemble::flat_record(record) {
        set.execute(params![trial.0, key, text])?;
    }
    Ok(())
}

fn lease(db: &Connection, trial: TrialId, owner: &Owner) -> Result<(), Failure> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO allometry_leases (trial_id, host, pid, process_start) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![trial.0, owner.host, owner.pid, owner.process_start])?;
    Ok(())
}

pub(super) fn heartbeats(db: &Connection, trials: &[TrialId]) -> Result<(), Failure> {
    let now = stored_time(Timestamp::now());
    let mut upsert = db.prepare_cached(
        "INSERT INTO trial_heartbeats (trial_id, heartbeat)
         SELECT trial_id, ?2 FROM trials WHERE trial_id = ?1 AND state = 'RUNNING'
         ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat",
    )?;
    for trial in trials {
        upsert.execute(params![trial.0, now])?;
    }
    Ok(())
}

pub(super) fn claim(
    db: &Connection,
    study: StudyId,
    owner: Option<&Owner>,
) -> Result<Option<TrialHandle>, Failure> {
    read::require_study(db, study)?;
    let first: Option<(i64, u32)> = db
        .prepare_cached(
            "SELECT trial_id, number FROM trials WHERE study_id = ?1 AND state = 'WAITING' ORDER BY trial_id LIMIT 1",
        )?
        .query_row([study.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, number)) = first else { return Ok(None) };
    let handle = TrialHandle { id: TrialId(id), number: TrialNumber(number.into()) };
    db.prepare_cached("UPDATE trials SET state = 'RUNNING', datetime_start = ?2 WHERE trial_id = ?1")?
        .execute(params![id, stored_time(Timestamp::now())])?;
    if let Some(owner) = owner {
        lease(db, handle.id, owner)?;
        heartbeats(db, &[handle.id])?;
    }
    place_fixed(db, study, handle)?;
    Ok(Some(handle))
}

/// Gives a trial that Optuna enqueued those of its parameters that the study's space has.
fn place_fixed(db: &Connection, study: StudyId, handle: TrialHandle) -> Result<(), Failure> {
    let Some(space) = read::space(db, study)? else { return Ok(()) };
    let trials = read::trials(db, study, handle.number)?;
    let first = trials.into_iter().next();
    let Some(fitting) = first.and_then(|trial| assemble::fitting(trial, &space)) else { return Ok(()) };
    let placed = distribution::place(&fitting, &space)?;
    write_params(db, study, handle.id, &placed, &mut Compatible::new())
}

pub(super) fn complete_params(
    db: &Connection,
    trial: TrialId,
    params: &Params,
    space: &SearchSpace,
    complete: &TrialRecord,
) -> Result<(), Failure> {
    read::require_running(db, trial)?;
    let study: i64 = db
        .prepare_cached("SELECT study_id FROM trials WHERE trial_id = ?1")?
        .query_row([trial.0], |row| row.get(0))?;
    let mut known = db.prepare_cached("SELECT param_name FROM trial_params WHERE trial_id = ?1")?;
    let known: HashSet<String> = known.query_map([trial.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let missing = assemble::missing(params, &known);
    let placed = distribution::place(&missing, space)?;
    write_params(db, StudyId(study), trial, &placed, &mut Compatible::new())?;
    exact(db, trial, params)?;
    record(db, trial, complete)
}

pub(super) fn reports(db: &Connection, trial: TrialId, reports: &[EpochReport]) -> Result<(), Failure> {
    let mut upsert = db.prepare_cached(
        "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
         VALUES (?1, ?2, ?3, ?4) ON CONFLICT (trial_id, step) DO UPDATE SET
         intermediate_value = excluded.intermediate_value, intermediate_value_type = excluded.intermediate_value_type",
    )?;
    for report in reports {
        let (value, kind) = stored_number(report.value);
        upsert.execute(params![trial.0, report.step, value, kind])?;
    }
    let mut upsert = db.prepare_cached(
        "INSERT OR REPLACE INTO allometry_epoch_metrics (trial_id, step, metrics_json) VALUES (?1, ?2, ?3)",
    )?;
    for (step, metrics) in metrics_of(reports) {
        upsert.execute(params![trial.0, step, json::write(&json::floats(metrics))])?;
    }
    Ok(())
}

pub(super) fn finish(
    db: &Connection,
    trial: TrialId,
    state: FinishedState,
    finished: &Finished,
) -> Result<TrialState, Failure> {
    read::require_running(db, trial)?;
    reports(db, trial, &finished.reports)?;
    let last = read::last_intermediate(db, trial)?;
    let (state, values) = settle(state, finished, || last);
    db.prepare_cached("UPDATE trials SET state = ?2, datetime_complete = ?3 WHERE trial_id = ?1")?
        .execute(params![trial.0, column::state_name(state), stored_time(Timestamp::now())])?;
    for (objective, value) in values.into_iter().enumerate() {
        let (value, kind) = stored_number(value);
        db.prepare_cached(
            "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![trial.0, objective as i64, value, kind])?;
    }
    record(db, trial, &finished.record)?;
    for (key, text) in finished.constraints.attributes() {
        db.prepare_cached(
            "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES (?1, ?2, ?3)
             ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
        )?
        .execute(params![trial.0, key, text])?;
    }
    if let Some([rows, labels, scores]) =
        column::predictions(finished.scores.as_ref(), finished.outputs.as_ref())
    {
        db.prepare_cached(
            "INSERT INTO allometry_scores (trial_id, \"rows\", labels, scores) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![trial.0, rows, labels, scores])?;
    }
    if let Some(log) = &finished.log {
        db.prepare_cached("INSERT INTO allometry_logs (trial_id, tail) VALUES (?1, ?2)")?
            .execute(params![trial.0, log])?;
    }
    db.prepare_cached("DELETE FROM allometry_leases WHERE trial_id = ?1")?.execute([trial.0])?;
    Ok(state)
}

pub(super) fn late(db: &Connection, trial: TrialId, late: &LateTell) -> Result<(), Failure> {
    db.prepare_cached(
        "INSERT INTO allometry_late_tells (trial_id, tell_json) SELECT trial_id, ?2 FROM trials WHERE trial_id = ?1
         AND (SELECT count(*) FROM allometry_late_tells WHERE trial_id = ?1) < ?3",
    )?
    .execute(params![trial.0, late.to_json(), MOST_LATE_TELLS as i64])?;
    Ok(())
}
