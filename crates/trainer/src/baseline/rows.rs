//! The rows that baselines are fitted to.

use crate::data::scale::moments;
use crate::data::{Dataset, SplitPart, Window, most_frequent};

/// Share of the training windows, at their end, on which settings of a baseline are compared.
const HELD_OUT_SHARE: f64 = 0.2;

/// Number of features of a column of categories with learned vectors: one for each of the categories with the
/// most rows.
const MOST_CATEGORIES: usize = 32;

/// The last rows of the training and validation windows.
pub(super) struct Rows {
    /// Features of the training windows' last rows, row-major.
    pub(super) train: Vec<f32>,
    /// Features of the validation windows' last rows, row-major.
    pub(super) validation: Vec<f32>,
    /// Number of features.
    pub(super) features: usize,
    /// Number of training windows that are fitted for comparing settings, and the first window of the
    /// comparison. A context lies in between.
    pub(super) held_out: [usize; 2],
}

impl Rows {
    /// Returns the last rows of a data set's windows.
    pub(super) fn of(dataset: &Dataset) -> Self {
        let [train, validation] = [&dataset.train, &dataset.validation].map(|part| last_rows(dataset, part));
        let (train, validation, features) = with_categories(dataset, train, validation);
        let windows = dataset.train.windows.len();
        let compared = windows - (windows as f64 * HELD_OUT_SHARE) as usize;
        let held_out = [fitted(dataset, compared), compared];
        Self { train, validation, features, held_out }
    }

    /// Returns the rows with each feature scaled by its mean and deviation over the training windows.
    pub(super) fn standardised(&self) -> Self {
        let scaling = moments(&self.train, self.features);
        let scaled = |values: &[f32]| {
            let mut values = values.to_vec();
            for row in values.chunks_exact_mut(self.features) {
                for (value, (mean, deviation)) in row.iter_mut().zip(&scaling) {
                    *value = ((f64::from(*value) - mean) / deviation) as f32;
                }
            }
            values
        };
        Self { train: scaled(&self.train), validation: scaled(&self.validation), ..*self }
    }
}

/// Returns the number of training windows that are a context before the window `compared`: in rows, or in
/// times if several series share them.
fn fitted(dataset: &Dataset, compared: usize) -> usize {
    let Some(panel) = &dataset.panel else { return compared.saturating_sub(dataset.context) };
    let windows = &dataset.train.windows;
    let time = |window: &Window| panel.times[window.last] as usize;
    let Some(first) = windows.get(compared).map(time) else { return compared };
    windows[..compared].partition_point(|window| time(window) + dataset.context <= first)
}

/// Returns the candidate with the smallest loss, the first among equals.
pub(super) fn best_candidate(candidates: &[f64], loss: impl Fn(f64) -> f64) -> f64 {
    let losses = candidates.iter().map(|candidate| (*candidate, loss(*candidate)));
    let best = losses.reduce(|best, next| if next.1 < best.1 { next } else { best });
    best.map_or(candidates[0], |(candidate, _)| candidate)
}

/// Returns the prediction of a linear model for a row; the last of its weights is the intercept.
pub(super) fn linear(weights: &[f64], row: &[f32]) -> f64 {
    let (intercept, weights) = weights.split_last().expect("there is an intercept");
    intercept + weights.iter().zip(row).map(|(w, &x)| w * f64::from(x)).sum::<f64>()
}

/// Returns rows in which the numbers of categories with learned vectors are replaced by a feature of 0 and 1
/// for each of the most frequent categories of the training windows, and the number of features then.
fn with_categories(dataset: &Dataset, train: Vec<f32>, validation: Vec<f32>) -> (Vec<f32>, Vec<f32>, usize) {
    let (width, vectors) = (dataset.features(), dataset.preparation.with_vectors().len());
    if vectors == 0 {
        return (train, validation, width);
    }
    let numbers = width - vectors;
    let judged: Vec<Vec<f64>> = (numbers..width)
        .map(|feature| {
            let codes: Vec<f64> = train.iter().skip(feature).step_by(width).map(|x| f64::from(*x)).collect();
            most_frequent(&codes, MOST_CATEGORIES)
        })
        .collect();
    let replaced = |rows: &[f32]| -> Vec<f32> {
        let one = |row: &[f32]| {
            let mut values = row[..numbers].to_vec();
            for (categories, code) in judged.iter().zip(&row[numbers..]) {
                let is_of = |category: &f64| f32::from(u8::from(*category == f64::from(*code)));
                values.extend(categories.iter().map(is_of));
            }
            values
        };
        rows.chunks_exact(width).flat_map(one).collect()
    };
    let features = numbers + judged.iter().map(Vec::len).sum::<usize>();
    (replaced(&train), replaced(&validation), features)
}

/// Returns the features of each window's last row, row-major.
fn last_rows(dataset: &Dataset, part: &SplitPart) -> Vec<f32> {
    let first = (dataset.context - 1) * dataset.features();
    part.windows.iter().flat_map(|&w| &dataset.window(w)[first..]).copied().collect()
}
