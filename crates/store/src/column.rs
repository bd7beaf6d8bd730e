//! Conversion of single values to and from columns.

use allometry_core::{Direction, Predictions, TrialState, ValidationOutputs, ValidationScores};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Returns the name of a state in Optuna's tables.
pub(crate) fn state_name(state: TrialState) -> &'static str {
    match state {
        TrialState::Waiting => "WAITING",
        TrialState::Running => "RUNNING",
        TrialState::Complete => "COMPLETE",
        TrialState::Pruned => "PRUNED",
        TrialState::Failed => "FAIL",
    }
}

/// Returns the state with this name.
pub(crate) fn state(name: &str) -> Option<TrialState> {
    Some(match name {
        "WAITING" => TrialState::Waiting,
        "RUNNING" => TrialState::Running,
        "COMPLETE" => TrialState::Complete,
        "PRUNED" => TrialState::Pruned,
        "FAIL" => TrialState::Failed,
        _ => return None,
    })
}

/// Returns the name of a direction in Optuna's tables.
pub(crate) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Maximize => "MAXIMIZE",
        Direction::Minimize => "MINIMIZE",
    }
}

/// Returns the directions with these names, in order; none if one of the names is unknown. `NOT_SET`, from
/// studies of early versions of Optuna, means to minimise.
pub(crate) fn directions<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<Direction> {
    let direction = |name| match name {
        "MAXIMIZE" => Some(Direction::Maximize),
        "MINIMIZE" | "NOT_SET" => Some(Direction::Minimize),
        _ => None,
    };
    names.into_iter().map(direction).collect::<Option<_>>().unwrap_or_default()
}

/// Returns the columns of a number: Optuna stores null and a type for numbers that SQL cannot represent.
pub(crate) fn stored_number(x: f64) -> (Option<f64>, &'static str) {
    match x {
        x if x.is_nan() => (None, "NAN"),
        f64::INFINITY => (None, "INF_POS"),
        f64::NEG_INFINITY => (None, "INF_NEG"),
        x => (Some(x), "FINITE"),
    }
}

/// Returns the number that a value and its type represent.
pub(crate) fn number(stored: Option<f64>, kind: &str) -> Option<f64> {
    match kind {
        "FINITE" => stored,
        "INF_POS" => Some(f64::INFINITY),
        "INF_NEG" => Some(f64::NEG_INFINITY),
        "NAN" => Some(f64::NAN),
        _ => None,
    }
}

/// Returns a time in UTC, truncated to microseconds.
pub(crate) fn stored_time(time: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(time);
    let date = time.date();
    let microseconds = time.subsec_nanosecond() / 1000;
    format!("{date} {:02}:{:02}:{:02}.{microseconds:06}", time.hour(), time.minute(), time.second())
}

/// Parses a stored time.
pub(crate) fn time(stored: &str) -> Option<Timestamp> {
    let time: DateTime = stored.parse().ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Returns a trial's predictions as the columns `rows`, `labels` and `scores`. A binary label has one byte,
/// a class or a number has four.
pub(crate) fn of_predictions(predictions: &Predictions) -> [Vec<u8>; 3] {
    match predictions {
        Predictions::Binary(of) => [rows_blob(&of.rows), labels_blob(&of.labels), scores_blob(&of.scores)],
        Predictions::Other(of) => [rows_blob(&of.rows), scores_blob(&of.targets), scores_blob(&of.outputs)],
    }
}

/// Returns the predictions of a trial from their columns; `None` where their lengths do not fit together.
pub(crate) fn predictions([row_bytes, label_bytes, score_bytes]: [&[u8]; 3]) -> Option<Predictions> {
    let (rows, scores) = (|| rows(row_bytes), || scores(score_bytes));
    if label_bytes.len() * 8 == row_bytes.len() {
        let labels = labels(label_bytes);
        Some(ValidationScores { rows: rows(), labels, scores: scores() }.into())
    } else if label_bytes.len() * 2 == row_bytes.len() {
        let targets = self::scores(label_bytes);
        Some(ValidationOutputs { rows: rows(), targets, outputs: scores() }.into())
    } else {
        None
    }
}

/// Encodes row indices as eight bytes each, little-endian.
fn rows_blob(rows: &[u64]) -> Vec<u8> {
    rows.iter().flat_map(|row| row.to_le_bytes()).collect()
}

/// Encodes labels as one byte each.
fn labels_blob(labels: &[bool]) -> Vec<u8> {
    labels.iter().map(|label| u8::from(*label)).collect()
}

/// Encodes scores as four bytes each, little-endian.
fn scores_blob(scores: &[f32]) -> Vec<u8> {
    scores.iter().flat_map(|score| score.to_le_bytes()).collect()
}

/// Decodes row indices.
fn rows(blob: &[u8]) -> Vec<u64> {
    blob.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

/// Decodes labels.
fn labels(blob: &[u8]) -> Vec<bool> {
    blob.iter().map(|byte| *byte != 0).collect()
}

/// Decodes scores.
fn scores(blob: &[u8]) -> Vec<f32> {
    blob.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_pythons() {
        let at = Timestamp::new(1_764_000_000, 5_001_999).unwrap();
        assert_eq!(stored_time(at), "2025-11-24 16:00:00.005001");
        assert_eq!(
            time("2025-11-24 16:00:00.005001"),
            Some(Timestamp::new(1_764_000_000, 5_001_000).unwrap())
        );
        assert_eq!(time("2025-11-24 16:00:00"), Some(Timestamp::new(1_764_000_000, 0).unwrap()));
        assert_eq!(time("yesterday"), None);
    }
}
