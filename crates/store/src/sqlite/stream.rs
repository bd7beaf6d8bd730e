//! Reads trials for Optuna's clients. One cursor per table, all sorted by trial id, are merged, so that one
//! row of each table is in memory.

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{CachedStatement, Connection, Row, Rows as Cells, params};

use super::Rows;
use super::read::{PartTable, required_text};
use crate::column;
use crate::error::StoreError;
use crate::from_rows;
use crate::optuna::record::{TrialHead, TrialSink};
use crate::rows::{ReadRows as _, Result, Wanted};
use crate::store::{StudyId, TrialId};

impl Rows<'_> {
    /// Passes one trial to `sink`.
    pub(super) fn stream_one(&mut self, trial: TrialId, sink: &mut dyn TrialSink) -> Result<()> {
        let study = self.status(trial)?.ok_or(StoreError::UnknownTrial(trial))?.study;
        stream(self.db, &Span { study, first: trial.0, last: trial.0, count: 1 }, sink)
    }

    /// Passes the wanted trials to `sink` in ascending order of ids.
    pub(super) fn stream(&mut self, wanted: Wanted<'_>, sink: &mut dyn TrialSink) -> Result<()> {
        let Wanted { study, after, included } = wanted;
        self.require_study(study)?;
        let mut earlier: Vec<i64> = included.iter().map(|id| id.0).filter(|id| *id <= after.0).collect();
        earlier.sort_unstable();
        earlier.dedup();
        for id in earlier {
            stream(self.db, &Span { study, first: id, last: id, count: 1 }, sink)?;
        }
        let later = "SELECT min(trial_id), max(trial_id), count(*) FROM trials
                     WHERE study_id = ?1 AND trial_id > ?2";
        let later = self.db.prepare_cached(later)?.query_row(params![study.0, after.0], |row| {
            let ends = (row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?);
            let (Some(first), Some(last)) = ends else { return Ok(None) };
            Ok(Some(Span { study, first, last, count: row.get(2)? }))
        })?;
        later.map_or(Ok(()), |span| stream(self.db, &span, sink))
    }
}

/// Trials of a study with ids from `first` to `last`.
struct Span {
    study: StudyId,
    first: i64,
    last: i64,
    count: i64,
}

impl Span {
    /// Returns the rows of `table` for these trials, sorted by trial. Column 0 is the trial's id.
    fn parts<'db>(&self, db: &'db Connection, table: PartTable) -> Result<CachedStatement<'db>> {
        let (table, key, columns) = table.columns();
        // A range scan skips the rows of other studies; it is cheaper than a lookup per trial unless they are
        // the majority.
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

fn stream(db: &Connection, span: &Span, sink: &mut dyn TrialSink) -> Result<()> {
    let bounds = span.bounds();
    let mut statements =
        PartTable::ALL.iter().map(|table| span.parts(db, *table)).collect::<Result<Vec<_>>>()?;
    let mut cursors = Vec::with_capacity(statements.len());
    for (table, statement) in PartTable::ALL.iter().zip(&mut statements) {
        cursors.push((table, Cursor::new(statement.query(bounds)?)?));
    }
    let mut heads = db.prepare_cached(
        "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials
         WHERE study_id = ?1 AND trial_id BETWEEN ?2 AND ?3 ORDER BY trial_id",
    )?;
    let mut heads = heads.query(bounds)?;
    while let Some(row) = heads.next()? {
        let head = head(row)?;
        sink.begin(&head);
        for (table, cursor) in &mut cursors {
            cursor.each(head.id, |row| {
                table.part(row, required_text)?.tell(sink);
                Ok(())
            })?;
        }
        sink.end();
    }
    Ok(())
}

fn head(row: &Row<'_>) -> Result<TrialHead> {
    let id = TrialId(row.get(0)?);
    let time = |index: usize| -> Result<_> { Ok(row.get_ref(index)?.as_str().ok().and_then(column::time)) };
    Ok(TrialHead {
        id,
        number: row.get::<_, Option<i64>>(1)?.unwrap_or_default(),
        state: from_rows::state_of(id, required_text(row, 2)?)?,
        started: time(3)?,
        completed: time(4)?,
    })
}

/// Rows sorted by trial id.
struct Cursor<'s> {
    rows: Cells<'s>,
    /// Trial of the current row.
    at: Option<i64>,
}

impl<'s> Cursor<'s> {
    fn new(rows: Cells<'s>) -> Result<Self> {
        let mut cursor = Self { rows, at: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> Result<()> {
        self.at = match self.rows.next()? {
            Some(row) => Some(row.get(0)?),
            None => None,
        };
        Ok(())
    }

    /// Calls `take` with each row of a trial, and skips rows of earlier trials.
    fn each(&mut self, trial: TrialId, mut take: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
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
