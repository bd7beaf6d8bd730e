//! Statements that read. Trials are merged from one cursor per table, all in the order of their ids, so that however many
//! there are, one row of each table is in memory.

use std::collections::BTreeMap;

use allometry_core::{Direction, TrialState};
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, Rows, params};

use super::super::failure::Failure;
use super::super::read::require_study;
use crate::assemble::Malformed;
use crate::column;
use crate::error::StoreError;
use crate::optuna::{AttributeKind, OptunaStudy, TrialHead, TrialSink};
use crate::store::{StudyId, TrialId};

pub(super) fn study_id(db: &Connection, name: &str) -> Result<StudyId, Failure> {
    db.prepare_cached("SELECT study_id FROM studies WHERE study_name = ?1")?
        .query_row([name], |row| row.get(0).map(StudyId))
        .optional()?
        .ok_or_else(|| StoreError::UnknownStudyName { name: name.into() }.into())
}

pub(super) fn study_name(db: &Connection, study: StudyId) -> Result<String, Failure> {
    db.prepare_cached("SELECT study_name FROM studies WHERE study_id = ?1")?
        .query_row([study.0], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::UnknownStudy(study).into())
}

pub(super) fn directions(db: &Connection, study: StudyId) -> Result<Vec<Direction>, Failure> {
    let mut statement =
        db.prepare_cached("SELECT direction FROM study_directions WHERE study_id = ?1 ORDER BY objective")?;
    let directions = statement.query_map([study.0], |row| Ok(column::direction(text(row, 0)?)))?;
    Ok(directions.collect::<Result<_, _>>()?)
}

pub(super) fn study_attributes(
    db: &Connection,
    study: StudyId,
    kind: AttributeKind,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut statement = db.prepare_cached(match kind {
        AttributeKind::User => "SELECT key, value_json FROM study_user_attributes WHERE study_id = ?1",
        AttributeKind::System => "SELECT key, value_json FROM study_system_attributes WHERE study_id = ?1",
    })?;
    let pairs = statement.query_map([study.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(pairs.collect::<Result<_, _>>()?)
}

pub(super) fn studies(db: &Connection) -> Result<Vec<OptunaStudy>, Failure> {
    let mut statement = db.prepare_cached("SELECT study_id, study_name FROM studies ORDER BY study_id")?;
    let rows = statement.query_map([], |row| Ok((StudyId(row.get(0)?), row.get(1)?)))?;
    rows.map(|row| {
        let (id, name) = row?;
        Ok(OptunaStudy {
            id,
            name,
            directions: directions(db, id)?,
            user_attributes: study_attributes(db, id, AttributeKind::User)?,
            system_attributes: study_attributes(db, id, AttributeKind::System)?,
        })
    })
    .collect()
}

pub(super) fn trial_id(db: &Connection, study: StudyId, number: i64) -> Result<TrialId, Failure> {
    require_study(db, study)?;
    db.prepare_cached("SELECT trial_id FROM trials WHERE study_id = ?1 AND number = ?2")?
        .query_row(params![study.0, number], |row| row.get(0).map(TrialId))
        .optional()?
        .ok_or_else(|| StoreError::UnknownTrialNumber { study, number }.into())
}

fn text<'r>(row: &'r Row<'_>, index: usize) -> Result<&'r str, rusqlite::Error> {
    Ok(row.get_ref(index)?.as_str()?)
}

/// The state of that name.
pub(super) fn state(trial: TrialId, name: &str) -> Result<TrialState, Failure> {
    column::state(name).ok_or_else(|| {
        Malformed::new(format!("trial with id {trial}"), format!("state `{name}` is unknown")).into()
    })
}

pub(super) fn trial(db: &Connection, trial: TrialId, sink: &mut dyn TrialSink) -> Result<(), Failure> {
    let study: Option<i64> = db
        .prepare_cached("SELECT study_id FROM trials WHERE trial_id = ?1")?
        .query_row([trial.0], |row| row.get(0))
        .optional()?;
    let study = StudyId(study.ok_or(StoreError::UnknownTrial(trial))?);
    stream(db, &Span { study, first: trial.0, last: trial.0, count: 1 }, sink)
}

pub(super) fn trials(
    db: &Connection,
    study: StudyId,
    after: TrialId,
    included: &[TrialId],
    sink: &mut dyn TrialSink,
) -> Result<(), Failure> {
    require_study(db, study)?;
    let mut earlier: Vec<i64> = included.iter().map(|id| id.0).filter(|id| *id <= after.0).collect();
    earlier.sort_unstable();
    earlier.dedup();
    for id in earlier {
        stream(db, &Span { study, first: id, last: id, count: 1 }, sink)?;
    }
    let later: Option<Span> = db
        .prepare_cached(
            "SELECT min(trial_id), max(trial_id), count(*) FROM trials WHERE study_id = ?1 AND trial_id > ?2",
        )?
        .query_row(params![study.0, after.0], |row| {
            let ends = (row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?);
            let (Some(first), Some(last)) = ends else { return Ok(None) };
            Ok(Some(Span { study, first, last, count: row.get(2)? }))
        })?;
    later.map_or(Ok(()), |span| stream(db, &span, sink))
}

/// Trials of a study between two ids, both included.
struct Span {
    study: StudyId,
    first: i64,
    last: i64,
    count: i64,
}

impl Span {
    /// Rows of `table` that belong to the trials, ordered by trial and `key`. Column 0 is the trial's id.
    fn parts<'db>(
        &self,
        db: &'db Connection,
        table: &str,
        key: &str,
        columns: &str,
    ) -> Result<CachedStatement<'db>, Failure> {
        // Passing over the rows of other studies costs less than looking each trial up, unless they are most.
        let sql = if self.last - self.first < 4 * self.count {
            format!(
                "SELECT trial_id, {columns} FROM {table} WHERE ?1 = ?1 AND trial_id BETWEEN ?2 AND ?3
                 ORDER BY trial_id, {key}"
            )
        } else {
            format!(
                "SELECT trials.trial_id, {columns} FROM trials CROSS JOIN {table} USING (trial_id)
                 WHERE study_id = ?1 AND trials.trial_id BETWEEN ?2 AND ?3 ORDER BY trials.trial_id, {key}"
            )
        };
        Ok(db.prepare_cached(&sql)?)
    }

    fn bounds(&self) -> [i64; 3] {
        [self.study.0, self.first, self.last]
    }
}

fn stream(db: &Connection, span: &Span, sink: &mut dyn TrialSink) -> Result<(), Failure> {
    let mut values = span.parts(db, "trial_values", "objective", "value, value_type")?;
    let mut params =
        span.parts(db, "trial_params", "param_name", "param_name, param_value, distribution_json")?;
    let mut reports = span.parts(
        db,
        "trial_intermediate_values",
        "step",
        "step, intermediate_value, intermediate_value_type",
    )?;
    let mut user = span.parts(db, "trial_user_attributes", "key", "key, value_json")?;
    let mut system = span.parts(db, "trial_system_attributes", "key", "key, value_json")?;
    let bounds = span.bounds();
    let mut values = Cursor::new(values.query(bounds)?)?;
    let mut params = Cursor::new(params.query(bounds)?)?;
    let mut reports = Cursor::new(reports.query(bounds)?)?;
    let mut user = Cursor::new(user.query(bounds)?)?;
    let mut system = Cursor::new(system.query(bounds)?)?;

    let mut heads = db.prepare_cached(
        "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials
         WHERE study_id = ?1 AND trial_id BETWEEN ?2 AND ?3 ORDER BY trial_id",
    )?;
    let mut heads = heads.query(bounds)?;
    while let Some(row) = heads.next()? {
        let head = head(row)?;
        sink.begin(&head);
        values.each(head.id, |row| {
            if let Some(value) = column::number(row.get(1)?, text(row, 2)?) {
                sink.value(value);
            }
            Ok(())
        })?;
        params.each(head.id, |row| {
            let internal = row.get::<_, Option<f64>>(2)?.unwrap_or(f64::NAN);
            sink.param(text(row, 1)?, internal, text(row, 3)?);
            Ok(())
        })?;
        reports.each(head.id, |row| {
            if let Some(value) = column::number(row.get(2)?, text(row, 3)?) {
                sink.intermediate(row.get(1)?, value);
            }
            Ok(())
        })?;
        for (cursor, kind) in [(&mut user, AttributeKind::User), (&mut system, AttributeKind::System)] {
            cursor.each(head.id, |row| {
                sink.attribute(kind, text(row, 1)?, text(row, 2)?);
                Ok(())
            })?;
        }
        sink.end();
    }
    Ok(())
}

fn head(row: &Row<'_>) -> Result<TrialHead, Failure> {
    let id = TrialId(row.get(0)?);
    let time =
        |index: usize| -> Result<_, Failure> { Ok(row.get_ref(index)?.as_str().ok().and_then(column::time)) };
    Ok(TrialHead {
        id,
        number: row.get::<_, Option<i64>>(1)?.unwrap_or_default(),
        state: state(id, text(row, 2)?)?,
        started: time(3)?,
        completed: time(4)?,
    })
}

/// Rows by growing trial id.
struct Cursor<'s> {
    rows: Rows<'s>,
    /// Trial of the row that the cursor stands on.
    at: Option<i64>,
}

impl<'s> Cursor<'s> {
    fn new(rows: Rows<'s>) -> Result<Self, Failure> {
        let mut cursor = Self { rows, at: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> Result<(), Failure> {
        self.at = match self.rows.next()? {
            Some(row) => Some(row.get(0)?),
            None => None,
        };
        Ok(())
    }

    /// Calls `take` with each row of a trial, and passes over those of trials before it.
    fn each(
        &mut self,
        trial: TrialId,
        mut take: impl FnMut(&Row<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while let Some(at) = self.at.filter(|at| *at <= trial.0) {
            if at == trial.0
                && let Some(row) = self.rows.get()
            {
                take(row)?;
            }
            self.advance()?;
        }
        Ok(())
    }
}
