//! Rows of a table that are left, in order and with their targets.

use allometry_ladder::{DataSpec, LabelSpec, MissingPolicy};

use super::error::DataError;
use super::label;
use super::rows::Rows;
use super::series::Sequence;

/// The rows of a table that are left, with their targets.
pub(super) struct Kept {
    /// All rows.
    pub(super) all: Sequence,
    /// Rows that are left.
    pub(super) sequence: Sequence,
    /// Their places among all rows.
    pub(super) places: Vec<usize>,
    /// Their targets.
    pub(super) targets: Vec<Option<f32>>,
}

impl Kept {
    /// Puts the rows in order and fills missing features, or leaves out their rows. Means are filled later,
    /// when the training rows are known.
    pub(super) fn new(spec: &DataSpec, rows: &mut Rows) -> Result<Self, DataError> {
        let path = &spec.path;
        let all = rows.sequence(path)?;
        rows.check_unit(path, spec.max_gap)?;
        match spec.missing {
            MissingPolicy::Ffill => rows.fill_forward(&all, spec.max_gap),
            MissingPolicy::Mean => rows.check_categories(path)?,
            MissingPolicy::Error | MissingPolicy::Drop => {}
        }
        let threshold = match &spec.label {
            LabelSpec::Column { .. } => None,
            LabelSpec::Rise { rise, horizon, .. } => Some((*rise, *horizon)),
        };
        let targets = label::targets(&rows.targets, threshold, &all);
        check_labels(spec, rows, &all, &targets)?;
        let is_kept = |row: usize| spec.missing == MissingPolicy::Mean || rows.is_complete(row);
        let (sequence, places) = all.filtered(is_kept);
        let targets = places.iter().map(|place| targets[*place]).collect();
        Ok(Self { all, sequence, places, targets })
    }
}

/// Returns an error if a label before the last known one of its series is missing and gaps are errors, or if
/// no label is known.
fn check_labels(
    spec: &DataSpec,
    rows: &Rows,
    sequence: &Sequence,
    targets: &[Option<f32>],
) -> Result<(), DataError> {
    let LabelSpec::Column { name: column, .. } = &spec.label else {
        return Ok(());
    };
    let is_any_known = targets.iter().any(Option::is_some);
    if is_any_known && spec.missing != MissingPolicy::Error {
        return Ok(());
    }
    let within = sequence.spans().flat_map(|span| {
        let known = targets[span.clone()].iter().rposition(Option::is_some);
        // The end of a series has no label yet; a table without any has all missing.
        let end = if is_any_known { span.start + known.unwrap_or(0) } else { span.end };
        span.start..end
    });
    let missing: Vec<usize> = within.filter(|place| targets[*place].is_none()).collect();
    let Some(&first) = missing.first() else {
        return Ok(());
    };
    Err(DataError::MissingLabel {
        path: spec.path.clone(),
        column: column.clone(),
        location: rows.site(sequence.rows[first]),
        more: missing.len() as u64 - 1,
    })
}
