//! From a file to a data set.

use std::ops::Range;
use std::path::Path;

use allometry_core::ladder::spec::{DataSpec, LabelSpec, MissingPolicy, Normalize};

use super::columns::Wanted;
use super::dataset::{Dataset, Part, PartName, Preparation, Window};
use super::error::DataError;
use super::label;
use super::rows::Rows;
use super::scale::standardise;
use super::split::Split;
use super::summary::{PartSummary, TableSummary};
use super::{read_csv, read_parquet};

/// A data set and what there is to say about the table it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Rows and windows.
    pub dataset: Dataset,
    /// Figures of the table and its parts.
    pub summary: TableSummary,
}

/// Reads a table and cuts it into windows of `context` rows (at least 1).
///
/// Rows are put in time order, labels are computed, rows with a missing or infinite feature are left out if the ladder
/// says so, and the rest is split. A window's rows follow each other among those left, so that a window may span a row
/// that was left out; `horizon` counts rows before any was. Windows that end in a row without a known label are in no part:
/// the last `horizon` rows of a threshold label, rows at the end whose label is empty, and, where rows with gaps are
/// left out, those whose label is missing.
///
/// With [`Normalize::Standard`] the features come scaled by mean and deviation over the rows of training windows; otherwise
/// they are as in the file.
///
/// # Errors
/// [`DataError`] where the file cannot be read, does not hold what the ladder asks for, or leaves a part without a window,
/// or the training or validation part with a single class.
pub fn load(spec: &DataSpec, context: usize, normalize: Normalize) -> Result<Loaded, DataError> {
    let path = &spec.path;
    if spec.split.train + spec.split.validation >= 1.0 {
        return Err(DataError::SplitSum { train: spec.split.train, validation: spec.split.validation });
    }
    let rows = read(Wanted::from(spec))?;
    if rows.len() == 0 {
        return Err(DataError::NoRows { path: path.clone() });
    }
    if spec.missing == MissingPolicy::Error {
        rows.check_gaps(path)?;
    }
    let order = rows.order(path)?;
    let threshold = match &spec.label {
        LabelSpec::Column(_) => None,
        LabelSpec::Rise { rise, horizon, .. } => Some((*rise, *horizon)),
    };
    let classes = label::classes(&rows.targets, threshold, &order);
    check_labels(spec, &rows, &order, &classes)?;

    let (kept, classes): (Vec<usize>, Vec<Option<bool>>) =
        order.iter().zip(&classes).filter(|(row, _)| rows.is_complete(**row)).unzip();
    let split = Split::new(kept.len(), context, spec.label.horizon(), spec.split);
    let part = |ends: &Range<usize>| {
        let window = |last: usize| Some(Window { last, row: kept[last] as u64, label: classes[last]? });
        Part { windows: ends.clone().filter_map(window).collect() }
    };
    let (train, validation, test) = (part(&split.train), part(&split.validation), part(&split.test));
    let parts = [(PartName::Train, &train), (PartName::Validation, &validation), (PartName::Test, &test)];
    for (name, part) in parts {
        if part.windows.is_empty() {
            let dropped = rows.len() - kept.len();
            let path = path.clone();
            return Err(DataError::TooFewRows { path, part: name, rows: kept.len(), dropped, context });
        }
    }
    check_classes(path, PartName::Train, &train)?;
    check_classes(path, PartName::Validation, &validation)?;

    let summary = TableSummary {
        rows: rows.len() as u64,
        dropped: (rows.len() - kept.len()) as u64,
        unlabelled: classes.iter().filter(|class| class.is_none()).count() as u64,
        features: rows.selection.features.len(),
        skipped: rows.selection.skipped.clone(),
        parts: parts.map(|(name, part)| PartSummary::new(name, part, |row| rows.times.text(row))),
    };
    let features = summary.features;
    let feature_names = rows.selection.features.iter().map(|&column| rows.names[column].clone()).collect();
    let mut values = Rows::gather(rows.values, features, &kept);
    let scaling =
        (normalize == Normalize::Standard).then(|| standardise(&mut values, features, split.train.end));
    let preparation = Preparation { time: spec.time.clone(), missing: spec.missing, scaling };
    let dataset = Dataset { feature_names, values, context, train, validation, test, preparation };
    Ok(Loaded { dataset, summary })
}

pub(super) fn read(wanted: Wanted<'_>) -> Result<Rows, DataError> {
    let extension = wanted.path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    match extension.as_deref() {
        Some("csv") => read_csv::read(wanted),
        Some("parquet") => read_parquet::read(wanted),
        _ => Err(DataError::UnknownFormat { path: wanted.path.to_owned() }),
    }
}

/// Fails where a label is missing before the last known one and gaps are errors, or where no label is known at all.
fn check_labels(
    spec: &DataSpec,
    rows: &Rows,
    order: &[usize],
    classes: &[Option<bool>],
) -> Result<(), DataError> {
    let LabelSpec::Column(column) = &spec.label else {
        return Ok(());
    };
    let last = classes.iter().rposition(Option::is_some);
    if last.is_some() && spec.missing == MissingPolicy::Drop {
        return Ok(());
    }
    let within = &classes[..last.unwrap_or(classes.len())];
    let Some(first) = within.iter().position(Option::is_none) else {
        return Ok(());
    };
    Err(DataError::MissingLabel {
        path: spec.path.clone(),
        column: column.clone(),
        location: rows.location(order[first]),
        more: within.iter().filter(|class| class.is_none()).count() as u64 - 1,
    })
}

fn check_classes(path: &Path, name: PartName, part: &Part) -> Result<(), DataError> {
    let counts = part.counts();
    if counts.positives > 0 && counts.negatives > 0 {
        return Ok(());
    }
    let (windows, class) = (part.windows.len() as u64, counts.positives > 0);
    Err(DataError::OneClass { path: path.to_owned(), part: name, windows, class })
}
