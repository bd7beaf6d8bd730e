//! Statements that write; each function belongs into one transaction.

use std::collections::HashSet;

use allometry_core::{Direction, TrialState};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::failure::Failure;
use super::super::read::require_study;
use super::super::write::next_number;
use crate::column::{self, stored_number, stored_time};
use crate::error::StoreError;
use crate::json;
use crate::optuna::{self, AttributeKind, Beside, TrialTemplate, WholeStudy};
use crate::store::{StudyId, TrialId};

/// Distributions that went with those of their parameter's other trials, as study, parameter and JSON.
pub(super) type Compatible = HashSet<(StudyId, String, String)>;

/// What hangs on a trial.
const OF_TRIALS: [&str; 6] = [
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_heartbeats",
];

/// What hangs on a study, its trials last.
const OF_STUDIES: [&str; 4] =
    ["study_user_attributes", "study_system_attributes", "study_directions", "trials"];

pub(super) fn study(db: &Connection, name: &str, directions: &[Direction]) -> Result<StudyId, Failure> {
    optuna::name("study's name", name)?;
    if directions.is_empty() {
        let problem = "a study has at least one".into();
        return Err(StoreError::Invalid { field: "directions".into(), problem }.into());
    }
    let taken: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM studies WHERE study_name = ?1)")?
        .query_row([name], |row| row.get(0))?;
    if taken {
        return Err(StoreError::NameTaken { name: name.into() }.into());
    }
    let id: i64 = db
        .prepare_cached(
            "INSERT INTO studies (study_id, study_name)
             SELECT 1 + max(ifnull((SELECT max(study_id) FROM studies), 0),
                            ifnull((SELECT last FROM allometry_ids WHERE kind = 'study'), 0)), ?1
             RETURNING study_id",
        )?
        .query_row([name], |row| row.get(0))?;
    let mut insert = db.prepare_cached(
        "INSERT INTO study_directions (direction, study_id, objective) VALUES (?1, ?2, ?3)",
    )?;
    for (objective, direction) in directions.iter().enumerate() {
        insert.execute(params![column::direction_name(*direction), id, objective as i64])?;
    }
    Ok(StudyId(id))
}

pub(super) fn delete_study(db: &Connection, study: StudyId) -> Result<(), Failure> {
    require_study(db, study)?;
    for table in OF_TRIALS {
        let sql = format!(
            "DELETE FROM {table} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?1)"
        );
        db.execute(&sql, [study.0])?;
    }
    for table in OF_STUDIES {
        db.execute(&format!("DELETE FROM {table} WHERE study_id = ?1"), [study.0])?;
    }
    db.execute("DELETE FROM studies WHERE study_id = ?1", [study.0])?;
    Ok(())
}

pub(super) fn study_attribute(
    db: &Connection,
    study: StudyId,
    kind: AttributeKind,
    key: &str,
    json: &str,
) -> Result<(), Failure> {
    require_study(db, study)?;
    optuna::attribute(key, json)?;
    let sql = match kind {
        AttributeKind::User => {
            "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES (?1, ?2, ?3)
             ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json"
        }
        AttributeKind::System => {
            "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES (?1, ?2, ?3)
             ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json"
        }
    };
    db.prepare_cached(sql)?.execute(params![study.0, key, json])?;
    Ok(())
}

/// A study with all that it has.
pub(super) fn whole_study(db: &Connection, whole: &WholeStudy) -> Result<StudyId, Failure> {
    let id = study(db, &whole.name, &whole.directions)?;
    for (kind, attributes) in whole.attributes() {
        for (key, json) in attributes {
            study_attribute(db, id, kind, key, json)?;
        }
    }
    let mut compatible = Compatible::new();
    for (number, trial) in whole.trials.iter().enumerate() {
        let made =
            templated_trial(db, id, &trial.template, &mut compatible).map_err(|failure| match failure {
                Failure::Store(error) => error.in_trial(number).into(),
                other => other,
            })?;
        beside(db, made, &trial.beside)?;
    }
    Ok(id)
}

/// What lies in Allometry's own tables.
fn beside(db: &Connection, trial: TrialId, beside: &Beside) -> Result<(), Failure> {
    for (step, metrics) in &beside.epoch_metrics {
        db.prepare_cached(
            "INSERT INTO allometry_epoch_metrics (trial_id, step, metrics_json) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![trial.0, step, json::write(&json::floats(metrics))])?;
    }
    if let Some(predictions) = column::predictions(beside.scores.as_ref(), beside.outputs.as_ref()) {
        let [rows, labels, scores] = predictions;
        db.prepare_cached(
            "INSERT INTO allometry_scores (trial_id, \"rows\", labels, scores) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![trial.0, rows, labels, scores])?;
    }
    if let Some(log) = &beside.log {
        db.prepare_cached("INSERT INTO allometry_logs (trial_id, tail) VALUES (?1, ?2)")?
            .execute(params![trial.0, log])?;
    }
    for late in &beside.late_tells {
        super::super::write::late(db, trial, late)?;
    }
    Ok(())
}

/// A trial that runs from now on.
pub(super) fn running_trial(db: &Connection, study: StudyId) -> Result<TrialId, Failure> {
    insert_trial(db, study, TrialState::Running, (Some(Timestamp::now()), None))
}

/// A trial as its template has it.
pub(super) fn templated_trial(
    db: &Connection,
    study: StudyId,
    template: &TrialTemplate,
    compatible: &mut Compatible,
) -> Result<TrialId, Failure> {
    let trial = insert_trial(db, study, template.state, (template.started, template.completed))?;
    values(db, trial, &template.values)?;
    for (name, internal, distribution) in &template.params {
        insert_param(db, study, trial, (name, *internal, distribution), compatible)?;
    }
    for (key, json) in &template.user_attributes {
        upsert_attribute(db, trial, AttributeKind::User, key, json)?;
    }
    for (key, json) in &template.system_attributes {
        upsert_attribute(db, trial, AttributeKind::System, key, json)?;
    }
    for (step, value) in &template.intermediate {
        upsert_intermediate(db, trial, *step, *value)?;
    }
    Ok(trial)
}

fn insert_trial(
    db: &Connection,
    study: StudyId,
    state: TrialState,
    (started, completed): (Option<Timestamp>, Option<Timestamp>),
) -> Result<TrialId, Failure> {
    require_study(db, study)?;
    let number = next_number(db, study)?;
    let id = db
        .prepare_cached(
            "INSERT INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete)
             SELECT 1 + max(ifnull((SELECT max(trial_id) FROM trials), 0),
                            ifnull((SELECT last FROM allometry_ids WHERE kind = 'trial'), 0)), ?1, ?2, ?3, ?4, ?5
             RETURNING trial_id",
        )?
        .query_row(
            params![
                number,
                study.0,
                column::state_name(state),
                started.map(stored_time),
                completed.map(stored_time)
            ],
            |row| row.get(0),
        )?;
    Ok(TrialId(id))
}

/// The study of a trial that may be written to, and where the trial stands.
fn unfinished(db: &Connection, trial: TrialId) -> Result<(StudyId, TrialState), Failure> {
    let found: Option<(i64, i64, String)> = db
        .prepare_cached("SELECT study_id, number, state FROM trials WHERE trial_id = ?1")?
        .query_row([trial.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((study, number, state)) = found else { return Err(StoreError::UnknownTrial(trial).into()) };
    let state = super::read::state(trial, &state)?;
    if state.is_finished() {
        return Err(StoreError::NotRunning { number: number as u64, state }.into());
    }
    Ok((StudyId(study), state))
}

/// Sets a parameter (name, number, distribution) unless the trial has it.
pub(super) fn param(
    db: &Connection,
    trial: TrialId,
    param: (&str, f64, &str),
    compatible: &mut Compatible,
) -> Result<(), Failure> {
    let (study, _) = unfinished(db, trial)?;
    insert_param(db, study, trial, param, compatible)
}

fn insert_param(
    db: &Connection,
    study: StudyId,
    trial: TrialId,
    (name, internal, distribution): (&str, f64, &str),
    compatible: &mut Compatible,
) -> Result<(), Failure> {
    optuna::parameter(name, internal, distribution)?;
    let key = (study, name.to_owned(), distribution.to_owned());
    if !compatible.contains(&key) {
        check_compatible(db, study, name, distribution)?;
    }
    db.prepare_cached(
        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (trial_id, param_name) DO NOTHING",
    )?
    .execute(params![trial.0, name, internal, distribution])?;
    compatible.insert(key);
    Ok(())
}

fn check_compatible(db: &Connection, study: StudyId, name: &str, given: &str) -> Result<(), Failure> {
    let stored: Option<String> = db
        .prepare_cached(
            "SELECT distribution_json FROM trials JOIN trial_params USING (trial_id)
             WHERE study_id = ?1 AND param_name = ?2 LIMIT 1",
        )?
        .query_row(params![study.0, name], |row| row.get(0))
        .optional()?;
    match stored {
        Some(stored) if !optuna::compatible(&stored, given) => {
            Err(StoreError::IncompatibleDistribution { parameter: name.into(), stored, given: given.into() }
                .into())
        }
        _ => Ok(()),
    }
}

/// Sets state and values; whether it did.
pub(super) fn state(
    db: &Connection,
    trial: TrialId,
    state: TrialState,
    given: &[f64],
) -> Result<bool, Failure> {
    let (_, before) = unfinished(db, trial)?;
    if state == TrialState::Running && before != TrialState::Waiting {
        return Ok(false);
    }
    values(db, trial, given)?;
    let now = stored_time(Timestamp::now());
    let name = column::state_name(state);
    let (sql, time) = match state {
        TrialState::Waiting => ("UPDATE trials SET state = ?2 WHERE trial_id = ?1 AND ?3 IS NULL", None),
        TrialState::Running => {
            ("UPDATE trials SET state = ?2, datetime_start = ?3 WHERE trial_id = ?1", Some(now))
        }
        _ => ("UPDATE trials SET state = ?2, datetime_complete = ?3 WHERE trial_id = ?1", Some(now)),
    };
    db.prepare_cached(sql)?.execute(params![trial.0, name, time])?;
    if state.is_finished() {
        db.prepare_cached("DELETE FROM allometry_leases WHERE trial_id = ?1")?.execute([trial.0])?;
    }
    Ok(true)
}

fn values(db: &Connection, trial: TrialId, values: &[f64]) -> Result<(), Failure> {
    let mut upsert = db.prepare_cached(
        "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (trial_id, objective) DO UPDATE SET value = excluded.value, value_type = excluded.value_type",
    )?;
    for (objective, value) in values.iter().enumerate() {
        if value.is_nan() {
            let problem = "NaN is no result; a trial without one fails".into();
            return Err(StoreError::Invalid { field: "values".into(), problem }.into());
        }
        let (value, kind) = stored_number(*value);
        upsert.execute(params![trial.0, objective as i64, value, kind])?;
    }
    Ok(())
}

pub(super) fn intermediate(db: &Connection, trial: TrialId, step: i64, value: f64) -> Result<(), Failure> {
    unfinished(db, trial)?;
    upsert_intermediate(db, trial, step, value)
}

fn upsert_intermediate(db: &Connection, trial: TrialId, step: i64, value: f64) -> Result<(), Failure> {
    let (value, kind) = stored_number(value);
    db.prepare_cached(
        "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
         VALUES (?1, ?2, ?3, ?4) ON CONFLICT (trial_id, step) DO UPDATE SET
         intermediate_value = excluded.intermediate_value, intermediate_value_type = excluded.intermediate_value_type",
    )?
    .execute(params![trial.0, step, value, kind])?;
    Ok(())
}

pub(super) fn trial_attribute(
    db: &Connection,
    trial: TrialId,
    kind: AttributeKind,
    key: &str,
    json: &str,
) -> Result<(), Failure> {
    unfinished(db, trial)?;
    upsert_attribute(db, trial, kind, key, json)
}

fn upsert_attribute(
    db: &Connection,
    trial: TrialId,
    kind: AttributeKind,
    key: &str,
    json: &str,
) -> Result<(), Failure> {
    optuna::attribute(key, json)?;
    let sql = match kind {
        AttributeKind::User => {
            "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (?1, ?2, ?3)
             ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json"
        }
        AttributeKind::System => {
            "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES (?1, ?2, ?3)
             ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json"
        }
    };
    db.prepare_cached(sql)?.execute(params![trial.0, key, json])?;
    Ok(())
}
