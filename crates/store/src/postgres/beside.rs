//! Statements that read our own tables for all trials of a study at once.

use std::collections::BTreeMap;

use allometry_core::TrialNumber;
use postgres::Row;

use super::failure::Failure;
use super::read;
use super::session::Db;
use crate::assemble;
use crate::store::{Beside, Predictions, StudyId};

/// Calls `take` with each row of one of our tables that belongs to a trial of the study from number `first` on. Column 0 is the
/// trial's number; `columns` follow.
fn each(
    db: &mut Db<'_>,
    (study, first): (i32, TrialNumber),
    (table, columns, order): (&str, &str, &str),
    mut take: impl FnMut(TrialNumber, &Row) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if !read::own_table(db, table)? {
        return Ok(());
    }
    let sql = format!(
        "SELECT number, {columns} FROM trials JOIN {table} USING (trial_id)
         WHERE study_id = $1 AND number >= $2 {order}"
    );
    db.each(&sql, &[&study, &read::number_key(first)], |row| take(TrialNumber(read::number(&row, 0)?), &row))
}

pub(super) fn predictions_from(
    db: &mut Db<'_>,
    study: StudyId,
    first: TrialNumber,
) -> Result<Predictions, Failure> {
    let key = read::require_study(db, study)?;
    let mut predictions = Predictions::default();
    each(db, (key, first), ("allometry_scores", "\"rows\", labels, scores", ""), |number, row| {
        predictions.take(number, [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?]);
        Ok(())
    })?;
    Ok(predictions)
}

/// Everything, by trial.
pub(super) fn all(db: &mut Db<'_>, study: StudyId) -> Result<BTreeMap<TrialNumber, Beside>, Failure> {
    let key = read::require_study(db, study)?;
    let mut all = predictions_from(db, study, TrialNumber(0))?.beside();
    let of = (key, TrialNumber(0));
    each(db, of, ("allometry_epoch_metrics", "step, metrics_json", ""), |number, row| {
        let step: i64 = row.try_get::<_, i32>(1)?.into();
        let metrics = assemble::epoch_metrics(number, step, read::text(row, 2))?;
        all.entry(number).or_default().epoch_metrics.insert(step, metrics);
        Ok(())
    })?;
    each(db, of, ("allometry_logs", "tail", ""), |number, row| {
        all.entry(number).or_default().log = Some(row.try_get(1)?);
        Ok(())
    })?;
    each(db, of, ("allometry_late_tells", "tell_json", "ORDER BY tell_id"), |number, row| {
        let tell = assemble::late_tell(number, read::text(row, 1))?;
        all.entry(number).or_default().late_tells.push(tell);
        Ok(())
    })?;
    Ok(all)
}
