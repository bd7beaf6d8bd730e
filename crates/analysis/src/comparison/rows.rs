//! Whether two ladders were scored on the same validation rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::scaling::are_of_same_rows;

/// What is known of the validation rows of two ladders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowRelation {
    /// Stored scores of both are of the same rows with the same labels, or the two are one analysis.
    Same,
    /// Their counts of classes, or the rows of stored scores, differ.
    Different,
    /// Nothing says.
    Unknown,
}

impl RowRelation {
    pub(super) fn new(a: &Side<'_>, b: &Side<'_>) -> Self {
        let counts = a.analysis.rows.zip(b.analysis.rows);
        if counts.is_some_and(|(first, second)| first != second) {
            return Self::Different;
        }
        let stored = |side: &Side<'_>| side.scores.iter().flatten().count();
        if stored(a) == 0 || stored(b) == 0 {
            return Self::Unknown;
        }
        let same = a
            .scores
            .iter()
            .flatten()
            .any(|one| b.scores.iter().flatten().any(|other| are_of_same_rows(one, other)));
        if same { Self::Same } else { Self::Different }
    }
}
