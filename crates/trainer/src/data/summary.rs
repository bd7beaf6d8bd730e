//! Summary of a table before training.

use allometry_core::ClassCounts;

use super::dataset::{PartName, SplitPart};

/// Counts of a table and of the parts it was split into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// Number of rows of the file.
    pub rows: u64,
    /// Number of rows left out because of a missing or infinite feature.
    pub dropped: u64,
    /// Number of rows, not dropped, with an unknown label.
    pub unlabelled: u64,
    /// Number of columns used as features.
    pub features: usize,
    /// Names of columns that are not used because they are not numeric or are a row index of pandas.
    pub skipped: Vec<String>,
    /// Training, validation and test part.
    pub parts: [PartSummary; 3],
}

/// Summary of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartSummary {
    /// Name of the part.
    pub name: PartName,
    /// Number of windows per class.
    pub counts: ClassCounts,
    /// Time of the first predicted row, or `None` without a time column.
    pub first: Option<String>,
    /// Time of the last predicted row, or `None` without a time column.
    pub last: Option<String>,
}

impl PartSummary {
    /// Summarises a part. `time` returns the time of a row of the file.
    pub(super) fn new(name: PartName, part: &SplitPart, time: impl Fn(usize) -> Option<String>) -> Self {
        let text = |window: Option<&super::Window>| window.and_then(|w| time(w.row as usize));
        Self {
            name,
            counts: part.counts(),
            first: text(part.windows.first()),
            last: text(part.windows.last()),
        }
    }

    /// Returns the number of windows.
    pub fn windows(&self) -> u64 {
        self.counts.positives + self.counts.negatives
    }
}
