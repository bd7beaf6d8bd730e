//! Whether two ladders were scored on the same validation rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::outputs::Outputs;
use crate::scores::Scores;

/// Whether two ladders have the same validation rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowRelation {
    /// Stored scores of both belong to equal rows with equal labels, or both are one analysis.
    Same,
    /// The class counts or the rows of stored scores differ.
    Different,
    /// The data do not show it.
    Unknown,
}

impl RowRelation {
    pub(super) fn new<'s>(a: &Side<'s>, b: &Side<'s>) -> Self {
        let counts = a.analysis.rows.zip(b.analysis.rows);
        if counts.is_some_and(|(first, second)| first != second) {
            return Self::Different;
        }
        let stored = |side: &Side<'s>| -> Vec<Scores<'s>> {
            side.trials
                .into_iter()
                .flat_map(|ladder| &ladder.studies)
                .filter_map(|study| study.predictions.first_scores())
                .collect()
        };
        let (first, second) = (stored(a), stored(b));
        let outputs = |side: &Side<'s>| -> Vec<Outputs<'s>> {
            let studies = side.trials.into_iter().flat_map(|ladder| &ladder.studies);
            studies.filter_map(|study| study.predictions.first_outputs()).collect()
        };
        let (others, more) = (outputs(a), outputs(b));
        if first.len() + others.len() == 0 || second.len() + more.len() == 0 {
            return Self::Unknown;
        }
        let same = first.iter().any(|one| second.iter().any(|other| one.same_rows(other)))
            || others.iter().any(|one| more.iter().any(|other| one.same_rows(other)));
        if same { Self::Same } else { Self::Different }
    }
}
