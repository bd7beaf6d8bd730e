//! Rows in memory and the windows cut from them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use allometry_core::{ClassCounts, RowCount};
use allometry_ladder::{MaxGap, MissingPolicy};
use serde::{Deserialize, Serialize};

use super::categories::{Categories, width};
use super::panel::Panel;
use crate::batch::shuffled;
use crate::model::{ArchitectureError, CategoryEmbedding, Embeddings, Inputs};

/// A table ready for training. Features are in memory once, and windows refer to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Names of the features, in column order: those that are numbers, then `column=category`, then columns
    /// of categories with learned vectors.
    pub feature_names: Vec<String>,
    /// Features, row-major, `rows * feature_names.len()` finite values; scaled if the ladder asks for
    /// `standard`.
    pub values: Vec<f32>,
    /// Series of the rows of `values`, one after the other; `None` for a table of one.
    pub panel: Option<Panel>,
    /// Number of rows in a window.
    pub context: usize,
    /// Label of each row of `values`, also of those between the parts; `None` where it is unknown.
    pub targets: Vec<Option<f32>>,
    /// Training part, on which weights are fitted.
    pub train: SplitPart,
    /// Validation part, by which configurations are chosen.
    pub validation: SplitPart,
    /// Test part, which no choice uses.
    pub test: SplitPart,
    /// How the table's rows were converted to values.
    pub preparation: Preparation,
}

/// Conversion of a table's rows to values, which a model also needs for predictions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Column that orders the rows, or `None` if the file is in order.
    pub time: Option<String>,
    /// Column that tells the series of a row, or `None` for a table of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Treatment of rows with missing or infinite features.
    pub missing: MissingPolicy,
    /// Longest time between two neighbouring rows of a window; `None` if it may be any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_gap: Option<MaxGap>,
    /// Mean over the training rows of each feature that is a number, by which missing ones are filled; empty
    /// if they are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<f64>,
    /// Mean and standard deviation by which each feature that is a number was scaled, if it was.
    pub scaling: Option<Vec<(f64, f64)>>,
    /// Columns of categories; those with learned vectors come last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Categories>,
    /// Number of classes of the label; 0 if it does not have classes.
    #[serde(default)]
    pub classes: usize,
    /// Names of the classes in their order, if the label holds names. Of a binary label the second is the
    /// positive class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// Mean and standard deviation of the training windows' targets for regression. Models learn scaled
    /// targets.
    #[serde(default)]
    pub target: Option<(f64, f64)>,
}

/// One of the three parts of a chronological split. No row belongs to windows of two parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SplitPart {
    /// Windows in time order; those of one time in the order of the series.
    pub windows: Vec<Window>,
}

/// A window: the `context` rows that end with row `last`, and the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Index of the last row in [`Dataset::values`], at least `context - 1`.
    pub last: usize,
    /// Index of the last row in the file, from 0, counting dropped rows.
    pub row: u64,
    /// Target: 0 or 1, the number of the class, or the number to predict.
    pub target: f32,
}

impl Preparation {
    /// Returns the column and the category that a feature stands for, of `features`; `None` for a number, and
    /// for a column of categories with learned vectors.
    pub(super) fn category(&self, feature: usize, features: usize) -> Option<(&str, &str)> {
        let mut place = feature.checked_sub(self.numbers(features))?;
        for column in &self.categories {
            match column.names.get(place) {
                _ if column.embedding.is_some() => return None,
                Some(name) => return Some((&column.column, name)),
                None => place -= column.names.len(),
            }
        }
        None
    }

    /// Returns mean and standard deviation of each of `features` features, if they were scaled. Those of
    /// categories are 0 and 1, because they are not scaled.
    pub(crate) fn scaling_of_all(&self, features: usize) -> Option<Vec<(f64, f64)>> {
        let mut scaling = self.scaling.clone()?;
        scaling.resize(features, (0.0, 1.0));
        Some(scaling)
    }

    /// Returns the columns of categories with learned vectors, which are the last features.
    pub fn with_vectors(&self) -> impl ExactSizeIterator<Item = &Categories> {
        let first = self.categories.partition_point(|column| column.embedding.is_none());
        self.categories[first..].iter()
    }

    /// Returns the size of a row with `features` features.
    ///
    /// # Errors
    /// [`ArchitectureError::Embeddings`] for columns that a model cannot have.
    pub fn inputs(&self, features: usize) -> Result<Inputs, ArchitectureError> {
        let one = |column: &Categories| CategoryEmbedding {
            categories: column.names.len(),
            size: column.embedding.unwrap_or_default(),
        };
        Ok(Inputs { features, embeddings: Embeddings::new(self.with_vectors().map(one))? })
    }

    /// Returns how many of the features of a data set are numbers, which come first.
    pub(crate) fn numbers(&self, features: usize) -> usize {
        features.saturating_sub(width(&self.categories))
    }

    /// Returns the name of a class: its number if the label holds no names.
    pub fn class_name(&self, class: usize) -> String {
        self.class_names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

impl Window {
    /// Whether a binary label is 1.
    pub fn is_positive(self) -> bool {
        self.target > 0.5
    }
}

/// Name of a part in messages and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartName {
    /// Training part.
    Train,
    /// Slice of the training rows of a fold by which the epoch is chosen.
    Stopping,
    /// Validation part, or the era of a fold.
    Validation,
    /// Test part.
    Test,
}

impl Dataset {
    /// Returns the number of features per row.
    pub fn features(&self) -> usize {
        self.feature_names.len()
    }

    /// Returns the size of a row.
    ///
    /// # Errors
    /// [`ArchitectureError::Embeddings`] for columns that a model cannot have.
    pub fn inputs(&self) -> Result<Inputs, ArchitectureError> {
        self.preparation.inputs(self.features())
    }

    /// Returns the columns whose numbers or indicators never change within a series, though they do between
    /// series: [`Normalize::Revin`](allometry_ladder::Normalize) leaves nothing of them.
    pub fn static_columns(&self) -> Vec<&str> {
        let (width, vectors) = (self.features(), self.preparation.with_vectors().len());
        let mut changes = vec![false; width - vectors];
        let rows: Vec<&[f32]> = self.values.chunks_exact(width.max(1)).collect();
        for (row, pair) in rows.windows(2).enumerate() {
            if self.series_of(row) == self.series_of(row + 1) {
                for (changed, (a, b)) in changes.iter_mut().zip(pair[0].iter().zip(pair[1])) {
                    *changed |= a.to_bits() != b.to_bits();
                }
            }
        }
        let varies =
            |feature: &usize| rows.iter().any(|row| row[*feature].to_bits() != rows[0][*feature].to_bits());
        let column = |feature: usize| match self.preparation.category(feature, width) {
            Some((column, _)) => column,
            None => self.feature_names[feature].as_str(),
        };
        let changing: Vec<&str> = (0..changes.len()).filter(|one| changes[*one]).map(column).collect();
        let mut columns: Vec<&str> = (0..changes.len()).filter(varies).map(column).collect();
        columns.dedup();
        columns.retain(|column| !changing.contains(column));
        columns
    }

    /// Returns the place of a row among those of its series, from 0.
    pub(crate) fn place(&self, row: usize) -> usize {
        row - self.panel.as_ref().map_or(0, |panel| panel.start_of(panel.series_of(row)))
    }

    /// Returns the place of a row's series; 0 for a table of one.
    pub(crate) fn series_of(&self, row: usize) -> usize {
        self.panel.as_ref().map_or(0, |panel| panel.series_of(row))
    }

    /// Returns the share of positives among the training windows, or 0 if there are none.
    pub fn prior(&self) -> f64 {
        self.train.prior()
    }

    /// Returns the last windows of the training part, those closest to the validation part; all where `rows`
    /// is `None`. It may have no window.
    pub fn train_part(&self, rows: Option<RowCount>) -> Cow<'_, SplitPart> {
        let all = &self.train.windows;
        match rows.map_or(all.len(), |rows| rows.of(all.len())) {
            count if count == all.len() => Cow::Borrowed(&self.train),
            count => Cow::Owned(SplitPart { windows: all[all.len() - count..].to_vec() }),
        }
    }

    /// Returns the rows with the targets of each part in random order, which removes every relation to be
    /// learned.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Self {
        let mut other = self.clone();
        let parts = [&mut other.train, &mut other.validation, &mut other.test];
        for (number, part) in parts.into_iter().enumerate() {
            let targets: Vec<f32> = part.windows.iter().map(|w| w.target).collect();
            let order = shuffled(targets.len(), seed, number as u64);
            for (window, from) in part.windows.iter_mut().zip(order) {
                window.target = targets[from];
            }
        }
        other
    }

    /// Returns a description of rows that windows of two parts share, or `None` if there are none.
    pub fn leak(&self) -> Option<String> {
        let parts = [
            (PartName::Train, &self.train),
            (PartName::Validation, &self.validation),
            (PartName::Test, &self.test),
        ];
        // For each part of a series the first row of its windows and their last.
        let mut reaches: BTreeMap<(usize, usize), (usize, usize, PartName)> = BTreeMap::new();
        for (place, (name, part)) in parts.into_iter().enumerate() {
            for window in &part.windows {
                let first = window.last.checked_sub(self.context - 1)?;
                let new = (first, window.last, name);
                let reach = reaches.entry((self.series_of(window.last), place)).or_insert(new);
                *reach = (reach.0.min(first), reach.1.max(window.last), name);
            }
        }
        let mut reaches: Vec<(usize, usize, PartName)> = reaches.into_values().collect();
        reaches.sort_by_key(|(first, ..)| *first);
        reaches.windows(2).find(|pair| pair[0].1 >= pair[1].0).map(|pair| {
            let [(_, last, earlier), (first, _, later)] = [pair[0], pair[1]];
            format!(
                "windows of the {earlier} part reach to row {last}, those of the {later} part begin at row \
                 {first}"
            )
        })
    }

    /// Returns the values of a window: `context * features` floats, row-major, oldest row first.
    pub fn window(&self, window: Window) -> &[f32] {
        let end = (window.last + 1) * self.features();
        &self.values[end - self.context * self.features()..end]
    }
}

impl SplitPart {
    /// Returns the share of positives among the windows, or 0 if there are none.
    pub fn prior(&self) -> f64 {
        self.counts().positives as f64 / self.windows.len().max(1) as f64
    }

    /// Returns the number of windows of each of the two classes.
    pub fn counts(&self) -> ClassCounts {
        let positives = self.windows.iter().filter(|w| w.is_positive()).count() as u64;
        ClassCounts { positives, negatives: self.windows.len() as u64 - positives }
    }

    /// Returns the number of windows of each of several classes; nothing for 0 classes.
    pub fn class_counts(&self, classes: usize) -> Vec<u64> {
        let mut counts = vec![0; classes];
        for window in &self.windows {
            if let Some(count) = counts.get_mut(window.target as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Returns the weight of each class in a weighted loss: `windows / (classes * windows of the class)` of
    /// several classes, with which each class has the same sum and a window has 1 on average; 1 and
    /// `negatives / positives` of a binary label, for which `classes` is 0.
    pub(crate) fn class_weights(&self, classes: usize) -> Vec<f64> {
        if classes == 0 {
            let ClassCounts { positives, negatives } = self.counts();
            return vec![1.0, negatives as f64 / positives.max(1) as f64];
        }
        let even = self.windows.len() as f64 / classes as f64;
        self.class_counts(classes).into_iter().map(|count| even / count.max(1) as f64).collect()
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "training",
            Self::Stopping => "stopping",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}
