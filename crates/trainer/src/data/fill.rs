//! Filling of missing and infinite features.

use std::path::Path;

use allometry_ladder::MaxGap;

use super::error::{DataError, Gap};
use super::rows::Rows;
use super::series::Sequence;

impl Rows {
    /// Fills each missing feature with its last value before in its series, at most `max_gap` earlier.
    pub(super) fn fill_forward(&mut self, sequence: &Sequence, max_gap: Option<MaxGap>) {
        let features = self.selection.features.len();
        for feature in 0..features {
            let is_missing = |rows: &Self, row: usize| rows.values[row * features + feature].is_nan();
            let pairs = self.sources(sequence, max_gap, is_missing);
            for &(from, row) in &pairs {
                self.values[row * features + feature] = self.values[from * features + feature];
            }
            self.count_filled(self.selection.features[feature], pairs.len());
        }
        for place in 0..self.categorical.len() {
            let is_missing = |rows: &Self, row: usize| rows.categorical[place].name(row).is_none();
            let pairs = self.sources(sequence, max_gap, is_missing);
            for &(from, row) in &pairs {
                self.categorical[place].copy(from, row);
            }
            self.count_filled(self.selection.categorical[place], pairs.len());
        }
    }

    /// Returns the rows to be filled, each after the row that it is filled from.
    fn sources(
        &self,
        sequence: &Sequence,
        max_gap: Option<MaxGap>,
        is_missing: impl Fn(&Self, usize) -> bool,
    ) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for span in sequence.spans() {
            let mut last = None;
            for &row in &sequence.rows[span] {
                if !is_missing(self, row) {
                    last = Some(row);
                    continue;
                }
                let is_near =
                    |from: &usize| max_gap.is_none_or(|gap| self.times.distance(*from, row) <= gap.amount());
                pairs.extend(last.filter(is_near).map(|from| (from, row)));
            }
        }
        pairs
    }

    /// Fills each missing number with its mean of `means`, one for each feature that is a number.
    pub(super) fn fill_means(&mut self, means: &[f64]) {
        for (feature, filled) in fill(&mut self.values, means).into_iter().enumerate() {
            self.count_filled(self.selection.features[feature], filled);
        }
    }

    /// Returns the mean of each feature that is a number over `rows`; 0 for one without a value there, which
    /// is as good as any other: a model cannot have learned from it.
    pub(super) fn means<'a>(&self, rows: &(impl Iterator<Item = &'a usize> + Clone)) -> Vec<f64> {
        let features = self.selection.features.len();
        let mean = |feature: usize| {
            let values = rows.clone().map(|row| self.values[row * features + feature]);
            let (sum, count) = values
                .filter(|value| !value.is_nan())
                .fold((0.0, 0_u64), |(sum, count), value| (sum + f64::from(value), count + 1));
            sum / count.max(1) as f64
        };
        (0..features).map(mean).collect()
    }

    /// Returns an error if a category is missing, which has no mean.
    pub(super) fn check_categories(&self, path: &Path) -> Result<(), DataError> {
        let mut missing = (0..self.len()).flat_map(|row| {
            let places = 0..self.categorical.len();
            places
                .filter(move |place| self.categorical[*place].name(row).is_none())
                .map(move |place| (row, place))
        });
        let Some((row, place)) = missing.next() else { return Ok(()) };
        Err(DataError::MissingValue {
            path: path.to_owned(),
            column: self.names[self.selection.categorical[place]].clone(),
            location: self.site(row),
            gap: Gap::Empty,
            is_category: true,
            more: missing.count() as u64,
        })
    }

    fn count_filled(&mut self, column: usize, filled: usize) {
        if filled > 0 {
            let filled = filled as u64;
            *self.gaps.filled.entry(column).or_default() += filled;
            if let Some(left) = self.gaps.columns.get_mut(&column) {
                *left = left.saturating_sub(filled);
            }
            self.gaps.columns.retain(|_, left| *left > 0);
        }
    }
}

/// Fills the missing ones of row-major numbers with the mean of their feature. Returns how many were missing
/// of each feature.
pub(super) fn fill(values: &mut [f32], means: &[f64]) -> Vec<usize> {
    let mut counts = vec![0; means.len()];
    for (feature, mean) in means.iter().enumerate() {
        for value in values.iter_mut().skip(feature).step_by(means.len()) {
            if value.is_nan() {
                *value = *mean as f32;
                counts[feature] += 1;
            }
        }
    }
    counts
}
