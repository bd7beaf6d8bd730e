//! Summary of a table before training.

use std::fmt;

use allometry_core::ClassCounts;

use super::categories::Unseen;
use super::dataset::{PartName, SplitPart};
use super::holes::{Holes, Spacing};

/// Counts of a table and of the parts it was split into.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSummary {
    /// Number of rows of the file.
    pub rows: u64,
    /// Number of rows left out because of a missing or infinite feature.
    pub dropped: u64,
    /// Number of rows, not dropped, with an unknown label.
    pub unlabelled: u64,
    /// Usual distance between the times of neighbouring rows; `None` without times.
    pub spacing: Option<Spacing>,
    /// Holes between the rows that are left; `None` without times.
    pub holes: Option<Holes>,
    /// The series of a table with several.
    pub series: Option<SeriesSummary>,
    /// Number of features, of which each category is one.
    pub features: usize,
    /// Columns that are no features, in the table's order, each with the reason.
    pub left_out: Vec<(String, LeftOut)>,
    /// Columns with missing or infinite values that were not filled, each with the number of such rows.
    pub gaps: Vec<(String, u64)>,
    /// Columns of which missing or infinite values were filled, each with their number.
    pub filled: Vec<(String, u64)>,
    /// Categories of features that the training part lacks.
    pub unseen: Vec<Unseen>,
    /// Training, validation and test part; with folds, those of the model that is trained on all rows before
    /// the test part.
    pub parts: [PartSummary; 3],
    /// Parts of each fold: training, stopping, and the era; empty without folds.
    pub folds: Vec<[PartSummary; 3]>,
}

/// Counts of the series of a table, of the rows that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesSummary {
    /// Number of series.
    pub count: u64,
    /// Name of a series with the fewest rows, and their number.
    pub shortest: (String, u64),
    /// Name of a series with the most rows, and their number.
    pub longest: (String, u64),
    /// Names of the series that are shorter than a window, each with its number of rows.
    pub short: Vec<(String, u64)>,
}

/// Counts of a part of a table with several series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOfSeries {
    /// Number of its rows, before the embargo.
    pub rows: u64,
    /// Number of series with a window in it.
    pub series: u64,
}

/// Reason why a column is no feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It is the time.
    Time,
    /// It tells the series of a row.
    Series,
    /// It is the label.
    Label,
    /// The ladder excludes it.
    Excluded,
    /// The ladder lists its features without it.
    NotIncluded,
    /// It is the row index that pandas writes.
    RowIndex,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "the time",
            Self::Series => "the series",
            Self::Label => "the label",
            Self::Excluded => "excluded",
            Self::NotIncluded => "not among the included",
            Self::RowIndex => "a row index of pandas",
        })
    }
}

/// Summary of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartSummary {
    /// Name of the part.
    pub name: PartName,
    /// Number of windows per class.
    pub counts: ClassCounts,
    /// Number of windows of each class; empty unless there are several classes.
    pub classes: Vec<u64>,
    /// Time of the first predicted row, or `None` without a time column.
    pub first: Option<String>,
    /// Time of the last predicted row, or `None` without a time column.
    pub last: Option<String>,
    /// Rows and series of the part, if the table has several series.
    pub series: Option<PartOfSeries>,
}

impl PartSummary {
    /// Summarises a part. `time` returns the time of a row of the file.
    pub(super) fn new(
        name: PartName,
        part: &SplitPart,
        classes: usize,
        series: Option<PartOfSeries>,
        time: impl Fn(usize) -> Option<String>,
    ) -> Self {
        let text = |window: Option<&super::Window>| window.and_then(|w| time(w.row as usize));
        Self {
            name,
            counts: part.counts(),
            classes: part.class_counts(classes),
            first: text(part.windows.first()),
            last: text(part.windows.last()),
            series,
        }
    }

    /// Returns the number of windows.
    pub fn windows(&self) -> u64 {
        self.counts.positives + self.counts.negatives
    }
}
