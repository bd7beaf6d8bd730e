//! Statements that write. Those that take a [`Commit`] are transactions of their own: what they do and the commit's name come
//! from the rows of `open`, which is empty where nothing is done.

use std::time::{Duration, SystemTime};

use allometry_core::{Direction, TrialState};
use jiff::Timestamp;

use super::super::failure::Failure;
use super::super::read::trial_key;
use super::super::session::{Commit, Db, Values};
use super::super::write::lock_numbers;
use crate::assemble::Malformed;
use crate::column::{self, stored_number};
use crate::error::StoreError;
use crate::json;
use crate::optuna::{self, AttributeKind, Beside, TrialTemplate, WholeStudy};
use crate::store::{StudyId, TrialId};

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

/// Keeps the trial `$3` from ending before the transaction does, where it has not ended.
const OPEN_TRIAL: &str = "open AS (
    SELECT trial_id FROM trials WHERE trial_id = $3 AND state IN ('RUNNING', 'WAITING') FOR NO KEY UPDATE
)";

/// Writes the commit `$2` of the writer `$1` where there is a row of `open`.
const WRITTEN: &str = "written AS (
    INSERT INTO allometry_writers (writer, last_commit, at) SELECT $1, $2, now() FROM open
    ON CONFLICT (writer) DO UPDATE SET last_commit = excluded.last_commit, at = excluded.at
)";

fn invalid(field: &str, problem: impl Into<String>) -> StoreError {
    StoreError::Invalid { field: field.into(), problem: problem.into() }
}

/// A text that the database can hold.
pub(super) fn text(field: &str, text: &str) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(invalid(field, "PostgreSQL has no place for the character NUL in a text"));
    }
    Ok(())
}

/// A step that its column can hold.
pub(super) fn step(step: i64) -> Result<i32, StoreError> {
    i32::try_from(step).map_err(|_| invalid("step", format!("{step} has no place in 32 bits")))
}

pub(super) fn check_values(values: &[f64]) -> Result<(), StoreError> {
    if values.iter().any(|value| value.is_nan()) {
        return Err(invalid("values", "NaN is no result; a trial without one fails"));
    }
    Ok(())
}

pub(super) fn check_param(name: &str, internal: f64, distribution: &str) -> Result<(), StoreError> {
    text("parameter's name", name)?;
    optuna::parameter(name, internal, distribution)
}

pub(super) fn check_study(name: &str, directions: &[Direction]) -> Result<(), StoreError> {
    text("study's name", name)?;
    optuna::name("study's name", name)?;
    if directions.is_empty() {
        return Err(invalid("directions", "a study has at least one"));
    }
    Ok(())
}

pub(super) fn check_template(template: &TrialTemplate) -> Result<(), StoreError> {
    check_values(&template.values)?;
    for (name, internal, distribution) in &template.params {
        check_param(name, *internal, distribution)?;
    }
    for (key, json) in template.user_attributes.iter().chain(&template.system_attributes) {
        text("attribute's key", key)?;
        optuna::attribute(key, json)?;
    }
    template.intermediate.keys().try_for_each(|key| step(*key).map(drop))
}

pub(super) fn check_whole_study(whole: &WholeStudy) -> Result<(), StoreError> {
    check_study(&whole.name, &whole.directions)?;
    for (key, json) in whole.attributes().into_iter().flat_map(|(_, attributes)| attributes) {
        text("attribute's key", key)?;
        optuna::attribute(key, json)?;
    }
    for (number, trial) in whole.trials.iter().enumerate() {
        check_template(&trial.template).map_err(|error| error.in_trial(number))?;
    }
    Ok(())
}

/// A study with all that it has, which was checked.
pub(super) fn whole_study(db: &mut Db<'_>, whole: &WholeStudy) -> Result<StudyId, Failure> {
    let id = study(db, &whole.name, &whole.directions)?;
    for (kind, attributes) in whole.attributes() {
        let (keys, texts): (Vec<&String>, Vec<&String>) = attributes.iter().unzip();
        let table = match kind {
            AttributeKind::User => "study_user_attributes",
            AttributeKind::System => "study_system_attributes",
        };
        let sql = format!(
            "INSERT INTO {table} (study_id, key, value_json)
             SELECT $1, key, json FROM unnest($2::text[], $3::text[]) AS u (key, json)"
        );
        db.execute(&sql, &[&(id.0 as i32), &keys, &texts])?;
    }
    for trial in &whole.trials {
        let made = templated_trial(db, id, &trial.template)?;
        beside(db, made.0 as i32, &trial.beside)?;
    }
    Ok(id)
}

/// What lies in Allometry's own tables.
fn beside(db: &mut Db<'_>, trial: i32, beside: &Beside) -> Result<(), Failure> {
    for (key, metrics) in &beside.epoch_metrics {
        let metrics = json::write(&json::floats(metrics));
        db.execute(
            "INSERT INTO allometry_epoch_metrics (trial_id, step, metrics_json) VALUES ($1, $2, $3)",
            &[&trial, &step(*key)?, &metrics],
        )?;
    }
    if let Some(predictions) = column::predictions(beside.scores.as_ref(), beside.outputs.as_ref()) {
        let [rows, labels, scores] = predictions;
        db.execute(
            "INSERT INTO allometry_scores (trial_id, \"rows\", labels, scores) VALUES ($1, $2, $3, $4)",
            &[&trial, &rows, &labels, &scores],
        )?;
    }
    if let Some(log) = &beside.log {
        // A text of PostgreSQL has any character but this.
        let log = log.replace('\0', "\u{FFFD}");
        db.execute("INSERT INTO allometry_logs (trial_id, tail) VALUES ($1, $2)", &[&trial, &log])?;
    }
    for late in &beside.late_tells {
        super::super::write::late(db, TrialId(trial.into()), late)?;
    }
    Ok(())
}

pub(super) fn study(db: &mut Db<'_>, name: &str, directions: &[Direction]) -> Result<StudyId, Failure> {
    let made = db.first(
        "INSERT INTO studies (study_name) VALUES ($1) ON CONFLICT (study_name) DO NOTHING RETURNING study_id",
        &[&name],
    )?;
    let made = made.ok_or_else(|| StoreError::NameTaken { name: name.into() })?;
    let key: i32 = made.try_get(0)?;
    let names: Vec<&str> = directions.iter().map(|direction| column::direction_name(*direction)).collect();
    db.execute(
        "INSERT INTO study_directions (direction, study_id, objective)
         SELECT name::studydirection, $1, place - 1 FROM unnest($2::text[]) WITH ORDINALITY AS u (name, place)",
        &[&key, &names],
    )?;
    Ok(StudyId(key.into()))
}

pub(super) fn delete_study(db: &mut Db<'_>, study: StudyId) -> Result<(), Failure> {
    let (key, _) = lock_numbers(db, study)?;
    // Whoever writes to one of its trials ends first.
    db.execute("SELECT 1 FROM trials WHERE study_id = $1 ORDER BY trial_id FOR UPDATE", &[&key])?;
    for table in OF_TRIALS {
        let sql = format!(
            "DELETE FROM {table} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)"
        );
        db.execute(&sql, &[&key])?;
    }
    for table in OF_STUDIES {
        db.execute(&format!("DELETE FROM {table} WHERE study_id = $1"), &[&key])?;
    }
    db.execute("DELETE FROM studies WHERE study_id = $1", &[&key])?;
    Ok(())
}

pub(super) fn study_attribute(
    db: &mut Db<'_>,
    commit: &Commit,
    study: i32,
    kind: AttributeKind,
    key: &str,
    json: &str,
) -> Result<(), Failure> {
    let table = match kind {
        AttributeKind::User => "study_user_attributes",
        AttributeKind::System => "study_system_attributes",
    };
    let sql = format!(
        "WITH open AS (SELECT study_id FROM studies WHERE study_id = $3 FOR KEY SHARE), {WRITTEN}, done AS (
             INSERT INTO {table} (study_id, key, value_json) SELECT study_id, $4, $5 FROM open
             ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json
         ) SELECT count(*) FROM open"
    );
    let row = db.first(&sql, &[&commit.writer, &commit.number, &study, &key, &json])?;
    if row.is_some_and(|row| row.get::<_, i64>(0) == 1) {
        return Ok(());
    }
    Err(StoreError::UnknownStudy(StudyId(study.into())).into())
}

/// A trial that runs from now on.
pub(super) fn running_trial(db: &mut Db<'_>, study: StudyId) -> Result<TrialId, Failure> {
    let (key, number) = lock_numbers(db, study)?;
    let row = db.first(
        "INSERT INTO trials (number, study_id, state, datetime_start)
         VALUES ($1, $2, 'RUNNING', clock_timestamp() AT TIME ZONE 'UTC') RETURNING trial_id",
        &[&number, &key],
    )?;
    Ok(TrialId(row.expect("an insertion returns its row").try_get::<_, i32>(0)?.into()))
}

/// A trial as its template, which was checked, has it.
pub(super) fn templated_trial(
    db: &mut Db<'_>,
    study: StudyId,
    template: &TrialTemplate,
) -> Result<TrialId, Failure> {
    let (key, number) = lock_numbers(db, study)?;
    let row = db.first(
        "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
         VALUES ($1, $2, $3::text::trialstate, $4, $5) RETURNING trial_id",
        &[
            &number,
            &key,
            &column::state_name(template.state),
            &template.started.map(system_time),
            &template.completed.map(system_time),
        ],
    )?;
    let trial: i32 = row.expect("an insertion returns its row").try_get(0)?;
    let (values, kinds) = columns(&template.values);
    db.execute(
        "INSERT INTO trial_values (trial_id, objective, value, value_type)
         SELECT $1, place - 1, value, kind::trialvaluetype
         FROM unnest($2::float8[], $3::text[]) WITH ORDINALITY AS u (value, kind, place)",
        &[&trial, &values, &kinds],
    )?;
    for (name, internal, distribution) in &template.params {
        insert_param(db, key, trial, (name, *internal, distribution))?;
    }
    for (table, attributes) in [
        ("trial_user_attributes", &template.user_attributes),
        ("trial_system_attributes", &template.system_attributes),
    ] {
        let (keys, texts): (Vec<&String>, Vec<&String>) = attributes.iter().unzip();
        let sql = format!(
            "INSERT INTO {table} (trial_id, key, value_json)
             SELECT $1, key, json FROM unnest($2::text[], $3::text[]) AS u (key, json)"
        );
        db.execute(&sql, &[&trial, &keys, &texts])?;
    }
    let steps: Vec<i32> = template.intermediate.keys().map(|key| step(*key)).collect::<Result<_, _>>()?;
    let (values, kinds) = columns(template.intermediate.values());
    db.execute(
        "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
         SELECT $1, step, value, kind::trialintermediatevaluetype
         FROM unnest($2::int4[], $3::float8[], $4::text[]) AS u (step, value, kind)",
        &[&trial, &steps, &values, &kinds],
    )?;
    Ok(TrialId(trial.into()))
}

fn system_time(time: Timestamp) -> SystemTime {
    let since = Duration::from_nanos(time.as_nanosecond().unsigned_abs() as u64);
    if time < Timestamp::UNIX_EPOCH { SystemTime::UNIX_EPOCH - since } else { SystemTime::UNIX_EPOCH + since }
}

/// Numbers and their types, column by column.
fn columns<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> (Vec<Option<f64>>, Vec<&'static str>) {
    numbers.into_iter().map(|number| stored_number(*number)).unzip()
}

/// The study of a trial that may be written to.
///
/// # Errors
/// [`StoreError::UnknownTrial`] or [`StoreError::NotRunning`].
pub(super) fn require_unfinished(db: &mut Db<'_>, trial: TrialId) -> Result<(i32, TrialState), Failure> {
    let found = db.first(
        "SELECT study_id, number, state::text FROM trials WHERE trial_id = $1",
        &[&trial_key(trial)?],
    )?;
    let row = found.ok_or(StoreError::UnknownTrial(trial))?;
    let name: &str = row.try_get(2)?;
    let state = column::state(name).ok_or_else(|| {
        Malformed::new(format!("trial with id {trial}"), format!("state `{name}` is unknown"))
    })?;
    if state.is_finished() {
        let number = u64::try_from(row.try_get::<_, i32>(1)?).unwrap_or_default();
        return Err(StoreError::NotRunning { number, state }.into());
    }
    Ok((row.try_get(0)?, state))
}

/// Keeps others from setting new parameters in the study of an unfinished trial until the transaction ends, and the trial from
/// ending. Returns the study.
pub(super) fn lock_params(db: &mut Db<'_>, trial: TrialId) -> Result<i32, Failure> {
    let (study, _) = require_unfinished(db, trial)?;
    db.execute("SELECT 1 FROM studies WHERE study_id = $1 FOR NO KEY UPDATE", &[&study])?;
    db.execute("SELECT 1 FROM trials WHERE trial_id = $1 FOR NO KEY UPDATE", &[&trial_key(trial)?])?;
    require_unfinished(db, trial)?;
    Ok(study)
}

/// Gives a trial a parameter (name, number, distribution) unless it has it.
pub(super) fn insert_param(
    db: &mut Db<'_>,
    study: i32,
    trial: i32,
    (name, internal, distribution): (&str, f64, &str),
) -> Result<(), Failure> {
    // The last trials are the likeliest to have it.
    let stored = db.first(
        "SELECT distribution_json FROM (SELECT trial_id FROM trials WHERE study_id = $1 ORDER BY trial_id DESC) AS last
         CROSS JOIN LATERAL (
             SELECT distribution_json FROM trial_params
             WHERE trial_params.trial_id = last.trial_id AND param_name = $2 OFFSET 0
         ) AS param LIMIT 1",
        &[&study, &name],
    )?;
    let stored: Option<String> = stored.map(|row| row.try_get(0)).transpose()?;
    if let Some(stored) = stored.filter(|stored| !optuna::compatible(stored, distribution)) {
        let given = distribution.into();
        return Err(StoreError::IncompatibleDistribution { parameter: name.into(), stored, given }.into());
    }
    db.execute(
        "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES ($1, $2, $3, $4)
         ON CONFLICT (trial_id, param_name) DO NOTHING",
        &[&trial, &name, &internal, &distribution],
    )?;
    Ok(())
}

/// Runs a statement of `open`, which takes one trial; whether it did.
fn is_open(db: &mut Db<'_>, sql: &str, values: Values<'_>) -> Result<bool, Failure> {
    Ok(db.first(sql, values)?.is_some_and(|row| row.get::<_, i64>(0) == 1))
}

/// Runs a statement of [`OPEN_TRIAL`].
fn do_to(db: &mut Db<'_>, trial: i32, sql: &str, values: Values<'_>) -> Result<(), Failure> {
    while !is_open(db, sql, values)? {
        // Where it is open after all, it was put back into the queue meanwhile.
        require_unfinished(db, TrialId(trial.into()))?;
    }
    Ok(())
}

/// Gives a trial a parameter (name, number, distribution) that goes with those of its study's other trials.
pub(super) fn param(
    db: &mut Db<'_>,
    commit: &Commit,
    trial: i32,
    (name, internal, distribution): (&str, f64, &str),
) -> Result<(), Failure> {
    let sql = format!(
        "WITH {OPEN_TRIAL}, {WRITTEN}, done AS (
             INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
             SELECT trial_id, $4, $5, $6 FROM open ON CONFLICT (trial_id, param_name) DO NOTHING
         ) SELECT count(*) FROM open"
    );
    do_to(db, trial, &sql, &[&commit.writer, &commit.number, &trial, &name, &internal, &distribution])
}

pub(super) fn intermediate(
    db: &mut Db<'_>,
    commit: &Commit,
    trial: i32,
    step: i32,
    value: f64,
) -> Result<(), Failure> {
    let sql = format!(
        "WITH {OPEN_TRIAL}, {WRITTEN}, done AS (
             INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
             SELECT trial_id, $4, $5, $6::text::trialintermediatevaluetype FROM open
             ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value,
             intermediate_value_type = excluded.intermediate_value_type
         ) SELECT count(*) FROM open"
    );
    let (value, kind) = stored_number(value);
    do_to(db, trial, &sql, &[&commit.writer, &commit.number, &trial, &step, &value, &kind])
}

pub(super) fn trial_attribute(
    db: &mut Db<'_>,
    commit: &Commit,
    trial: i32,
    kind: AttributeKind,
    key: &str,
    json: &str,
) -> Result<(), Failure> {
    let table = match kind {
        AttributeKind::User => "trial_user_attributes",
        AttributeKind::System => "trial_system_attributes",
    };
    let sql = format!(
        "WITH {OPEN_TRIAL}, {WRITTEN}, done AS (
             INSERT INTO {table} (trial_id, key, value_json) SELECT trial_id, $4, $5 FROM open
             ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
         ) SELECT count(*) FROM open"
    );
    do_to(db, trial, &sql, &[&commit.writer, &commit.number, &trial, &key, &json])
}

/// Sets state and values; whether it did.
pub(super) fn state(
    db: &mut Db<'_>,
    commit: &Commit,
    trial: i32,
    state: TrialState,
    given: &[f64],
) -> Result<bool, Failure> {
    let sql = format!(
        "WITH open AS (
             UPDATE trials SET state = $4::text::trialstate,
             datetime_start = CASE WHEN $4 = 'RUNNING' THEN clock_timestamp() AT TIME ZONE 'UTC' ELSE datetime_start END,
             datetime_complete = CASE WHEN $4 IN ('RUNNING', 'WAITING') THEN datetime_complete ELSE clock_timestamp() AT TIME ZONE 'UTC' END
             WHERE trial_id = $3 AND (state = 'WAITING' OR (state = 'RUNNING' AND $4 <> 'RUNNING')) RETURNING trial_id
         ), {WRITTEN}, valued AS (
             INSERT INTO trial_values (trial_id, objective, value, value_type)
             SELECT trial_id, place - 1, value, kind::trialvaluetype
             FROM open CROSS JOIN unnest($5::float8[], $6::text[]) WITH ORDINALITY AS u (value, kind, place)
             ON CONFLICT (trial_id, objective) DO UPDATE SET value = excluded.value, value_type = excluded.value_type
         ), released AS (
             DELETE FROM allometry_leases USING open
             WHERE allometry_leases.trial_id = open.trial_id AND $4 NOT IN ('RUNNING', 'WAITING')
         ) SELECT count(*) FROM open"
    );
    let (values, kinds) = columns(given);
    let name = column::state_name(state);
    loop {
        let bound: Values<'_> = &[&commit.writer, &commit.number, &trial, &name, &values, &kinds];
        if is_open(db, &sql, bound)? {
            return Ok(true);
        }
        // It may have been put back into the queue since; then it can be taken.
        let (_, now) = require_unfinished(db, TrialId(trial.into()))?;
        if now == TrialState::Running && state == TrialState::Running {
            return Ok(false);
        }
    }
}
