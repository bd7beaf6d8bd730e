//! A trained model's predictions with an input taken from other rows, which tell how much the model uses it.

use std::ops::Range;
use std::path::Path;

use allometry_core::Predictions;
use allometry_core::rng::stream_seed;

use crate::batch::shuffled;
use crate::checkpoint::{Checkpoint, CheckpointError, Description};
use crate::data::{Dataset, SplitPart};
use crate::network::Network;
use crate::scoring::{predicted, predictions};

/// Number of windows scored at once.
const BATCH: usize = 64;

/// The required distance of a row and its donor is at most the time that the part covers, divided by this.
const SHARES: usize = 4;

/// An input of a model: values of a window that are permuted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInput {
    /// What the values are.
    pub name: InputName,
    /// Rows of the window, from 0 for the oldest.
    rows: Range<usize>,
    /// Columns of the window.
    columns: Range<usize>,
}

/// Name of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputName {
    /// All rows of a column of the table.
    Feature(String),
    /// All features of neighbouring rows, given by the number of rows from the newest of a window.
    Steps {
        /// Distance of the newest of these rows, from 0.
        first: usize,
        /// Distance of the oldest of these rows.
        last: usize,
    },
}

/// A trained model with the labelled rows of a part.
#[derive(Debug)]
pub struct Explainer<'a> {
    dataset: &'a Dataset,
    part: &'a SplitPart,
    description: &'a Description,
    network: Network,
}

impl<'a> Explainer<'a> {
    /// Prepares the model of the checkpoint at `path` for rows of a data set.
    ///
    /// # Errors
    /// [`CheckpointError::NoModel`] before the end of the first epoch; [`CheckpointError::OtherData`] if the
    /// model was trained on other data.
    pub(crate) fn new(
        path: &Path,
        checkpoint: &'a Checkpoint,
        dataset: &'a Dataset,
        part: &'a SplitPart,
    ) -> Result<Self, CheckpointError> {
        let Checkpoint { description, weights } = checkpoint;
        if description.best.is_none() {
            return Err(CheckpointError::NoModel { path: path.to_owned() });
        }
        let differences = description.data.differences(dataset);
        if !differences.is_empty() {
            return Err(CheckpointError::OtherData { path: path.to_owned(), differences });
        }
        let (hyperparameters, geometry) = description.shape().expect("loading has checked it");
        let architecture = hyperparameters.architecture;
        let network = Network::new(architecture, geometry, &description.model, BATCH, weights.clone());
        Ok(Self { dataset, part, description, network })
    }

    /// Returns the features: columns of numbers, and columns of categories, each with all it has.
    pub fn features(&self) -> Vec<ModelInput> {
        let context = self.description.model.context;
        let names = &self.description.data.features;
        let preparation = &self.description.data.preparation;
        let numbers = preparation.numbers(names.len());
        let mut ends = numbers;
        let of = |name: &str, columns: Range<usize>| ModelInput {
            name: InputName::Feature(name.to_owned()),
            rows: 0..context,
            columns,
        };
        let mut features: Vec<ModelInput> =
            names[..numbers].iter().enumerate().map(|(place, name)| of(name, place..place + 1)).collect();
        for column in &preparation.categories {
            let start = ends;
            ends += column.width();
            features.push(of(&column.column, start..ends));
        }
        features
    }

    /// Returns groups of `size` neighbouring rows of a window, from the newest; the oldest group may have
    /// fewer. By default the size is that of a patch.
    pub fn steps(&self, size: Option<usize>) -> Vec<ModelInput> {
        let model = &self.description.model;
        let size = size.unwrap_or(model.patch).clamp(1, model.context);
        let features = self.description.data.features.len();
        (0..model.context)
            .step_by(size)
            .map(|first| {
                let last = (first + size).min(model.context) - 1;
                ModelInput {
                    name: InputName::Steps { first, last },
                    rows: model.context - 1 - last..model.context - first,
                    columns: 0..features,
                }
            })
            .collect()
    }

    /// Returns how many steps of time a window is away from one that gets its values: the window and the rows
    /// that its label looks ahead, so that the two have no row in common, but at most a quarter of the time
    /// that the part covers.
    pub fn distance(&self, horizon: usize) -> usize {
        let times = self.part.windows.iter().map(|window| self.time(window.last));
        let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
        (self.description.model.context + horizon).min((last - first + 1) / SHARES)
    }

    /// Returns for each row of the part the one whose input it gets, in random order: a permutation, in which
    /// both are at least `distance` away from each other in time.
    pub fn donors(&self, seed: u64, number: u64, distance: usize) -> Vec<usize> {
        let times: Vec<usize> = self.part.windows.iter().map(|window| self.time(window.last)).collect();
        permuted(&times, stream_seed(seed, "explain", number), distance)
    }

    /// Returns the predictions for the rows of the part, with an input of each from its donor.
    pub fn predictions(&mut self, permuted: Option<(&ModelInput, &[usize])>) -> Predictions {
        let (context, features) = (self.description.model.context, self.dataset.features());
        let size = context * features;
        let window = |place: usize| {
            let end = (self.part.windows[place].last + 1) * features;
            &self.dataset.values[end - size..end]
        };
        let mut outputs = Vec::with_capacity(self.part.windows.len() * self.network.outputs());
        let mut batch: Vec<f32> = Vec::with_capacity(BATCH * size);
        let places: Vec<usize> = (0..self.part.windows.len()).collect();
        for places in places.chunks(BATCH) {
            batch.clear();
            for &place in places {
                let start = batch.len();
                batch.extend_from_slice(window(place));
                if let Some((input, donors)) = permuted {
                    let donor = window(donors[place]);
                    for row in input.rows.clone() {
                        let columns =
                            row * features + input.columns.start..row * features + input.columns.end;
                        batch[start + columns.start..start + columns.end].copy_from_slice(&donor[columns]);
                    }
                }
            }
            let logits = self.network.logits(batch.chunks_exact(size));
            predicted(logits, self.description, &mut outputs);
        }
        predictions(self.description.model.task, self.part, outputs)
    }

    /// Returns the time of a row as a number of steps.
    fn time(&self, row: usize) -> usize {
        self.dataset.panel.as_ref().map_or(row, |panel| panel.times[row] as usize)
    }
}

/// Returns a random permutation of rows at these times in which no row is less than `distance` away from its
/// place, unless there is none near the one drawn.
fn permuted(times: &[usize], seed: u64, distance: usize) -> Vec<usize> {
    let rows = times.len();
    let mut donors = shuffled(rows, seed, 0);
    let others = shuffled(rows, seed, 1);
    let is_far = |row: usize, donor: usize| times[row].abs_diff(times[donor]) >= distance;
    for row in 0..rows {
        if is_far(row, donors[row]) {
            continue;
        }
        // The two exchange their donors. The start differs from row to row, so that no row takes part often.
        let candidates = others[row..].iter().chain(&others[..row]);
        let found =
            candidates.copied().find(|&other| is_far(row, donors[other]) && is_far(other, donors[row]));
        if let Some(other) = found {
            donors.swap(row, other);
        }
    }
    donors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn donors_are_a_permutation_of_rows_far_away() {
        let single: Vec<usize> = (40..340).collect();
        let panel: Vec<usize> = (0..300).map(|row| row / 3).collect();
        for (times, distance) in [(&single, 0), (&single, 75), (&panel, 25), (&panel, 1)] {
            for seed in 0..20 {
                let donors = permuted(times, seed, distance);
                let mut sorted = donors.clone();
                sorted.sort_unstable();
                assert!(sorted.iter().copied().eq(0..times.len()));
                let far = donors
                    .iter()
                    .enumerate()
                    .filter(|(row, donor)| times[*row].abs_diff(times[**donor]) >= distance);
                assert_eq!(far.count(), times.len(), "distance {distance}");
            }
        }
    }
}
