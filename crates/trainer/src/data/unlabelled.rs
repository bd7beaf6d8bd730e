//! Rows to be predicted: a table whose labels nobody needs to know.

use std::path::Path;

use allometry_core::ladder::spec::{FeatureSpec, MissingPolicy, Task};

use super::columns::Wanted;
use super::dataset::Preparation;
use super::error::DataError;
use super::load::read;
use super::rows::Rows;
use super::scale::scale;

/// Rows in time order, prepared as those that a model was trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlabelled {
    /// Features, row-major.
    pub values: Vec<f32>,
    /// What each row was in its table.
    pub rows: Vec<Row>,
}

/// Where a row came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the file, from 0, counting rows that were left out.
    pub number: u64,
    /// Its time; `None` without a time column.
    pub time: Option<String>,
}

/// Reads the columns `features` of a table, in that order, and prepares them in the same way as the training rows.
///
/// # Errors
/// [`DataError`] where the file cannot be read or lacks a column, where a value is missing that must not be, or where there
/// are fewer than `context` rows.
pub fn load_unlabelled(
    path: &Path,
    features: &[String],
    preparation: &Preparation,
    context: usize,
) -> Result<Unlabelled, DataError> {
    let feature_spec = FeatureSpec { include: Some(features.to_vec()), exclude: Vec::new() };
    let time = preparation.time.as_deref();
    let rows = read(Wanted { path, time, label: None, features: &feature_spec, task: Task::default() })?;
    if preparation.missing == MissingPolicy::Error {
        rows.check_gaps(path)?;
    }
    let kept: Vec<usize> = rows.order(path)?.into_iter().filter(|&row| rows.is_complete(row)).collect();
    if kept.len() < context {
        return Err(DataError::NoWindow { path: path.to_owned(), rows: kept.len(), context });
    }
    let origins = kept.iter().map(|&row| Row { number: row as u64, time: rows.times.text(row) }).collect();
    let mut values = Rows::gather(rows.values, features.len(), &kept);
    if let Some(scaling) = &preparation.scaling {
        scale(&mut values, scaling);
    }
    Ok(Unlabelled { values, rows: origins })
}
