//! Read operations: the number of statements per study does not depend on its number of trials.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use allometry_core::{Direction, FrozenTrial, Params, TrialNumber};
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Rows;
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

impl ReadRows for Rows<'_> {
    fn require_study(&mut self, study: StudyId) -> Result<()> {
        if self.study_name(study)?.is_none() {
            return Err(StoreError::UnknownStudy(study).into());
        }
        Ok(())
    }

    fn study_id(&mut self, name: &str) -> Result<Option<StudyId>> {
        let mut found = self.db.prepare_cached("SELECT study_id FROM studies WHERE study_name = ?1")?;
        Ok(found.query_row([name], |row| row.get(0).map(StudyId)).optional()?)
    }

    fn study_name(&mut self, study: StudyId) -> Result<Option<String>> {
        let mut found = self.db.prepare_cached("SELECT study_name FROM studies WHERE study_id = ?1")?;
        Ok(found.query_row([study.0], |row| row.get(0)).optional()?)
    }

    fn directions(&mut self, study: StudyId) -> Result<Vec<Direction>> {
        self.require_study(study)?;
        let mut statement = self.db.prepare_cached(
            "SELECT direction FROM study_directions WHERE study_id = ?1 ORDER BY objective",
        )?;
        let names = statement.query_map([study.0], |row| Ok(any_text(row.get_ref(0)?)))?;
        let names: Vec<String> = names.collect::<std::result::Result<_, _>>()?;
        Ok(column::directions(names.iter().map(String::as_str)))
    }

    fn study_attributes(&mut self, study: StudyId, kind: AttributeKind) -> Result<Attributes> {
        let table = study_attributes_table(kind);
        let sql = format!("SELECT key, value_json FROM {table} WHERE study_id = ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        let pairs = statement.query_map([study.0], |row| Ok((row.get(0)?, any_text(row.get_ref(1)?))))?;
        Ok(pairs.collect::<std::result::Result<_, _>>()?)
    }

    fn studies(&mut self, name: Option<&str>) -> Result<Vec<OptunaStudy>> {
        let mut studies = Vec::new();
        let mut statement = self.db.prepare_cached(
            "SELECT study_id, study_name FROM studies WHERE ?1 IS NULL OR study_name = ?1 ORDER BY study_id",
        )?;
        let mut rows = statement.query([name])?;
        while let Some(row) = rows.next()? {
            let id = StudyId(row.get(0)?);
            studies.push(OptunaStudy {
                id,
                name: row.get(1)?,
                directions: self.directions(id)?,
                user_attributes: self.study_attributes(id, AttributeKind::User)?,
                system_attributes: self.study_attributes(id, AttributeKind::System)?,
            });
        }
        Ok(studies)
    }

    fn trial_id(&mut self, study: StudyId, number: i64) -> Result<Option<TrialId>> {
        self.require_study(study)?;
        let sql = "SELECT trial_id FROM trials WHERE study_id = ?1 AND number = ?2";
        let mut found = self.db.prepare_cached(sql)?;
        Ok(found.query_row([study.0, number], |row| row.get(0).map(TrialId)).optional()?)
    }

    fn status(&mut self, trial: TrialId) -> Result<Option<TrialStatus>> {
        let mut statement =
            self.db.prepare_cached("SELECT study_id, number, state FROM trials WHERE trial_id = ?1")?;
        let mut rows = statement.query([trial.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let number = u64::try_from(row.get::<_, Option<i64>>(1)?.unwrap_or_default()).unwrap_or_default();
        let state = from_rows::state(number, text(row, 2))?;
        Ok(Some(TrialStatus { study: StudyId(row.get(0)?), number, state }))
    }

    fn running(&mut self, study: StudyId) -> Result<Vec<RunningTrial>> {
        let lease = if own_table(self.db, "allometry_leases")? {
            "LEFT JOIN allometry_leases USING (trial_id)"
        } else {
            "JOIN (SELECT NULL AS host, NULL AS pid, NULL AS process_start)"
        };
        let mut statement = self.db.prepare_cached(&format!(
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
        Ok(trials.collect::<std::result::Result<_, _>>()?)
    }

    fn trials(&mut self, study: StudyId, selection: Selection) -> Result<TrialPage> {
        let (found, reading) = match selection {
            Selection::From(first) => heads_from(self.db, study, first)?,
            Selection::Page { after, limit } => heads_after(self.db, study, after, limit)?,
        };
        let Some((last, _)) = found.last() else { return Ok(TrialPage { trials: Vec::new(), last: None }) };
        let last = Some(TrialId(*last));
        let space = self.space(study)?.map(|text| from_rows::space(study, &text)).transpose()?;
        let mut batch = Batch::new(found, space);
        for table in PartTable::ALL {
            read_parts(self.db, reading, table, &mut batch)?;
        }
        Ok(TrialPage { trials: batch.finish(), last })
    }

    fn space(&mut self, study: StudyId) -> Result<Option<String>> {
        let mut found = self.db.prepare_cached(
            "SELECT value_json FROM study_user_attributes WHERE study_id = ?1 AND key = ?2",
        )?;
        let key = format!("{OWN_PREFIX}{SPACE_KEY}");
        Ok(found.query_row(params![study.0, key], |row| row.get(0)).optional()?)
    }

    fn last_intermediate(&mut self, trial: TrialId) -> Result<Option<f64>> {
        let mut found = self.db.prepare_cached(
            "SELECT intermediate_value, intermediate_value_type FROM trial_intermediate_values
             WHERE trial_id = ?1 ORDER BY step DESC LIMIT 1",
        )?;
        let last =
            found.query_row([trial.0], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
        Ok(last.and_then(|(value, kind)| column::number(value, &kind)))
    }

    fn param_names(&mut self, trial: TrialId) -> Result<HashSet<String>> {
        let mut names = self.db.prepare_cached("SELECT param_name FROM trial_params WHERE trial_id = ?1")?;
        let names = names.query_map([trial.0], |row| row.get(0))?;
        Ok(names.collect::<std::result::Result<_, _>>()?)
    }

    fn stored_distribution(&mut self, study: StudyId, name: &str) -> Result<Option<String>> {
        let mut found = self.db.prepare_cached(
            "SELECT distribution_json FROM trials JOIN trial_params USING (trial_id)
             WHERE study_id = ?1 AND param_name = ?2 LIMIT 1",
        )?;
        Ok(found.query_row(params![study.0, name], |row| row.get(0)).optional()?)
    }

    fn own_rows(
        &mut self,
        study: StudyId,
        numbers: &RangeInclusive<TrialNumber>,
        table: OwnTable,
        take: &mut TakeOwn<'_>,
    ) -> Result<()> {
        let (name, columns) = table.columns();
        if !own_table(self.db, name)? {
            return Ok(());
        }
        let order = match table {
            OwnTable::LateResults => "ORDER BY trials.trial_id, allometry_late_tells.rowid",
            OwnTable::Predictions | OwnTable::Metrics | OwnTable::Logs => "",
        };
        // Optuna's tables have no index on numbers, but numbers grow with ids.
        let from = first_trial(self.db, study, *numbers.start())?;
        let to = match numbers.end().0.checked_add(1) {
            Some(next) => first_trial(self.db, study, TrialNumber(next))? - 1,
            None => i64::MAX,
        };
        // The index of the study gives the trials, and the primary key of the table gives the rows of each.
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT number, {columns} FROM trials CROSS JOIN {name} USING (trial_id)
             WHERE study_id = ?1 AND trials.trial_id BETWEEN ?2 AND ?3 {order}"
        ))?;
        let mut rows = statement.query([study.0, from, to])?;
        while let Some(row) = rows.next()? {
            let blob = |place: usize| Ok::<_, rusqlite::Error>(row.get_ref(place)?.as_blob()?);
            let own = match table {
                OwnTable::Predictions => OwnRow::Predictions([blob(1)?, blob(2)?, blob(3)?]),
                OwnTable::Metrics => OwnRow::Metrics(row.get(1)?, required_text(row, 2)?),
                OwnTable::Logs => OwnRow::Log(required_text(row, 1)?),
                OwnTable::LateResults => OwnRow::LateResult(text(row, 1)),
            };
            take(TrialNumber(row.get::<_, u32>(0)?.into()), own)?;
        }
        Ok(())
    }

    fn tell_trial(&mut self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<()> {
        self.stream_one(trial, sink)
    }
}

/// Whether one of Allometry's own tables exists; files that Optuna created and that are only read have none.
fn own_table(db: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";
    Ok(db.prepare_cached(sql)?.query_row([name], |row| row.get(0))?)
}

/// Returns the id of the first trial of a study with a number of at least `first`; an id above all if there
/// is none.
fn first_trial(db: &Connection, study: StudyId, first: TrialNumber) -> Result<i64> {
    let ends = "SELECT ifnull(min(trial_id), 1), ifnull(max(trial_id), 0) FROM trials WHERE study_id = ?1";
    let (mut low, last): (i64, i64) =
        db.prepare_cached(ends)?.query_row([study.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut high = last + 1;
    // Numbers grow with ids.
    let mut next = db.prepare_cached(
        "SELECT trial_id, number FROM trials
         WHERE study_id = ?1 AND trial_id >= ?2 ORDER BY trial_id LIMIT 1",
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

/// Trials without their parts, by id, and the way to read the parts.
type Heads = (Vec<(i64, FrozenTrial)>, Reading);

/// Returns at most `limit` trials after a trial.
fn heads_after(db: &Connection, study: StudyId, after: Option<TrialId>, limit: usize) -> Result<Heads> {
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
    let (first, last) =
        found.first().zip(found.last()).map_or((0, 0), |((first, _), (last, _))| (*first, *last));
    Ok((found, Reading::Lookup { study, first, last }))
}

/// Returns the text in a column.
///
/// # Errors
/// The value is not a text.
pub(super) fn required_text<'r>(row: &'r Row<'_>, index: usize) -> Result<&'r str> {
    Ok(row.get_ref(index)?.as_str().map_err(rusqlite::Error::from)?)
}

/// Returns the text of a cell. A cell of another type makes its study unreadable, and no other.
fn any_text(cell: ValueRef<'_>) -> String {
    cell.as_str().map_or_else(|_| "<no text>".to_owned(), str::to_owned)
}

/// Returns the text in a column; empty for null.
fn text<'a>(row: &'a Row<'_>, index: usize) -> &'a str {
    match row.get_ref(index) {
        Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}

/// A way to find the rows of trials.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// Scan of the whole table in order, for most of its trials.
    Scan,
    /// Index lookups for trials of the study with ids from `first` to `last`.
    Lookup { study: StudyId, first: i64, last: i64 },
}

/// Returns the trials from number `first` on.
fn heads_from(db: &Connection, study: StudyId, first: TrialNumber) -> Result<Heads> {
    // Numbers grow with ids: the scan starts at the end and stops at the first smaller number.
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
    // A lookup takes a few times as long as a step of a scan.
    let reading = match found.first() {
        Some((first, _)) if (found.len() as i64) < last / 4 => Reading::Lookup { study, first: *first, last },
        _ => Reading::Scan,
    };
    Ok((found, reading))
}

/// Returns a trial without its parts, and its id.
fn head(row: &Row<'_>) -> Result<(i64, FrozenTrial)> {
    let number = u64::from(row.get::<_, u32>(1)?);
    let state = from_rows::state(number, text(row, 2))?;
    let mut trial = FrozenTrial::new(number, state, None, Params::default());
    trial.started = column::time(text(row, 3));
    trial.completed = column::time(text(row, 4));
    Ok((row.get(0)?, trial))
}

/// One of Optuna's tables with parts of trials.
#[derive(Debug, Clone, Copy)]
pub(super) enum PartTable {
    Values,
    Params,
    Intermediate,
    SystemAttributes,
    UserAttributes,
}

/// Function that returns the text in a column.
pub(super) type TextOf = for<'r> fn(&'r Row<'_>, usize) -> Result<&'r str>;

impl PartTable {
    /// All tables. User attributes come after the parameters, because they may contain exact integers.
    pub(super) const ALL: [Self; 5] =
        [Self::Values, Self::Params, Self::Intermediate, Self::SystemAttributes, Self::UserAttributes];

    /// Returns the table's name, the column that orders the rows of a trial, and the columns to read.
    pub(super) fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Values => ("trial_values", "objective", "objective, value, value_type"),
            Self::Params => ("trial_params", "param_name", "param_name, param_value, distribution_json"),
            Self::Intermediate => {
                ("trial_intermediate_values", "step", "step, intermediate_value, intermediate_value_type")
            }
            Self::SystemAttributes => ("trial_system_attributes", "key", "key, value_json"),
            Self::UserAttributes => ("trial_user_attributes", "key", "key, value_json"),
        }
    }

    /// Converts a row, whose column 0 is the trial's id, to a part of a trial.
    pub(super) fn part<'r>(self, row: &'r Row<'_>, text: TextOf) -> Result<TrialRow<'r>> {
        Ok(match self {
            Self::Values => TrialRow::Value(row.get(1)?, row.get(2)?, text(row, 3)?),
            Self::Params => TrialRow::Param(text(row, 1)?, row.get(2)?, text(row, 3)?),
            Self::Intermediate => TrialRow::Intermediate(row.get(1)?, row.get(2)?, text(row, 3)?),
            Self::SystemAttributes => {
                TrialRow::Attribute(AttributeKind::System, text(row, 1)?, text(row, 2)?)
            }
            Self::UserAttributes => TrialRow::Attribute(AttributeKind::User, text(row, 1)?, text(row, 2)?),
        })
    }
}

/// Adds the rows of `table` to the trials of `batch`, in order of creation. Rows of other trials are not
/// converted: one that cannot be read is the fault of its own study.
fn read_parts(db: &Connection, reading: Reading, table: PartTable, batch: &mut Batch) -> Result<()> {
    let (name, _, columns) = table.columns();
    let all = format!("SELECT trial_id, {columns} FROM {name}");
    let (sql, bound) = match reading {
        Reading::Scan => (format!("{all} ORDER BY rowid"), Vec::new()),
        Reading::Lookup { study, first, last } => (
            format!(
                "{all} WHERE trial_id IN
                 (SELECT trial_id FROM trials WHERE study_id = ?1 AND trial_id BETWEEN ?2 AND ?3)
                 ORDER BY {name}.rowid"
            ),
            vec![study.0, first, last],
        ),
    };
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
    while let Some(row) = rows.next()? {
        let trial = row.get(0)?;
        if batch.contains(trial) {
            batch.take(trial, table.part(row, |row, place| Ok(text(row, place)))?)?;
        }
    }
    Ok(())
}
