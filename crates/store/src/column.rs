//! Single values as columns hold them.

use allometry_core::{Direction, Predictions, TrialState, ValidationOutputs, ValidationScores};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The name of a state in Optuna's tables.
pub(crate) fn state_name(state: TrialState) -> &'static str {
    match state {
        TrialState::Waiting => "WAITING",
        TrialState::Running => "RUNNING",
        TrialState::Complete => "COMPLETE",
        TrialState::Pruned => "PRUNED",
        TrialState::Failed => "FAIL",
    }
}

/// The state of that name.
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

/// The name of a direction in Optuna's tables.
pub(crate) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Maximize => "MAXIMIZE",
        Direction::Minimize => "MINIMIZE",
    }
}

/// The direction of that name; Optuna minimises where none was set.
pub(crate) fn direction(name: &str) -> Direction {
    if name == "MAXIMIZE" { Direction::Maximize } else { Direction::Minimize }
}

/// A number as Optuna stores it: null and a type where SQL has no word for it.
pub(crate) fn stored_number(x: f64) -> (Option<f64>, &'static str) {
    match x {
        x if x.is_nan() => (None, "NAN"),
        f64::INFINITY => (None, "INF_POS"),
        f64::NEG_INFINITY => (None, "INF_NEG"),
        x => (Some(x), "FINITE"),
    }
}

/// The number that was stored.
pub(crate) fn number(stored: Option<f64>, kind: &str) -> Option<f64> {
    match kind {
        "FINITE" => stored,
        "INF_POS" => Some(f64::INFINITY),
        "INF_NEG" => Some(f64::NEG_INFINITY),
        "NAN" => Some(f64::NAN),
        _ => None,
    }
}

/// A time in UTC, cut to microseconds.
pub(crate) fn stored_time(time: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(time);
    let date = time.date();
    let microseconds = time.subsec_nanosecond() / 1000;
    format!("{date} {:02}:{:02}:{:02}.{microseconds:06}", time.hour(), time.minute(), time.second())
}

/// The time that was stored.
pub(crate) fn time(stored: &str) -> Option<Timestamp> {
    let time: DateTime = stored.parse().ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Returns a trial's predictions as the columns `rows`, `labels` and `scores`. A row's label has one byte where
/// it is binary and four where it is a class or a number.
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

/// Row indices as eight bytes each, little-endian.
fn rows_blob(rows: &[u64]) -> Vec<u8> {
    rows.iter().flat_map(|row| row.to_le_bytes()).collect()
}

/// Labels as one byte each.
fn labels_blob(labels: &[bool]) -> Vec<u8> {
    labels.iter().map(|label| u8::from(*label)).collect()
}

/// Scores as four bytes each, little-endian.
fn scores_blob(scores: &[f32]) -> Vec<u8> {
    scores.iter().flat_map(|score| score.to_le_bytes()).collect()
}

/// Row indices from their bytes.
fn rows(blob: &[u8]) -> Vec<u64> {
    blob.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}

/// Labels from their bytes.
fn labels(blob: &[u8]) -> Vec<bool> {
    blob.iter().map(|byte| *byte != 0).collect()
}

/// Scores from their bytes.
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
