//! Write operations, with one INSERT statement per table.

use allometry_core::{Direction, TrialNumber, TrialState};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Ids, Rows};
use crate::column::{self, stored_number, stored_time};
use crate::late::{LateResult, MOST_LATE_TELLS};
use crate::optuna::record::AttributeKind;
use crate::owner::Owner;
use crate::rows::{
    Attributes, Parts, ReadRows as _, Result, TABLES_OF_STUDIES, TABLES_OF_TRIALS, Target, Times,
    TrialStatus, WriteRows, study_attributes_table, unfinished,
};
use crate::store::{StudyId, TrialHandle, TrialId};

impl WriteRows for Rows<'_> {
    fn insert_study(&mut self, name: &str, directions: &[Direction]) -> Result<Option<StudyId>> {
        if self.study_id(name)?.is_some() {
            return Ok(None);
        }
        let id = self.next_id("study", "studies");
        let id: i64 = self
            .db
            .prepare_cached(&format!(
                "INSERT INTO studies (study_id, study_name) SELECT {id}, ?1 RETURNING study_id"
            ))?
            .query_row([name], |row| row.get(0))?;
        let mut insert = self.db.prepare_cached(
            "INSERT INTO study_directions (direction, study_id, objective) VALUES (?1, ?2, ?3)",
        )?;
        for (objective, direction) in directions.iter().enumerate() {
            insert.execute(params![column::direction_name(*direction), id, objective as i64])?;
        }
        Ok(Some(StudyId(id)))
    }

    fn set_study_attributes(
        &mut self,
        study: StudyId,
        kind: AttributeKind,
        attributes: &Attributes,
    ) -> Result<()> {
        self.set_attributes((study_attributes_table(kind), "study_id"), study.0, attributes)
    }

    fn delete_study(&mut self, study: StudyId) -> Result<()> {
        self.require_study(study)?;
        for table in TABLES_OF_TRIALS {
            let sql = format!(
                "DELETE FROM {table} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?1)"
            );
            self.db.execute(&sql, [study.0])?;
        }
        for table in TABLES_OF_STUDIES.into_iter().chain(["studies"]) {
            self.db.execute(&format!("DELETE FROM {table} WHERE study_id = ?1"), [study.0])?;
        }
        Ok(())
    }

    fn lock_numbers(&mut self, study: StudyId) -> Result<u32> {
        self.require_study(study)?;
        let last: Option<u32> = self
            .db
            .prepare_cached("SELECT number FROM trials WHERE study_id = ?1 ORDER BY trial_id DESC LIMIT 1")?
            .query_row([study.0], |row| row.get(0))
            .optional()?;
        Ok(last.map_or(0, |last| last + 1))
    }

    // A write transaction holds the lock of the whole database from its first statement on.
    fn lock_trial(&mut self, trial: TrialId) -> Result<Option<TrialStatus>> {
        self.status(trial)
    }

    fn lock_params(&mut self, trial: TrialId) -> Result<TrialStatus> {
        unfinished(trial, self.status(trial)?)
    }

    fn write(&mut self, target: Target, parts: &Parts<'_>) -> Result<Option<TrialId>> {
        let trial = self.write_trial(target)?;
        self.write_parts(trial, parts)?;
        Ok(Some(trial))
    }

    fn delete_attribute(&mut self, trial: TrialId, key: &str) -> Result<()> {
        self.db
            .prepare_cached("DELETE FROM trial_user_attributes WHERE trial_id = ?1 AND key = ?2")?
            .execute(params![trial.0, key])?;
        Ok(())
    }

    fn claim(&mut self, study: StudyId) -> Result<Option<TrialHandle>> {
        let first: Option<(i64, u32)> = self
            .db
            .prepare_cached(
                "SELECT trial_id, number FROM trials WHERE study_id = ?1 AND state = 'WAITING'
                 ORDER BY trial_id LIMIT 1",
            )?
            .query_row([study.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((id, number)) = first else { return Ok(None) };
        let id = self.write_trial(Target::Into(TrialId(id), TrialState::Running))?;
        Ok(Some(TrialHandle { id, number: TrialNumber(number.into()) }))
    }

    fn beat(&mut self, trials: &[TrialId]) -> Result<()> {
        let now = stored_time(Timestamp::now());
        let mut upsert = self.db.prepare_cached(
            "INSERT INTO trial_heartbeats (trial_id, heartbeat)
             SELECT trial_id, ?2 FROM trials WHERE trial_id = ?1 AND state = 'RUNNING'
             ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat",
        )?;
        for trial in trials {
            upsert.execute(params![trial.0, now])?;
        }
        Ok(())
    }

    fn insert_late(&mut self, trial: TrialId, late: &LateResult) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO allometry_late_tells (trial_id, tell_json)
                 SELECT trial_id, ?2 FROM trials WHERE trial_id = ?1
                 AND (SELECT count(*) FROM allometry_late_tells WHERE trial_id = ?1) < ?3",
            )?
            .execute(params![trial.0, late.to_json(), MOST_LATE_TELLS as i64])?;
        Ok(())
    }
}

impl Rows<'_> {
    /// Returns the SQL expression for the id of a new row.
    fn next_id(&self, kind: &str, table: &str) -> String {
        match self.ids {
            Ids::Reused => "NULL".into(),
            Ids::Spent => format!(
                "1 + max(ifnull((SELECT max({kind}_id) FROM {table}), 0),
                         ifnull((SELECT last FROM allometry_ids WHERE kind = '{kind}'), 0))"
            ),
        }
    }

    /// Creates the trial or sets its state, as `target` requires.
    fn write_trial(&mut self, target: Target) -> Result<TrialId> {
        let now = || Some(stored_time(Timestamp::now()));
        match target {
            Target::Locked(trial) | Target::Open(trial) => Ok(trial),
            Target::New { study, number, state, times } => {
                let (started, completed) = match times {
                    Times::Now if state == TrialState::Running => (now(), None),
                    Times::Now => (None, None),
                    Times::Known { started, completed } => {
                        (started.map(stored_time), completed.map(stored_time))
                    }
                };
                let id = self.next_id("trial", "trials");
                let sql = format!(
                    "INSERT INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete)
                     SELECT {id}, ?1, ?2, ?3, ?4, ?5 RETURNING trial_id"
                );
                let bound = params![number, study.0, column::state_name(state), started, completed];
                Ok(TrialId(self.db.prepare_cached(&sql)?.query_row(bound, |row| row.get(0))?))
            }
            Target::Into(trial, state) => {
                let (set, time) = match state {
                    TrialState::Waiting => ("state = ?2 WHERE trial_id = ?1 AND ?3 IS NULL", None),
                    TrialState::Running => ("state = ?2, datetime_start = ?3 WHERE trial_id = ?1", now()),
                    _ => ("state = ?2, datetime_complete = ?3 WHERE trial_id = ?1", now()),
                };
                self.db.prepare_cached(&format!("UPDATE trials SET {set}"))?.execute(params![
                    trial.0,
                    column::state_name(state),
                    time
                ])?;
                if state.is_finished() {
                    let release = "DELETE FROM allometry_leases WHERE trial_id = ?1";
                    self.db.prepare_cached(release)?.execute([trial.0])?;
                }
                Ok(trial)
            }
        }
    }

    fn write_parts(&mut self, trial: TrialId, parts: &Parts<'_>) -> Result<()> {
        self.write_params(trial, parts)?;
        self.write_numbers(trial, parts)?;
        self.set_attributes(("trial_user_attributes", "trial_id"), trial.0, &parts.user_attributes)?;
        self.set_attributes(("trial_system_attributes", "trial_id"), trial.0, &parts.system_attributes)?;
        if let Some(owner) = parts.owner {
            self.lease(trial, owner)?;
        }
        if !parts.metrics.is_empty() {
            let mut upsert = self.db.prepare_cached(
                "INSERT OR REPLACE INTO allometry_epoch_metrics (trial_id, step, metrics_json)
                 VALUES (?1, ?2, ?3)",
            )?;
            for (step, json) in &parts.metrics {
                upsert.execute(params![trial.0, step, json])?;
            }
        }
        if let Some([rows, labels, scores]) = &parts.predictions {
            let insert =
                "INSERT INTO allometry_scores (trial_id, \"rows\", labels, scores) VALUES (?1, ?2, ?3, ?4)";
            self.db.prepare_cached(insert)?.execute(params![trial.0, rows, labels, scores])?;
        }
        if let Some(log) = parts.log {
            let insert = "INSERT INTO allometry_logs (trial_id, tail) VALUES (?1, ?2)";
            self.db.prepare_cached(insert)?.execute(params![trial.0, log])?;
        }
        Ok(())
    }

    fn write_params(&mut self, trial: TrialId, parts: &Parts<'_>) -> Result<()> {
        if parts.params.is_empty() {
            return Ok(());
        }
        let mut insert = self.db.prepare_cached(
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (trial_id, param_name) DO NOTHING",
        )?;
        for (name, internal, distribution) in parts.params.iter() {
            insert.execute(params![trial.0, name, internal, distribution])?;
        }
        Ok(())
    }

    fn write_numbers(&mut self, trial: TrialId, parts: &Parts<'_>) -> Result<()> {
        if !parts.values.is_empty() {
            let mut upsert = self.db.prepare_cached(
                "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (trial_id, objective) DO UPDATE SET
                 value = excluded.value, value_type = excluded.value_type",
            )?;
            for (objective, value) in parts.values.iter().enumerate() {
                let (value, kind) = stored_number(*value);
                upsert.execute(params![trial.0, objective as i64, value, kind])?;
            }
        }
        if !parts.intermediate.is_empty() {
            let mut upsert = self.db.prepare_cached(
                "INSERT INTO trial_intermediate_values
                 (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value,
                 intermediate_value_type = excluded.intermediate_value_type",
            )?;
            for (step, value) in parts.intermediate.iter() {
                let (value, kind) = stored_number(*value);
                upsert.execute(params![trial.0, step, value, kind])?;
            }
        }
        Ok(())
    }

    /// Sets or replaces attributes; `of` is the column with the key of their study or trial.
    fn set_attributes(&mut self, (table, of): (&str, &str), id: i64, attributes: &Attributes) -> Result<()> {
        if attributes.is_empty() {
            return Ok(());
        }
        let mut upsert = self.db.prepare_cached(&format!(
            "INSERT INTO {table} ({of}, key, value_json) VALUES (?1, ?2, ?3)
             ON CONFLICT ({of}, key) DO UPDATE SET value_json = excluded.value_json"
        ))?;
        for (key, json) in attributes {
            upsert.execute(params![id, key, json])?;
        }
        Ok(())
    }

    fn lease(&mut self, trial: TrialId, owner: &Owner) -> Result<()> {
        let upsert = "INSERT OR REPLACE INTO allometry_leases (trial_id, host, pid, process_start)
                      VALUES (?1, ?2, ?3, ?4)";
        self.db.prepare_cached(upsert)?.execute(params![
            trial.0,
            owner.host,
            owner.pid,
            owner.process_start
        ])?;
        self.beat(&[trial])
    }
}
