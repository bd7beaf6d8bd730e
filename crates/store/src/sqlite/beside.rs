//! Statements that read our own tables for all trials of a study at once: Optuna's tables find no trial by its number.

use std::collections::BTreeMap;

use allometry_core::TrialNumber;
use rusqlite::{Connection, Row};

use super::failure::Failure;
use super::read;
use crate::assemble;
use crate::store::{Beside, Predictions, StudyId};

/// Calls `take` with each row of one of our tables that belongs to a trial of the study from number `first` on. Column 0 is the
/// trial's number; `columns` follow.
fn each(
    db: &Connection,
    (study, first): (StudyId, TrialNumber),
    (table, columns): (&str, &str),
    mut take: impl FnMut(TrialNumber, &Row<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if !read::own_table(db, table)? {
        return Ok(());
    }
    // The trials come through the index of their study, the rows of each through the table's key.
    let mut statement = db.prepare_cached(&format!(
        "SELECT number, {columns} FROM trials CROSS JOIN {table} USING (trial_id)
         WHERE study_id = ?1 AND trial_id >= ?2 AND number >= ?3"
    ))?;
    let from = read::first_trial(db, study, first)?;
    let mut rows = statement.query((study.0, from, i64::try_from(first.0).unwrap_or(i64::MAX)))?;
    while let Some(row) = rows.next()? {
        take(TrialNumber(row.get::<_, u32>(0)?.into()), row)?;
    }
    Ok(())
}

pub(super) fn predictions_from(
    db: &Connection,
    study: StudyId,
    first: TrialNumber,
) -> Result<Predictions, Failure> {
    read::require_study(db, study)?;
    let mut predictions = Predictions::default();
    each(db, (study, first), ("allometry_scores", "\"rows\", labels, scores"), |number, row| {
        let column = |place: usize| Ok::<_, rusqlite::Error>(row.get_ref(place)?.as_blob()?);
        predictions.take(number, [column(1)?, column(2)?, column(3)?]);
        Ok(())
    })?;
    Ok(predictions)
}

/// Everything, by trial.
pub(super) fn all(db: &Connection, study: StudyId) -> Result<BTreeMap<TrialNumber, Beside>, Failure> {
    let mut all = predictions_from(db, study, TrialNumber(0))?.beside();
    let of = (study, TrialNumber(0));
    each(db, of, ("allometry_epoch_metrics", "step, metrics_json"), |number, row| {
        let (step, text): (i64, String) = (row.get(1)?, row.get(2)?);
        let metrics = assemble::epoch_metrics(number, step, &text)?;
        all.entry(number).or_default().epoch_metrics.insert(step, metrics);
        Ok(())
    })?;
    each(db, of, ("allometry_logs", "tail"), |number, row| {
        all.entry(number).or_default().log = Some(row.get(1)?);
        Ok(())
    })?;
    each(db, of, ("allometry_late_tells", "tell_json"), |number, row| {
        let tell = assemble::late_tell(number, read::text(row, 1))?;
        all.entry(number).or_default().late_tells.push(tell);
        Ok(())
    })?;
    Ok(all)
}
