//! Rows in memory and the windows cut from them.

use std::fmt;

use allometry_core::ClassCounts;
use allometry_core::ladder::MissingPolicy;
use serde::{Deserialize, Serialize};

/// A table ready for training: features in memory once, windows as references into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Names of the features, in column order.
    pub feature_names: Vec<String>,
    /// Features, row-major, `rows * feature_names.len()` values, finite; scaled where the ladder asks for `standard`.
    pub values: Vec<f32>,
    /// Rows in a window.
    pub context: usize,
    /// What weights are fitted on.
    pub train: Part,
    /// What configurations are chosen by.
    pub validation: Part,
    /// What nothing is chosen by.
    pub test: Part,
    /// How the values came from the table.
    pub preparation: Preparation,
}

/// How rows of a table become values; a model's predictions need the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Column that orders the rows; `None` where the file is in order already.
    pub time: Option<String>,
    /// What happens to rows with missing or infinite features.
    pub missing: MissingPolicy,
    /// Mean and deviation by which each feature was scaled, where it was.
    pub scaling: Option<Vec<(f64, f64)>>,
}

/// One of the three parts of a chronological split. No row belongs to windows of two parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// Windows in time order.
    pub windows: Vec<Window>,
}

/// One window: the `context` rows that end with row `last`, and what followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Index of its last row in [`Dataset::values`], at least `context - 1`.
    pub last: usize,
    /// Row of the file that `last` was, from 0, counting rows that were dropped.
    pub row: u64,
    /// Its class.
    pub label: bool,
}

/// Names the parts in messages and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartName {
    /// Training.
    Train,
    /// Validation.
    Validation,
    /// Test.
    Test,
}

impl Dataset {
    /// Features per row.
    pub fn features(&self) -> usize {
        self.feature_names.len()
    }

    /// Share of positives among the training windows; 0 if there are none.
    pub fn prior(&self) -> f64 {
        let counts = self.train.counts();
        counts.positives as f64 / self.train.windows.len().max(1) as f64
    }

    /// The values of a window: `context * features` floats, row-major, oldest row first.
    pub fn window(&self, window: Window) -> &[f32] {
        let end = (window.last + 1) * self.features();
        &self.values[end - self.context * self.features()..end]
    }
}

impl Part {
    /// Windows of each class.
    pub fn counts(&self) -> ClassCounts {
        let positives = self.windows.iter().filter(|w| w.label).count() as u64;
        ClassCounts { positives, negatives: self.windows.len() as u64 - positives }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}
