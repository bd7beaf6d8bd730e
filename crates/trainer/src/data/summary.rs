//! What there is to say about a table before anything is trained on it.

use allometry_core::ClassCounts;

use super::dataset::{Part, PartName};

/// Figures of a table and of the parts it was split into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// Rows of the file.
    pub rows: u64,
    /// Rows left out for a missing or infinite feature.
    pub dropped: u64,
    /// Rows, not dropped, whose label is not known.
    pub unlabelled: u64,
    /// Columns used as features.
    pub features: usize,
    /// Columns passed over because they are not numeric, or are a row index that pandas wrote.
    pub skipped: Vec<String>,
    /// Training, validation and test part.
    pub parts: [PartSummary; 3],
}

/// Figures of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartSummary {
    /// Which part.
    pub name: PartName,
    /// Its windows by class.
    pub counts: ClassCounts,
    /// Time of the first row that is predicted; `None` without a time column.
    pub first: Option<String>,
    /// Time of the last row that is predicted; `None` without a time column.
    pub last: Option<String>,
}

impl PartSummary {
    /// Summarises a part; `time` gives the time of a row of the file.
    pub(super) fn new(name: PartName, part: &Part, time: impl Fn(usize) -> Option<String>) -> Self {
        let text = |window: Option<&super::Window>| window.and_then(|w| time(w.row as usize));
        Self {
            name,
            counts: part.counts(),
            first: text(part.windows.first()),
            last: text(part.windows.last()),
        }
    }

    /// Number of windows.
    pub fn windows(&self) -> u64 {
        self.counts.positives + self.counts.negatives
    }
}
