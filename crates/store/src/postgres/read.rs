//! Read operations: the number of statements per study does not depend on its number of trials.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use allometry_core::{Direction, FrozenTrial, Params, TrialNumber};
use jiff::Timestamp;
use postgres::Row;

use super::row::{study_key, text, time, trial_key};
use super::session::{Db, Values};
use super::stream;
use crate::column;
use crate::error::StoreError;
use crate::from_rows::{self, Batch, TrialRow};
use crate::optuna::record::{AttributeKind, OptunaStudy, TrialSink};
use crate::own_attribute::{OWN_PREFIX, SPACE_KEY};
use crate::owner::Owner;
use crate::rows::{
    Attributes, OwnRow, OwnTable, ReadRows, Result, Selection, TakeOwn, TrialStatus, study_attributes_table,
};
use crate::store::{RunningTrial, StudyId, TrialHandle, TrialId, TrialPage};

/// Maximum number of trials that are listed by id, so that their rows are found through the index.
const FEW: usize = 256;

/// Returns the number of a trial as stored in its column; larger numbers become the largest one.
fn number_key(number: TrialNumber) -> i32 {
    i32::try_from(number.0).unwrap_or(i32::MAX)
}

fn number(row: &Row, index: usize) -> Result<u64> {
    let number: i32 = row.try_get(index)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// Returns the system identifier of the cluster, if the user may read it, and the name of the database.
pub(super) fn place(db: &mut Db<'_>) -> Result<String> {
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

impl ReadRows for Db<'_> {
    fn require_study(&mut self, study: StudyId) -> Result<()> {
        let found = self.first("SELECT 1 FROM studies WHERE study_id = $1", &[&study_key(study)?])?;
        found.ok_or(StoreError::UnknownStudy(study))?;
        Ok(())
    }

    fn study_id(&mut self, name: &str) -> Result<Option<StudyId>> {
        if name.contains('\0') {
            return Ok(None);
        }
        let found = self.first("SELECT study_id FROM studies WHERE study_name = $1", &[&name])?;
        Ok(found.map(|row| row.try_get::<_, i32>(0)).transpose()?.map(|key| StudyId(key.into())))
    }

    fn study_name(&mut self, study: StudyId) -> Result<Option<String>> {
        let sql = "SELECT study_name::text FROM studies WHERE study_id = $1";
        Ok(self.first(sql, &[&study_key(study)?])?.map(|row| row.try_get(0)).transpose()?)
    }

    fn directions(&mut self, study: StudyId) -> Result<Vec<Direction>> {
        let rows = self.query(
            "SELECT study_directions.direction::text FROM studies LEFT JOIN study_directions USING (study_id)
             WHERE study_id = $1 ORDER BY objective",
            &[&study_key(study)?],
        )?;
        if rows.is_empty() {
            return Err(StoreError::UnknownStudy(study).into());
        }
        Ok(column::directions(rows.iter().filter_map(|row| row.get::<_, Option<&str>>(0))))
    }

    fn study_attributes(&mut self, study: StudyId, kind: AttributeKind) -> Result<Attributes> {
        let table = study_attributes_table(kind);
        let sql = format!("SELECT key::text, value_json FROM {table} WHERE study_id = $1");
        let rows = self.query(&sql, &[&study_key(study)?])?;
        Ok(rows.iter().map(|row| (text(row, 0).to_owned(), text(row, 1).to_owned())).collect())
    }

    fn studies(&mut self, name: Option<&str>) -> Result<Vec<OptunaStudy>> {
        let rows = self.query(
            "SELECT study_id, study_name::text FROM studies
             WHERE $1::text IS NULL OR study_name = $1 ORDER BY study_id",
            &[&name],
        )?;
        let mut studies = Vec::with_capacity(rows.len());
        for row in rows {
            let id = StudyId(row.try_get::<_, i32>(0)?.into());
            studies.push(OptunaStudy {
                id,
                name: row.try_get(1)?,
                directions: self.directions(id)?,
                user_attributes: self.study_attributes(id, AttributeKind::User)?,
                system_attributes: self.study_attributes(id, AttributeKind::System)?,
            });
        }
        Ok(studies)
    }

    fn trial_id(&mut self, study: StudyId, number: i64) -> Result<Option<TrialId>> {
        let row = self.first(
            "SELECT trial_id FROM studies LEFT JOIN trials
             ON trials.study_id = studies.study_id AND number = $2 WHERE studies.study_id = $1",
            &[&study_key(study)?, &i32::try_from(number).unwrap_or(-1)],
        )?;
        let found: Option<i32> = row.ok_or(StoreError::UnknownStudy(study))?.try_get(0)?;
        Ok(found.map(|key| TrialId(key.into())))
    }

    fn status(&mut self, trial: TrialId) -> Result<Option<TrialStatus>> {
        self.status_with(trial, "")
    }

    fn running(&mut self, study: StudyId) -> Result<Vec<RunningTrial>> {
        let lease = if own_table(self, "allometry_leases")? {
            "LEFT JOIN (
                 SELECT trial_id, host, pid, process_start, heartbeat AS beat FROM allometry_leases
             ) AS lease USING (trial_id)"
        } else {
            "CROSS JOIN (SELECT NULL::text AS host, NULL::bigint AS pid, NULL::text AS process_start,
                                NULL::timestamptz AS beat) AS lease"
        };
        // While the server was down, no process could send heartbeats, so that the age starts at the server's
        // start. Optuna's heartbeats are in the session's local time.
        let rows = self.query(
            &format!(
                "SELECT trial_id, number, host, pid, process_start,
                 extract(epoch FROM clock_timestamp() - greatest(
                     coalesce(beat, heartbeat::timestamptz), pg_postmaster_start_time()
                 ))::double precision,
                 coalesce(beat, heartbeat::timestamptz)
                 FROM trials LEFT JOIN trial_heartbeats USING (trial_id) {lease}
                 WHERE study_id = $1 AND state = 'RUNNING' ORDER BY trial_id"
            ),
            &[&study_key(study)?],
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

    fn trials(&mut self, study: StudyId, selection: Selection) -> Result<TrialPage> {
        let columns = "SELECT trial_id, number, state::text, datetime_start, datetime_complete FROM trials";
        let mut found = Vec::new();
        let take = |row: Row| {
            found.push(head(&row)?);
            Ok(())
        };
        let key = study_key(study)?;
        match selection {
            Selection::From(first) => {
                let sql = format!("{columns} WHERE study_id = $1 AND number >= $2 ORDER BY trial_id");
                self.each(&sql, &[&key, &number_key(first)], take)?;
            }
            Selection::Page { after, limit } => {
                let after = after.map_or(Ok(i32::MIN), trial_key)?;
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let sql =
                    format!("{columns} WHERE study_id = $1 AND trial_id > $2 ORDER BY trial_id LIMIT $3");
                self.each(&sql, &[&key, &after, &limit], take)?;
            }
        }
        let last = found.last().map(|(id, _)| TrialId(*id));
        Ok(TrialPage { trials: fill(self, study, found)?, last })
    }

    fn space(&mut self, study: StudyId) -> Result<Option<String>> {
        let found = self.first(
            "SELECT value_json FROM study_user_attributes WHERE study_id = $1 AND key = $2",
            &[&study_key(study)?, &format!("{OWN_PREFIX}{SPACE_KEY}")],
        )?;
        Ok(found.map(|row| text(&row, 0).to_owned()))
    }

    fn last_intermediate(&mut self, trial: TrialId) -> Result<Option<f64>> {
        let last = self.first(
            "SELECT intermediate_value, intermediate_value_type::text FROM trial_intermediate_values
             WHERE trial_id = $1 ORDER BY step DESC LIMIT 1",
            &[&trial_key(trial)?],
        )?;
        Ok(last.and_then(|row| column::number(row.get(0), row.get(1))))
    }

    fn param_names(&mut self, trial: TrialId) -> Result<HashSet<String>> {
        let sql = "SELECT param_name::text FROM trial_params WHERE trial_id = $1";
        let names = self.query(sql, &[&trial_key(trial)?])?;
        Ok(names.iter().map(|row| row.get(0)).collect())
    }

    fn stored_distribution(&mut self, study: StudyId, name: &str) -> Result<Option<String>> {
        // The newest trials are the most likely to have the parameter.
        let stored = self.first(
            "SELECT distribution_json
             FROM (SELECT trial_id FROM trials WHERE study_id = $1 ORDER BY trial_id DESC) AS last
             CROSS JOIN LATERAL (
                 SELECT distribution_json FROM trial_params
                 WHERE trial_params.trial_id = last.trial_id AND param_name = $2 OFFSET 0
             ) AS param LIMIT 1",
            &[&study_key(study)?, &name],
        )?;
        Ok(stored.map(|row| row.try_get(0)).transpose()?)
    }

    fn own_rows(
        &mut self,
        study: StudyId,
        numbers: &RangeInclusive<TrialNumber>,
        table: OwnTable,
        take: &mut TakeOwn<'_>,
    ) -> Result<()> {
        let (name, columns) = table.columns();
        if !own_table(self, name)? {
            return Ok(());
        }
        let order = if table == OwnTable::LateResults { "ORDER BY tell_id" } else { "" };
        let sql = format!(
            "SELECT number, {columns} FROM trials JOIN {name} USING (trial_id)
             WHERE study_id = $1 AND number BETWEEN $2 AND $3 {order}"
        );
        let (first, last) = (number_key(*numbers.start()), number_key(*numbers.end()));
        self.each(&sql, &[&study_key(study)?, &first, &last], |row| {
            let own = match table {
                OwnTable::Predictions => {
                    OwnRow::Predictions([row.try_get(1)?, row.try_get(2)?, row.try_get(3)?])
                }
                OwnTable::Metrics => OwnRow::Metrics(row.try_get::<_, i32>(1)?.into(), text(&row, 2)),
                OwnTable::Logs => OwnRow::Log(row.try_get(1)?),
                OwnTable::LateResults => OwnRow::LateResult(text(&row, 1)),
            };
            take(TrialNumber(number(&row, 0)?), own)
        })
    }

    fn tell_trial(&mut self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<()> {
        stream::trial(self, trial, sink)
    }
}

impl Db<'_> {
    /// Returns the contents of a trial's own row; `lock` is appended to the statement.
    pub(super) fn status_with(&mut self, trial: TrialId, lock: &str) -> Result<Option<TrialStatus>> {
        let sql = format!("SELECT study_id, number, state::text FROM trials WHERE trial_id = $1 {lock}");
        let Some(row) = self.first(&sql, &[&trial_key(trial)?])? else { return Ok(None) };
        let number = number(&row, 1)?;
        let state = from_rows::state(number, row.try_get(2)?)?;
        Ok(Some(TrialStatus { study: StudyId(row.try_get::<_, i32>(0)?.into()), number, state }))
    }
}

/// Returns id and number of a trial, the first columns of a row.
pub(super) fn handle(row: &Row) -> Result<TrialHandle> {
    let id = TrialId(row.try_get::<_, i32>(0)?.into());
    Ok(TrialHandle { id, number: TrialNumber(number(row, 1)?) })
}

/// Whether one of Allometry's own tables exists; databases that Optuna created and that are only read have
/// none.
fn own_table(db: &mut Db<'_>, name: &str) -> Result<bool> {
    Ok(db.first("SELECT to_regclass($1::text) IS NOT NULL", &[&name])?.is_some_and(|row| row.get(0)))
}

/// Returns a trial without its parts, and its id.
fn head(row: &Row) -> Result<(i64, FrozenTrial)> {
    let number = number(row, 1)?;
    let state = from_rows::state(number, text(row, 2))?;
    let mut trial = FrozenTrial::new(number, state, None, Params::default());
    trial.started = time(row, 3)?;
    trial.completed = time(row, 4)?;
    Ok((i64::from(row.try_get::<_, i32>(0)?), trial))
}

/// Returns the trials with their parts.
fn fill(db: &mut Db<'_>, study: StudyId, found: Vec<(i64, FrozenTrial)>) -> Result<Vec<FrozenTrial>> {
    let ends = found.first().zip(found.last());
    let Some(((from, _), (to, _))) = ends else { return Ok(Vec::new()) };
    let (from, to) = (i32::try_from(*from).unwrap_or_default(), i32::try_from(*to).unwrap_or(i32::MAX));
    let space = db.space(study)?.map(|text| from_rows::space(study, &text)).transpose()?;
    let mut batch = Batch::new(found, space);
    let key = study_key(study)?;
    let few: Option<Vec<i32>> =
        (batch.ids().len() <= FEW).then(|| batch.ids().iter().map(|id| *id as i32).collect());
    for (columns, order, part) in PARTS {
        let (sql, values): (String, Values<'_>) = match &few {
            Some(ids) => (format!("SELECT trial_id, {columns} WHERE trial_id = ANY($1) {order}"), &[ids]),
            None => (
                format!(
                    "SELECT trial_id, {columns} WHERE trial_id IN (
                         SELECT trial_id FROM trials WHERE study_id = $1 AND trial_id BETWEEN $2 AND $3
                     ) {order}"
                ),
                &[&key, &from, &to],
            ),
        };
        db.each(&sql, values, |row| Ok(batch.take(row.try_get::<_, i32>(0)?.into(), part(&row)?)?))?;
    }
    Ok(batch.finish())
}

/// Columns, table and order of the parts of trials, and the function that converts a row.
type PartOf = (&'static str, &'static str, for<'r> fn(&'r Row) -> Result<TrialRow<'r>>);

/// Queries for the parts of trials. User attributes come after the parameters, because they may contain exact
/// integers.
const PARTS: [PartOf; 5] = [
    ("objective, value, value_type::text FROM trial_values", "", |row| {
        Ok(TrialRow::Value(row.try_get::<_, i32>(1)?.into(), row.try_get(2)?, text(row, 3)))
    }),
    ("param_name::text, param_value, distribution_json FROM trial_params", "ORDER BY param_id", |row| {
        Ok(TrialRow::Param(text(row, 1), row.try_get(2)?, text(row, 3)))
    }),
    ("step, intermediate_value, intermediate_value_type::text FROM trial_intermediate_values", "", |row| {
        Ok(TrialRow::Intermediate(row.try_get::<_, i32>(1)?.into(), row.try_get(2)?, text(row, 3)))
    }),
    ("key::text, value_json FROM trial_user_attributes", "", |row| {
        Ok(TrialRow::Attribute(AttributeKind::User, text(row, 1), text(row, 2)))
    }),
    ("key::text, value_json FROM trial_system_attributes", "", |row| {
        Ok(TrialRow::Attribute(AttributeKind::System, text(row, 1), text(row, 2)))
    }),
];
