//! Tables to be predicted, whose labels are not needed.

use std::ops::Range;
use std::path::Path;

use allometry_ladder::{FeatureSpec, MissingPolicy, Task};

use super::categories::{Categories, Unseen};
use super::columns::Wanted;
use super::cut::check_series;
use super::dataset::Preparation;
use super::error::DataError;
use super::format::read;
use super::holes::{Holes, Ordered};
use super::rows::Rows;
use super::scale::scale;

/// Rows in time order, series after series, prepared as the rows on which a model was trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlabelled {
    /// Features, row-major.
    pub values: Vec<f32>,
    /// Number of rows that were left out because of a missing or infinite value.
    pub dropped: u64,
    /// Columns with such values, each with their number.
    pub gaps: Vec<(String, u64)>,
    /// Columns of which such values were filled, each with their number.
    pub filled: Vec<(String, u64)>,
    /// Categories that the training part did not have. Their rows have 0 in all features of the column, or a
    /// vector of zeros.
    pub unseen: Vec<Unseen>,
    /// Origin of each row in its table.
    pub rows: Vec<Row>,
    /// First row of each window without a hole.
    pub starts: Vec<usize>,
    /// Holes that no window may span; `None` if the preparation sets no `max_gap`.
    pub holes: Option<Holes>,
}

/// Origin of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Number of the row in the file, from 0, counting rows that were left out.
    pub number: u64,
    /// Name of its series, or `None` for a table of one.
    pub series: Option<String>,
    /// Time of the row as a file of text has it, otherwise in ISO 8601; `None` without a time column.
    pub time: Option<String>,
}

/// Reads the columns of the features of a model from a table, and prepares them in the same way as the
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
    let numbers = preparation.numbers(features.len());
    let feature_spec = FeatureSpec {
        include: Some(features[..numbers].to_vec()),
        exclude: Vec::new(),
        categorical: preparation.categories.iter().map(Categories::spec).collect(),
    };
    let mut rows = read(Wanted {
        path,
        time: preparation.time.as_deref(),
        series: preparation.series.as_deref(),
        label: None,
        features: &feature_spec,
        task: Task::default(),
        keeps_times: true,
    })?;
    if preparation.missing == MissingPolicy::Error {
        rows.check_gaps(path)?;
    }
    rows.check_unit(path, preparation.max_gap)?;
    let sequence = rows.sequence(path)?;
    match preparation.missing {
        MissingPolicy::Ffill => rows.fill_forward(&sequence, preparation.max_gap),
        MissingPolicy::Mean => {
            rows.check_categories(path)?;
            rows.fill_means(&preparation.means);
        }
        MissingPolicy::Error | MissingPolicy::Drop => {}
    }
    let (complete, _) = sequence.filtered(|row| rows.is_complete(row));
    let left = Ordered { times: &rows.times, sequence: &complete, series: rows.series.as_ref() };
    let holes = preparation.max_gap.and_then(|gap| left.summary(Some(gap)));
    let (starts, holes) = starts(left, holes, context);
    let complete_rows = &complete.rows;
    if starts.is_empty() {
        if let Some(series) = &rows.series {
            check_series(path, &series.names, &complete, context)?;
        }
        let max_gap = holes.filter(|holes| holes.windows > 0).map(|holes| holes.limit);
        let (path, rows) = (path.to_owned(), complete_rows.len());
        return Err(DataError::NoWindow { path, rows, context, max_gap });
    }
    let origin = |&row: &usize| Row {
        number: row as u64,
        series: rows.series_name(row).map(str::to_owned),
        time: rows.written_time(row),
    };
    let origins = complete_rows.iter().map(origin).collect();
    let unseen = rows.unseen(&preparation.categories, complete_rows);
    let mut values = Rows::gather(std::mem::take(&mut rows.values), numbers, complete_rows);
    if let Some(scaling) = &preparation.scaling {
        scale(&mut values, scaling);
    }
    let values = rows.encoded(values, (&preparation.categories, None), complete_rows);
    let dropped = (rows.len() - complete_rows.len()) as u64;
    Ok(Unlabelled {
        values,
        dropped,
        gaps: rows.gap_counts(),
        filled: rows.filled_counts(),
        unseen,
        rows: origins,
        starts,
        holes,
    })
}

/// Returns the first rows of the windows without a hole, none of which spans two series, and the holes with
/// the number of windows that have one.
fn starts(left: Ordered<'_>, holes: Option<Holes>, context: usize) -> (Vec<usize>, Option<Holes>) {
    let all = || {
        let of_series =
            |span: Range<usize>| span.start..(span.end + 1).saturating_sub(context).max(span.start);
        left.sequence.spans().flat_map(of_series)
    };
    let Some(mut holes) = holes else { return (all().collect(), None) };
    let unbroken = left.unbroken(holes.limit);
    let (starts, broken): (Vec<usize>, Vec<usize>) =
        all().partition(|start| unbroken[start + context - 1] >= context);
    holes.windows = broken.len() as u64;
    (starts, Some(holes))
}
