//! Sizes of a model's activations over the first training steps: the coordinate check (Yang et al. 2022,
//! appendix D.1).

use allometry_ladder::ModelSpec;

use crate::batch::shuffled;
use crate::data::Dataset;
use crate::hyperparameters::Hyperparameters;
use crate::learner::{Diverged, Learner};
use crate::model::{ArchitectureError, Geometry, Layer, Loss};
use crate::scoring::scaled;

/// Largest number of training windows on which activations are measured.
const MEASURED: usize = 64;

/// The activations of one layer, as means over the windows and the layer's values.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSizes {
    /// The layer.
    pub layer: Layer,
    /// Mean absolute activation before the first step and after each.
    pub sizes: Vec<f64>,
    /// Mean absolute difference to the activation before the first step, after each step.
    pub changes: Vec<f64>,
}

/// Reason why activations were not measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CoordinatesError {
    /// The model does not fit the data.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// A step was not finite.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// There is nothing to train on.
    #[error("the training part has no windows")]
    NoWindows,
}

/// Trains a model for `steps` batches at the constant rate of `hyperparameters`, and returns the sizes of its
/// activations on the first training windows, without dropout. Models of one seed see the same batches.
///
/// # Errors
/// [`CoordinatesError`] if the model does not fit the data or a step is not finite.
pub fn coordinates(
    dataset: &Dataset,
    settings: &ModelSpec,
    hyperparameters: Hyperparameters,
    steps: usize,
    seed: u64,
) -> Result<Vec<LayerSizes>, CoordinatesError> {
    let geometry = Geometry::new(dataset.inputs()?, dataset.preparation.classes, settings)?;
    let windows = &dataset.train.windows;
    if windows.is_empty() {
        return Err(CoordinatesError::NoWindows);
    }
    // The batch of the smallest models, so that it does not depend on the width.
    let batch = settings.batch_size(0).clamp(1, windows.len());
    let measured = windows.len().min(MEASURED);
    let settings = ModelSpec { accumulate: 1, ..settings.clone() };
    let mut learner = Learner::new(hyperparameters, geometry, &settings, batch.max(measured), seed)
        .with_loss(Loss::new(&settings, &dataset.train.class_weights(dataset.preparation.classes)));
    let values = |window: usize| {
        let start = windows[window].last + 1 - geometry.context;
        &dataset.values[start * geometry.features..][..geometry.window_values()]
    };
    let mut history = vec![learner.activations((0..measured).map(values))];
    let mut order = Vec::new();
    for step in 0..steps {
        if order.len() < batch {
            order = shuffled(windows.len(), seed, step as u64);
        }
        let chosen: Vec<usize> = order.drain(..batch).collect();
        let targets: Vec<f32> =
            chosen.iter().map(|&i| scaled(windows[i].target, &dataset.preparation)).collect();
        let rate = hyperparameters.learning_rate;
        learner.step(chosen.iter().map(|&i| values(i)), &targets, rate, settings.gradient_clip)?;
        history.push(learner.activations((0..measured).map(values)));
    }
    Ok(sizes(&history))
}

/// Returns the sizes of each layer from its activations before the first step and after each.
fn sizes(history: &[Vec<(Layer, Vec<f32>)>]) -> Vec<LayerSizes> {
    let (first, later) = history.split_first().expect("the model was measured before the first step");
    let layers = first.iter().enumerate().map(|(place, (layer, start))| LayerSizes {
        layer: *layer,
        sizes: history.iter().map(|layers| mean_absolute(layers[place].1.iter().copied())).collect(),
        changes: later
            .iter()
            .map(|layers| mean_absolute(layers[place].1.iter().zip(start).map(|(now, then)| now - then)))
            .collect(),
    });
    layers.collect()
}

fn mean_absolute(values: impl ExactSizeIterator<Item = f32>) -> f64 {
    let count = values.len().max(1) as f64;
    values.map(|value| f64::from(value.abs())).sum::<f64>() / count
}
