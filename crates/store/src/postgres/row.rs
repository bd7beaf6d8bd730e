//! Keys of studies and trials as their columns store them, and values in the columns of rows.

use std::time::SystemTime;

use jiff::Timestamp;
use postgres::Row;

use crate::error::StoreError;
use crate::rows::Result;
use crate::store::{StudyId, TrialId};

/// Returns the key of a study as stored in its column.
pub(super) fn study_key(study: StudyId) -> Result<i32, StoreError> {
    i32::try_from(study.0).map_err(|_| StoreError::UnknownStudy(study))
}

/// Returns the key of a trial as stored in its column.
pub(super) fn trial_key(trial: TrialId) -> Result<i32, StoreError> {
    i32::try_from(trial.0).map_err(|_| StoreError::UnknownTrial(trial))
}

/// Returns the text in a column; empty for null.
pub(super) fn text(row: &Row, index: usize) -> &str {
    row.try_get(index).unwrap_or_default()
}

/// Returns the UTC time in a column.
pub(super) fn time(row: &Row, index: usize) -> Result<Option<Timestamp>> {
    let stored: Option<SystemTime> = row.try_get(index)?;
    Ok(stored.and_then(|time| Timestamp::try_from(time).ok()))
}
