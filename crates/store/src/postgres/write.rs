//! Write operations, with one INSERT statement per table.
//!
//! All rows of a trial are written by one statement: the part of each table is a common table expression over
//! the row of `target`, which names the trial and is empty if the statement must not write. Such a statement
//! may run without an explicit transaction.

use std::time::{Duration, SystemTime};

use allometry_core::{Direction, TrialState};
use jiff::Timestamp;
use postgres::types::ToSql;

use super::read::handle;
use super::row::{study_key, trial_key};
use super::session::{Commit, Db};
use crate::column::{self, stored_number};
use crate::error::StoreError;
use crate::from_rows::Malformed;
use crate::late::{LateResult, MOST_LATE_TELLS};
use crate::optuna::record::AttributeKind;
use crate::rows::{
    Attributes, Parts, ReadRows as _, Result, TABLES_OF_STUDIES, TABLES_OF_TRIALS, Target, Times,
    TrialStatus, WriteRows, study_attributes_table, unfinished,
};
use crate::store::{StudyId, TrialHandle, TrialId};

/// SQL of the current time in the form of Optuna's columns.
const NOW: &str = "clock_timestamp() AT TIME ZONE 'UTC'";

/// Common table expression that updates the heartbeats of the target trials.
const BEATEN: &str = "beaten AS (
    INSERT INTO trial_heartbeats (trial_id, heartbeat) SELECT trial_id, clock_timestamp() FROM target
    ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat
)";

impl WriteRows for Db<'_> {
    fn insert_study(&mut self, name: &str, directions: &[Direction]) -> Result<Option<StudyId>> {
        let made = self.first(
            "INSERT INTO studies (study_name) VALUES ($1)
             ON CONFLICT (study_name) DO NOTHING RETURNING study_id",
            &[&name],
        )?;
        let Some(made) = made else { return Ok(None) };
        let key: i32 = made.try_get(0)?;
        let names: Vec<&str> =
            directions.iter().map(|direction| column::direction_name(*direction)).collect();
        self.execute(
            "INSERT INTO study_directions (direction, study_id, objective)
             SELECT name::studydirection, $1, (place - 1)::int
             FROM unnest($2::text[]) WITH ORDINALITY AS u (name, place)",
            &[&key, &names],
        )?;
        Ok(Some(StudyId(key.into())))
    }

    fn set_study_attributes(
        &mut self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<()> {
        if attributes.is_empty() { Ok(()) } else { set_study_attributes(self, None, study, kind, attributes) }
    }

    fn delete_study(&mut self, study: StudyId) -> Result<()> {
        self.lock_numbers(study)?;
        let key = study_key(study)?;
        // Waits for transactions that write to one of its trials.
        self.execute("SELECT 1 FROM trials WHERE study_id = $1 ORDER BY trial_id FOR UPDATE", &[&key])?;
        for table in TABLES_OF_TRIALS {
            let sql = format!(
                "DELETE FROM {table} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)"
            );
            self.execute(&sql, &[&key])?;
        }
        for table in TABLES_OF_STUDIES.into_iter().chain(["studies"]) {
            self.execute(&format!("DELETE FROM {table} WHERE study_id = $1"), &[&key])?;
        }
        Ok(())
    }

    fn lock_numbers(&mut self, study: StudyId) -> Result<u32> {
        let key = study_key(study)?;
        self.first("SELECT 1 FROM studies WHERE study_id = $1 FOR UPDATE", &[&key])?
            .ok_or(StoreError::UnknownStudy(study))?;
        let last = self
            .first("SELECT number FROM trials WHERE study_id = $1 ORDER BY trial_id DESC LIMIT 1", &[&key])?;
        let next = last.map_or(0, |row| row.get::<_, i32>(0) + 1);
        Ok(u32::try_from(next).unwrap_or_default())
    }

    fn lock_trial(&mut self, trial: TrialId) -> Result<Option<TrialStatus>> {
        self.status_with(trial, "FOR NO KEY UPDATE")
    }

    fn lock_params(&mut self, trial: TrialId) -> Result<TrialStatus> {
        let study = study_key(unfinished(trial, self.status(trial)?)?.study)?;
        self.execute("SELECT 1 FROM studies WHERE study_id = $1 FOR NO KEY UPDATE", &[&study])?;
        unfinished(trial, self.lock_trial(trial)?)
    }

    fn write(&mut self, target: Target, parts: &Parts<'_>) -> Result<Option<TrialId>> {
        write(self, None, target, parts)
    }

    fn delete_attribute(&mut self, trial: TrialId, key: &str) -> Result<()> {
        let sql = "DELETE FROM trial_user_attributes WHERE trial_id = $1 AND key = $2";
        self.execute(sql, &[&trial_key(trial)?, &key])?;
        Ok(())
    }

    fn claim(&mut self, study: StudyId) -> Result<Option<TrialHandle>> {
        // A trial that another session is claiming is skipped, so that no session waits.
        let claimed = self.first(
            &format!(
                "UPDATE trials SET state = 'RUNNING', datetime_start = {NOW} WHERE trial_id = (
                     SELECT trial_id FROM trials WHERE study_id = $1 AND state = 'WAITING'
                     ORDER BY trial_id LIMIT 1 FOR UPDATE SKIP LOCKED
                 ) RETURNING trial_id, number"
            ),
            &[&study_key(study)?],
        )?;
        claimed.map(|row| handle(&row)).transpose()
    }

    fn beat(&mut self, trials: &[TrialId]) -> Result<()> {
        let keys: Vec<i32> = trials.iter().filter_map(|trial| i32::try_from(trial.0).ok()).collect();
        let sql = format!(
            "WITH target AS (
                 SELECT trial_id FROM trials WHERE trial_id = ANY($1) AND state = 'RUNNING' ORDER BY trial_id
             ), leased AS (
                 UPDATE allometry_leases SET heartbeat = clock_timestamp()
                 WHERE trial_id IN (SELECT trial_id FROM target)
             ), {BEATEN} SELECT count(*) FROM target"
        );
        self.execute(&sql, &[&keys])?;
        Ok(())
    }

    fn insert_late(&mut self, trial: TrialId, late: &LateResult) -> Result<()> {
        self.execute(
            "INSERT INTO allometry_late_tells (trial_id, tell_json)
             SELECT trial_id, $2::text FROM trials WHERE trial_id = $1
             AND (SELECT count(*) FROM allometry_late_tells WHERE trial_id = $1) < $3",
            &[&trial_key(trial)?, &late.to_json(), &(MOST_LATE_TELLS as i64)],
        )?;
        Ok(())
    }
}

/// Sets or replaces attributes of a study with one statement, which may contain a `commit`.
///
/// # Errors
/// [`StoreError::UnknownStudy`].
pub(super) fn set_study_attributes(
    db: &mut Db<'_>,
    commit: Option<&Commit>,
    study: StudyId,
    kind: AttributeKind,
    attributes: &Attributes,
) -> Result<()> {
    let (key, texts): (i32, Texts<'_>) = (study_key(study)?, attributes.iter().unzip());
    let mut statement = Statement::default();
    let id = statement.bind(&key);
    statement.with("target", &format!("SELECT study_id FROM studies WHERE study_id = {id} FOR KEY SHARE"));
    statement.commit(commit);
    statement.attributes(study_attributes_table(kind), "study_id", &texts);
    statement.run(db, "study_id")?.ok_or(StoreError::UnknownStudy(study))?;
    Ok(())
}

/// Writes rows of a trial with one statement, which may contain a `commit`. Returns `None`, and writes
/// nothing, if the trial does not match `target`.
pub(super) fn write(
    db: &mut Db<'_>,
    commit: Option<&Commit>,
    target: Target,
    parts: &Parts<'_>,
) -> Result<Option<TrialId>> {
    let (row, columns) = (TargetRow::of(target)?, Columns::of(parts)?);
    let mut statement = Statement::default();
    statement.target(target, &row);
    statement.commit(commit);
    statement.parts(parts, &columns);
    match target {
        Target::Locked(trial) if statement.parts.len() == 1 => Ok(Some(trial)),
        _ => Ok(statement.run(db, "trial_id")?.map(|key| TrialId(key.into()))),
    }
}

/// Keys and values.
type Texts<'a> = (Vec<&'a String>, Vec<&'a String>);

/// Numbers and their types.
type Numbers = (Vec<Option<f64>>, Vec<&'static str>);

/// Values that [`Statement::target`] binds.
struct TargetRow {
    /// Key of the trial, or of the study of a new trial.
    key: i32,
    number: i32,
    state: &'static str,
    started: Option<SystemTime>,
    completed: Option<SystemTime>,
}

impl TargetRow {
    fn of(target: Target) -> Result<Self> {
        let row = |key, state| Self { key, number: 0, state, started: None, completed: None };
        Ok(match target {
            Target::Locked(trial) | Target::Open(trial) => row(trial_key(trial)?, ""),
            Target::Into(trial, state) => row(trial_key(trial)?, column::state_name(state)),
            Target::New { study, number, state, times } => {
                let (started, completed) = match times {
                    Times::Now => (None, None),
                    Times::Known { started, completed } => {
                        (started.map(system_time), completed.map(system_time))
                    }
                };
                let number = i32::try_from(number).unwrap_or(i32::MAX);
                let row = row(study_key(study)?, column::state_name(state));
                Self { number, started, completed, ..row }
            }
        })
    }
}

/// Rows of a trial as one array per column.
struct Columns<'a> {
    names: Vec<&'a String>,
    internals: Vec<f64>,
    distributions: Vec<&'a String>,
    values: Numbers,
    steps: Vec<i32>,
    intermediate: Numbers,
    user_attributes: Texts<'a>,
    system_attributes: Texts<'a>,
    pid: i64,
    epochs: Vec<i32>,
    metrics: Vec<&'a String>,
    log: String,
}

impl<'a> Columns<'a> {
    fn of(parts: &'a Parts<'_>) -> Result<Self> {
        let numbers = |numbers: &mut dyn Iterator<Item = &f64>| numbers.map(|x| stored_number(*x)).unzip();
        Ok(Self {
            names: parts.params.iter().map(|(name, ..)| name).collect(),
            internals: parts.params.iter().map(|(_, internal, _)| *internal).collect(),
            distributions: parts.params.iter().map(|(.., distribution)| distribution).collect(),
            values: numbers(&mut parts.values.iter()),
            steps: steps(parts.intermediate.keys())?,
            intermediate: numbers(&mut parts.intermediate.values()),
            user_attributes: parts.user_attributes.iter().unzip(),
            system_attributes: parts.system_attributes.iter().unzip(),
            pid: parts.owner.map_or(0, |owner| owner.pid.into()),
            epochs: steps(parts.metrics.keys())?,
            metrics: parts.metrics.values().collect(),
            // PostgreSQL's texts cannot contain NUL.
            log: parts.log.unwrap_or_default().replace('\0', "\u{FFFD}"),
        })
    }
}

/// Returns steps as stored in their columns.
fn steps<'a>(steps: impl Iterator<Item = &'a i64>) -> Result<Vec<i32>> {
    let step = |step: &i64| {
        i32::try_from(*step)
            .map_err(|_| Malformed::new("trial_intermediate_values", format!("step {step} exceeds 32 bits")))
    };
    Ok(steps.map(step).collect::<Result<_, _>>()?)
}

fn system_time(time: Timestamp) -> SystemTime {
    let since = Duration::from_nanos(time.as_nanosecond().unsigned_abs() as u64);
    if time < Timestamp::UNIX_EPOCH { SystemTime::UNIX_EPOCH - since } else { SystemTime::UNIX_EPOCH + since }
}

/// A statement of several common table expressions.
#[derive(Default)]
struct Statement<'v> {
    parts: Vec<String>,
    values: Vec<&'v (dyn ToSql + Sync)>,
}

impl<'v> Statement<'v> {
    /// Binds a value and returns its placeholder.
    fn bind(&mut self, value: &'v (dyn ToSql + Sync)) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// Adds a common table expression.
    fn with(&mut self, name: &str, sql: &str) {
        self.parts.push(format!("{name} AS ({sql})"));
    }

    /// Runs the statement; returns the target's key if the target exists.
    fn run(self, db: &mut Db<'_>, key: &str) -> Result<Option<i32>> {
        let sql = format!("WITH {} SELECT {key} FROM target", self.parts.join(", "));
        Ok(db.first(&sql, &self.values)?.map(|row| row.try_get(0)).transpose()?)
    }

    /// Adds the update of the writer's last commit if the target exists.
    fn commit(&mut self, commit: Option<&'v Commit>) {
        let Some(Commit { writer, number }) = commit else { return };
        let (writer, number) = (self.bind(writer), self.bind(number));
        self.with(
            "written",
            &format!(
                "INSERT INTO allometry_writers (writer, last_commit, at)
                 SELECT {writer}::text, {number}::bigint, now() FROM target
                 ON CONFLICT (writer) DO UPDATE SET last_commit = excluded.last_commit, at = excluded.at"
            ),
        );
    }

    /// Adds the expression that selects or inserts the trial's row.
    fn target(&mut self, target: Target, row: &'v TargetRow) {
        let key = self.bind(&row.key);
        match target {
            Target::Locked(_) => self.with("target", &format!("SELECT {key}::int4 AS trial_id")),
            // The lock keeps the trial from ending before the transaction ends.
            Target::Open(_) => self.with(
                "target",
                &format!(
                    "SELECT trial_id FROM trials WHERE trial_id = {key} AND state IN ('RUNNING', 'WAITING')
                     FOR NO KEY UPDATE"
                ),
            ),
            Target::Into(_, state) => self.state_target(&key, state, row),
            Target::New { state, times, .. } => {
                let (number, name) = (self.bind(&row.number), self.bind(&row.state));
                let (started, completed) = match times {
                    Times::Now if state == TrialState::Running => (NOW.to_owned(), "NULL".to_owned()),
                    _ => (self.bind(&row.started), self.bind(&row.completed)),
                };
                self.with(
                    "target",
                    &format!(
                        "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
                         VALUES ({number}, {key}, {name}::text::trialstate, {started}, {completed})
                         RETURNING trial_id"
                    ),
                );
            }
        }
    }

    /// Adds the update that gives an unfinished trial a state; a final state deletes its lease.
    fn state_target(&mut self, key: &str, state: TrialState, row: &'v TargetRow) {
        let name = self.bind(&row.state);
        let (time, from) = match state {
            TrialState::Waiting => (String::new(), "'RUNNING', 'WAITING'"),
            TrialState::Running => (format!(", datetime_start = {NOW}"), "'WAITING'"),
            _ => (format!(", datetime_complete = {NOW}"), "'RUNNING', 'WAITING'"),
        };
        self.with(
            "target",
            &format!(
                "UPDATE trials SET state = {name}::text::trialstate{time}
                 WHERE trial_id = {key} AND state IN ({from}) RETURNING trial_id"
            ),
        );
        if state.is_finished() {
            let release = "DELETE FROM allometry_leases USING target
                           WHERE allometry_leases.trial_id = target.trial_id";
            self.with("released", release);
        }
    }

    fn parts(&mut self, parts: &'v Parts<'_>, columns: &'v Columns<'_>) {
        if !columns.names.is_empty() {
            self.params(columns);
        }
        if !columns.values.0.is_empty() {
            let (values, kinds) = (self.bind(&columns.values.0), self.bind(&columns.values.1));
            self.with(
                "valued",
                &format!(
                    "INSERT INTO trial_values (trial_id, objective, value, value_type)
                     SELECT trial_id, (place - 1)::int, value, kind::trialvaluetype
                     FROM target CROSS JOIN unnest({values}::float8[], {kinds}::text[])
                     WITH ORDINALITY AS u (value, kind, place)
                     ON CONFLICT (trial_id, objective)
                     DO UPDATE SET value = excluded.value, value_type = excluded.value_type"
                ),
            );
        }
        if !columns.steps.is_empty() {
            self.intermediate(columns);
        }
        self.attributes("trial_user_attributes", "trial_id", &columns.user_attributes);
        self.attributes("trial_system_attributes", "trial_id", &columns.system_attributes);
        self.own(parts, columns);
    }

    fn params(&mut self, columns: &'v Columns<'_>) {
        let (names, internals) = (self.bind(&columns.names), self.bind(&columns.internals));
        let distributions = self.bind(&columns.distributions);
        self.with(
            "placed",
            &format!(
                "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
                 SELECT trial_id, name, internal, json
                 FROM target
                 CROSS JOIN unnest({names}::text[], {internals}::float8[], {distributions}::text[])
                 WITH ORDINALITY AS u (name, internal, json, place)
                 ORDER BY place ON CONFLICT (trial_id, param_name) DO NOTHING"
            ),
        );
    }

    fn intermediate(&mut self, columns: &'v Columns<'_>) {
        let steps = self.bind(&columns.steps);
        let (values, kinds) = (self.bind(&columns.intermediate.0), self.bind(&columns.intermediate.1));
        self.with(
            "reported",
            &format!(
                "INSERT INTO trial_intermediate_values
                 (trial_id, step, intermediate_value, intermediate_value_type)
                 SELECT trial_id, step, value, kind::trialintermediatevaluetype
                 FROM target CROSS JOIN unnest({steps}::int4[], {values}::float8[], {kinds}::text[])
                 AS u (step, value, kind)
                 ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value,
                 intermediate_value_type = excluded.intermediate_value_type"
            ),
        );
    }

    /// Adds the upsert of attributes; `of` is the column with the key of their study or trial.
    fn attributes(&mut self, table: &str, of: &str, (keys, texts): &'v Texts<'_>) {
        if keys.is_empty() {
            return;
        }
        let (keys, texts) = (self.bind(keys), self.bind(texts));
        self.with(
            &format!("set_{table}"),
            &format!(
                "INSERT INTO {table} ({of}, key, value_json)
                 SELECT {of}, key, json
                 FROM target CROSS JOIN unnest({keys}::text[], {texts}::text[]) AS u (key, json)
                 ON CONFLICT ({of}, key) DO UPDATE SET value_json = excluded.value_json"
            ),
        );
    }

    /// Adds the rows of Allometry's own tables.
    fn own(&mut self, parts: &'v Parts<'_>, columns: &'v Columns<'_>) {
        if let Some(owner) = parts.owner {
            let (host, pid) = (self.bind(&owner.host), self.bind(&columns.pid));
            let process_start = self.bind(&owner.process_start);
            self.with(
                "leased",
                &format!(
                    "INSERT INTO allometry_leases (trial_id, host, pid, process_start, heartbeat)
                     SELECT trial_id, {host}::text, {pid}::bigint, {process_start}::text, clock_timestamp()
                     FROM target
                     ON CONFLICT (trial_id) DO UPDATE SET host = excluded.host, pid = excluded.pid,
                     process_start = excluded.process_start, heartbeat = excluded.heartbeat"
                ),
            );
            self.parts.push(BEATEN.into());
        }
        if !columns.epochs.is_empty() {
            let (epochs, metrics) = (self.bind(&columns.epochs), self.bind(&columns.metrics));
            self.with(
                "measured",
                &format!(
                    "INSERT INTO allometry_epoch_metrics (trial_id, step, metrics_json)
                     SELECT trial_id, step, json
                     FROM target CROSS JOIN unnest({epochs}::int4[], {metrics}::text[]) AS u (step, json)
                     ON CONFLICT (trial_id, step) DO UPDATE SET metrics_json = excluded.metrics_json"
                ),
            );
        }
        if let Some([rows, labels, scores]) = &parts.predictions {
            let (rows, labels, scores) = (self.bind(rows), self.bind(labels), self.bind(scores));
            self.with(
                "scored",
                &format!(
                    "INSERT INTO allometry_scores (trial_id, \"rows\", labels, scores)
                     SELECT trial_id, {rows}::bytea, {labels}::bytea, {scores}::bytea FROM target"
                ),
            );
        }
        if parts.log.is_some() {
            let log = self.bind(&columns.log);
            let insert = "INSERT INTO allometry_logs (trial_id, tail) SELECT trial_id";
            self.with("logged", &format!("{insert}, {log}::text FROM target"));
        }
    }
}
