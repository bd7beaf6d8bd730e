//! Statements that write; each function belongs into one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use allometry_core::{EpochReport, Params, SearchSpace, TrialNumber, TrialRecord, TrialState};
use serde_json::Value;

use super::failure::Failure;
use super::read;
use super::session::Db;
use crate::assemble::{self, EXACT_KEY, Malformed, OWN_PREFIX, RECORD_KEY, SPACE_KEY};
use crate::column::{self, stored_number};
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

pub(super) fn study(db: &mut Db<'_>, study: &NewStudy) -> Result<StudyId, Failure> {
    let made = db.first(
        "INSERT INTO studies (study_name) VALUES ($1) ON CONFLICT (study_name) DO NOTHING RETURNING study_id",
        &[&study.name],
    )?;
    let made = made.ok_or_else(|| StoreError::NameTaken { name: study.name.clone() })?;
    let key: i32 = made.try_get(0)?;
    let directions = std::iter::once(&study.direction).chain(&study.further);
    let directions: Vec<&str> = directions.map(|direction| column::direction_name(*direction)).collect();
    db.execute(
        "INSERT INTO study_directions (direction, study_id, objective)
         SELECT direction::studydirection, $2, (place - 1)::int
         FROM unnest($1::text[]) WITH ORDINALITY AS objectives (direction, place)",
        &[&directions, &key],
    )?;
    if let Some((name, text)) = assemble::metric_names(&study.metric_names) {
        db.execute(
            "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES ($1, $2, $3)",
            &[&key, &name, &text],
        )?;
    }
    study_attribute(db, key, SPACE_KEY, &assemble::space_json(&study.space))?;
    for (name, value) in &study.attributes {
        study_attribute(db, key, name, value)?;
    }
    Ok(StudyId(key.into()))
}

pub(super) fn study_attribute(db: &mut Db<'_>, study: i32, key: &str, value: &Value) -> Result<(), Failure> {
    db.execute(
        "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES ($1, $2, $3)
         ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json",
        &[&study, &format!("{OWN_PREFIX}{key}"), &json::write(value)],
    )?;
    Ok(())
}

/// Keeps others from making trials of a study until the transaction ends; returns its key and the next trial's number.
pub(super) fn lock_numbers(db: &mut Db<'_>, study: StudyId) -> Result<(i32, i32), Failure> {
    let key = read::study_key(study)?;
    db.first("SELECT 1 FROM studies WHERE study_id = $1 FOR UPDATE", &[&key])?
        .ok_or(StoreError::UnknownStudy(study))?;
    let last =
        db.first("SELECT number FROM trials WHERE study_id = $1 ORDER BY trial_id DESC LIMIT 1", &[&key])?;
    Ok((key, last.map_or(0, |row| row.get::<_, i32>(0) + 1)))
}

/// Makes the trial of that number in a study whose numbers are locked.
pub(super) fn trial(
    db: &mut Db<'_>,
    (study, number): (i32, i32),
    new: &NewTrial<'_>,
    known: &Compatible,
    found: &mut Compatible,
) -> Result<TrialHandle, Failure> {
    let placed = distribution::place(new.params, new.space)?;
    let mut params = Columns::of(&placed);
    params.take_compatible(db, study, &placed, known, found)?;
    let (state, owner, fixed) = match new.start {
        Start::Waiting => (TrialState::Waiting, None, Some(assemble::fixed_params_json(new.params))),
        Start::Running(owner) => (TrialState::Running, Some(owner), None),
        Start::Asked => (TrialState::Running, None, None),
    };
    let row = db.first(
        "WITH made AS (
             INSERT INTO trials (number, study_id, state, datetime_start)
             VALUES ($1, $2, $3::text::trialstate,
                     CASE WHEN $3 = 'RUNNING' THEN clock_timestamp() AT TIME ZONE 'UTC' END)
             RETURNING trial_id
         ), placed AS (
             INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
             SELECT trial_id, name, internal, json
             FROM made, unnest($4::text[], $5::float8[], $6::text[]) WITH ORDINALITY AS u (name, internal, json, place)
             ORDER BY place
         ), recorded AS (
             INSERT INTO trial_user_attributes (trial_id, key, value_json)
             SELECT trial_id, $7::text, $8::text FROM made WHERE $8 IS NOT NULL
         ), exact AS (
             INSERT INTO trial_user_attributes (trial_id, key, value_json)
             SELECT trial_id, $13::text, $14::text FROM made WHERE $14 IS NOT NULL
         ), fixed AS (
             INSERT INTO trial_system_attributes (trial_id, key, value_json)
             SELECT trial_id, 'fixed_params', $9::text FROM made WHERE $9 IS NOT NULL
         ), leased AS (
             INSERT INTO allometry_leases (trial_id, host, pid, process_start, heartbeat)
             SELECT trial_id, $10::text, $11::bigint, $12::text, clock_timestamp() FROM made WHERE $10 IS NOT NULL
         ), beaten AS (
             INSERT INTO trial_heartbeats (trial_id, heartbeat)
             SELECT trial_id, clock_timestamp() FROM made WHERE $10 IS NOT NULL
         )
         SELECT trial_id FROM made",
        &[
            &number,
            &study,
            &column::state_name(state),
            &params.names,
            &params.internals,
            &params.sets,
            &RECORD_KEY,
            &assemble::record_json(new.record),
            &fixed,
            &owner.map(|owner| &owner.host),
            &owner.map(|owner| i64::from(owner.pid)),
            &owner.map(|owner| &owner.process_start),
            &EXACT_KEY,
            &assemble::exact_json(new.params),
        ],
    )?;
    let row = row.expect("an insertion returns its row");
    Ok(handle(row.try_get(0)?, number))
}

fn handle(id: i32, number: i32) -> TrialHandle {
    let number = TrialNumber(u64::try_from(number).unwrap_or_default());
    TrialHandle { id: TrialId(id.into()), number }
}

/// Parameters column by column.
struct Columns<'a> {
    names: Vec<&'a str>,
    internals: Vec<f64>,
    sets: Vec<String>,
}

impl<'a> Columns<'a> {
    fn of(placed: &[Placed<'a>]) -> Self {
        Self {
            names: placed.iter().map(|place| place.name).collect(),
            internals: placed.iter().map(|place| place.internal).collect(),
            sets: placed.iter().map(|place| distribution::write(place.distribution)).collect(),
        }
    }

    /// Checks the distributions that are not `known` against the stored ones, and takes over their texts; those that fit are
    /// `found`.
    fn take_compatible(
        &mut self,
        db: &mut Db<'_>,
        study: i32,
        placed: &[Placed<'_>],
        known: &Compatible,
        found: &mut Compatible,
    ) -> Result<(), Failure> {
        for (Placed { name, distribution: given, .. }, given_json) in placed.iter().zip(&mut self.sets) {
            let key = (StudyId(study.into()), (*name).to_owned(), given_json.clone());
            if let Some(text) = known.get(&key) {
                given_json.clone_from(text);
                continue;
            }
            let stored = db.first(
                "SELECT distribution_json FROM trials JOIN trial_params USING (trial_id)
                 WHERE study_id = $1 AND param_name = $2 LIMIT 1",
                &[&study, name],
            )?;
            let stored: Option<String> = stored.map(|row| row.try_get(0)).transpose()?;
            if let Some(stored) = stored {
                *given_json = assemble::compatible_text(name, stored, given, given_json)??;
            }
            found.insert(key, given_json.clone());
        }
        Ok(())
    }
}

fn write_params(db: &mut Db<'_>, study: i32, trial: i32, placed: &[Placed<'_>]) -> Result<(), Failure> {
    let mut params = Columns::of(placed);
    params.take_compatible(db, study, placed, &Compatible::new(), &mut Compatible::new())?;
    db.execute(
        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
         SELECT $1, name, internal, json
         FROM unnest($2::text[], $3::float8[], $4::text[]) WITH ORDINALITY AS u (name, internal, json, place)
         ORDER BY place",
        &[&trial, &params.names, &params.internals, &params.sets],
    )?;
    Ok(())
}

/// Writes what differs from an empty record.
fn record(db: &mut Db<'_>, trial: i32, record: &TrialRecord) -> Result<(), Failure> {
    match assemble::record_json(record) {
        None => db.execute(
            "DELETE FROM trial_user_attributes WHERE trial_id = $1 AND key = $2",
            &[&trial, &RECORD_KEY],
        )?,
        Some(text) => {
            let flat = assemble::flat_record(record);
            let (mut keys, mut texts): (Vec<&str>, Vec<&str>) =
                flat.iter().map(|(key, text)| (key.as_str(), text.as_str())).unzip();
            keys.push(RECORD_KEY);
            texts.push(&text);
            db.execute(
                "INSERT INTO trial_user_attributes (trial_id, key, value_json)
                 SELECT $1, key, json FROM unnest($2::text[], $3::text[]) AS u (key, json)
                 ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
                &[&trial, &keys, &texts],
            )?
        }
    };
    Ok(())
}

/// Sets one of our own attributes of a trial.
fn set_own(db: &mut Db<'_>, trial: i32, key: &str, text: &str) -> Result<(), Failure> {
    db.execute(
        "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES ($1, $2, $3)
         ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
        &[&trial, &key, &text],
    )?;
    Ok(())
}

pub(super) fn heartbeats(db: &mut Db<'_>, trials: &[TrialId]) -> Result<(), Failure> {
    let keys: Vec<i32> = trials.iter().filter_map(|trial| i32::try_from(trial.0).ok()).collect();
    db.execute(
        "WITH running AS (
             SELECT trial_id FROM trials WHERE trial_id = ANY($1) AND state = 'RUNNING' ORDER BY trial_id
         ), leased AS (
             UPDATE allometry_leases SET heartbeat = clock_timestamp()
             WHERE trial_id IN (SELECT trial_id FROM running)
         )
         INSERT INTO trial_heartbeats (trial_id, heartbeat) SELECT trial_id, clock_timestamp() FROM running
         ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat",
        &[&keys],
    )?;
    Ok(())
}

pub(super) fn claim(
    db: &mut Db<'_>,
    study: StudyId,
    owner: Option<&Owner>,
) -> Result<Option<TrialHandle>, Failure> {
    let key = read::require_study(db, study)?;
    // A trial that another claims at this moment is passed over, so that nobody waits for anybody.
    let claimed = db.first(
        "UPDATE trials SET state = 'RUNNING', datetime_start = clock_timestamp() AT TIME ZONE 'UTC'
         WHERE trial_id = (
             SELECT trial_id FROM trials WHERE study_id = $1 AND state = 'WAITING'
             ORDER BY trial_id LIMIT 1 FOR UPDATE SKIP LOCKED
         ) RETURNING trial_id, number",
        &[&key],
    )?;
    let Some(row) = claimed else { return Ok(None) };
    let (id, number): (i32, i32) = (row.try_get(0)?, row.try_get(1)?);
    if let Some(owner) = owner {
        db.execute(
            "INSERT INTO allometry_leases (trial_id, host, pid, process_start, heartbeat)
             VALUES ($1, $2, $3, $4, clock_timestamp())
             ON CONFLICT (trial_id) DO UPDATE SET host = excluded.host, pid = excluded.pid,
             process_start = excluded.process_start, heartbeat = excluded.heartbeat",
            &[&id, &owner.host, &i64::from(owner.pid), &owner.process_start],
        )?;
        heartbeats(db, &[TrialId(id.into())])?;
    }
    let handle = handle(id, number);
    place_fixed(db, study, key, handle)?;
    Ok(Some(handle))
}

/// Gives a trial that Optuna enqueued those of its parameters that the study's space has.
fn place_fixed(db: &mut Db<'_>, study: StudyId, key: i32, handle: TrialHandle) -> Result<(), Failure> {
    let Some(space) = read::space(db, key)? else { return Ok(()) };
    let first = read::trials(db, study, handle.number)?.into_iter().next();
    let Some(fitting) = first.and_then(|trial| assemble::fitting(trial, &space)) else { return Ok(()) };
    let placed = distribution::place(&fitting, &space)?;
    write_params(db, key, read::trial_key(handle.id)?, &placed)
}

pub(super) fn complete_params(
    db: &mut Db<'_>,
    trial: TrialId,
    params: &Params,
    space: &SearchSpace,
    complete: &TrialRecord,
) -> Result<(), Failure> {
    let (key, study) = read::lock_running(db, trial)?;
    let known = db.query("SELECT param_name::text FROM trial_params WHERE trial_id = $1", &[&key])?;
    let known: HashSet<String> = known.iter().map(|row| row.get(0)).collect();
    let missing = assemble::missing(params, &known);
    let placed = distribution::place(&missing, space)?;
    write_params(db, study, key, &placed)?;
    if let Some(text) = assemble::exact_json(params) {
        set_own(db, key, EXACT_KEY, &text)?;
    }
    record(db, key, complete)
}

pub(super) fn reports(db: &mut Db<'_>, trial: i32, reports: &[EpochReport]) -> Result<(), Failure> {
    // One statement cannot write a row twice: of equal steps the last counts.
    let by_step: BTreeMap<i64, f64> = reports.iter().map(|report| (report.step, report.value)).collect();
    let metrics: BTreeMap<i64, String> =
        metrics_of(reports).map(|(step, metrics)| (step, json::write(&json::floats(metrics)))).collect();
    if !by_step.is_empty() {
        let (values, kinds): (Vec<Option<f64>>, Vec<&str>) =
            by_step.values().map(|value| stored_number(*value)).unzip();
        db.execute(
            "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
             SELECT $1, step, value, kind::trialintermediatevaluetype
             FROM unnest($2::int4[], $3::float8[], $4::text[]) AS u (step, value, kind)
             ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value,
             intermediate_value_type = excluded.intermediate_value_type",
            &[&trial, &steps(by_step.keys())?, &values, &kinds],
        )?;
    }
    if !metrics.is_empty() {
        let texts: Vec<&String> = metrics.values().collect();
        db.execute(
            "INSERT INTO allometry_epoch_metrics (trial_id, step, metrics_json)
             SELECT $1, step, text FROM unnest($2::int4[], $3::text[]) AS u (step, text)
             ON CONFLICT (trial_id, step) DO UPDATE SET metrics_json = excluded.metrics_json",
            &[&trial, &steps(metrics.keys())?, &texts],
        )?;
    }
    Ok(())
}

fn steps<'a>(steps: impl Iterator<Item = &'a i64>) -> Result<Vec<i32>, Failure> {
    let step = |step: &i64| {
        i32::try_from(*step).map_err(|_| {
            Malformed::new("trial_intermediate_values", format!("step {step} has no place in 32 bits"))
        })
    };
    Ok(steps.map(step).collect::<Result<_, _>>()?)
}

pub(super) fn finish(
    db: &mut Db<'_>,
    trial: TrialId,
    state: FinishedState,
    finished: &Finished,
) -> Result<TrialState, Failure> {
    let (key, _) = read::lock_running(db, trial)?;
    reports(db, key, &finished.reports)?;
    let last = match state {
        FinishedState::Pruned => read::last_intermediate(db, key)?,
        FinishedState::Complete | FinishedState::Failed => None,
    };
    let (state, values) = settle(state, finished, || last);
    let (values, kinds): (Vec<Option<f64>>, Vec<&str>) = values.into_iter().map(stored_number).unzip();
    record(db, key, &finished.record)?;
    let (keys, texts): (Vec<String>, Vec<String>) = finished.constraints.attributes().into_iter().unzip();
    if !keys.is_empty() {
        db.execute(
            "INSERT INTO trial_system_attributes (trial_id, key, value_json)
             SELECT $1, key, value FROM unnest($2::text[], $3::text[]) AS told (key, value)
             ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
            &[&key, &keys, &texts],
        )?;
    }
    let [rows, labels, scores] = column::predictions(finished.scores.as_ref(), finished.outputs.as_ref())
        .map_or([const { None }; 3], |columns| columns.map(Some));
    db.execute(
        "WITH ended AS (
             UPDATE trials SET state = $2::text::trialstate, datetime_complete = clock_timestamp() AT TIME ZONE 'UTC'
             WHERE trial_id = $1
         ), valued AS (
             INSERT INTO trial_values (trial_id, objective, value, value_type)
             SELECT $1, (place - 1)::int, value, kind::trialvaluetype
             FROM unnest($3::float8[], $4::text[]) WITH ORDINALITY AS told (value, kind, place)
         ), scored AS (
             INSERT INTO allometry_scores (trial_id, \"rows\", labels, scores)
             SELECT $1, $5::bytea, $6::bytea, $7::bytea WHERE $5 IS NOT NULL
         ), logged AS (
             INSERT INTO allometry_logs (trial_id, tail) SELECT $1, $8::text WHERE $8 IS NOT NULL
         )
         DELETE FROM allometry_leases WHERE trial_id = $1",
        &[
            &key,
            &column::state_name(state),
            &values,
            &kinds,
            &rows,
            &labels,
            &scores,
            // A text of PostgreSQL has any character but this.
            &finished.log.as_ref().map(|log| log.replace('\0', "\u{FFFD}")),
        ],
    )?;
    Ok(state)
}

pub(super) fn late(db: &mut Db<'_>, trial: TrialId, late: &LateTell) -> Result<(), Failure> {
    db.execute(
        "INSERT INTO allometry_late_tells (trial_id, tell_json) SELECT trial_id, $2::text FROM trials WHERE trial_id = $1
         AND (SELECT count(*) FROM allometry_late_tells WHERE trial_id = $1) < $3",
        &[&read::trial_key(trial)?, &late.to_json(), &(MOST_LATE_TELLS as i64)],
    )?;
    Ok(())
}
