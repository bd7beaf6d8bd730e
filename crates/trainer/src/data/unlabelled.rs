//! Tables to be predicted, whose labels are not needed.

use std::path::Path;

use allometry_ladder::{FeatureSpec, MissingPolicy, Task};

use super::columns::Wanted;
use super::dataset::Preparation;
use super::error::DataError;
use super::format::read;
use super::rows::Rows;
use super::scale::scale;

/// Rows in time order, prepared as the rows on which a model was trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlabelled {
    /// Features, row-major.
    pub values: Vec<f32>,
    /// Origin of each row in its table.
    pub rows: Vec<Row>,
}

/// Origin of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Number of the row in the file, from 0, counting rows that were left out.
    pub number: u64,
    /// Time of the row, or `None` without a time column.
    pub time: Option<String>,
}

/// Reads the columns `features` of a table, in that order, and prepares them in the same way as the
/// training rows.
///
/// # Errors
/// [`DataError`] if the file cannot be read or lacks a column, if a required value is missing, or if there
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
    let complete_rows: Vec<usize> =
        rows.order(path)?.into_iter().filter(|&row| rows.is_complete(row)).collect();
    if complete_rows.len() < context {
        return Err(DataError::NoWindow { path: path.to_owned(), rows: complete_rows.len(), context });
    }
    let origins =
        complete_rows.iter().map(|&row| Row { number: row as u64, time: rows.times.text(row) }).collect();
    let mut values = Rows::gather(rows.values, features.len(), &complete_rows);
    if let Some(scaling) = &preparation.scaling {
        scale(&mut values, scaling);
    }
    Ok(Unlabelled { values, rows: origins })
}
