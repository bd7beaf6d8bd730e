//! A model being trained: its weights, their gradient and moments, and one step at a time.

use allometry_core::ladder::Normalize;
use allometry_core::rng::stream_seed;

use crate::batch::Cutter;
use crate::hyperparameters::Hyperparameters;
use crate::kernel::adamw::{AdamW, SumOfSquares};
use crate::kernel::launch;
use crate::model::{Geometry, Masks, Workspace, bce_with_logits, initial_weights};

/// A model in training. All its buffers are allocated at the start; everything random in it follows from its seed.
#[derive(Debug)]
pub struct Learner {
    hyperparameters: Hyperparameters,
    geometry: Geometry,
    seed: u64,
    workspace: Workspace<f32>,
    cutter: Cutter<f32>,
    weights: Vec<f32>,
    gradient: Vec<f32>,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
    steps: u64,
}

/// Figures of one training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Mean binary cross-entropy of the batch, dropout on.
    pub loss: f64,
    /// L2 norm of the gradient before clipping.
    pub gradient_norm: f64,
}

/// A training step whose loss or gradient is not finite. The weights are those before it.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the loss is {loss} and the gradient's norm {gradient_norm} at step {step}")]
pub struct Diverged {
    /// Training step, from 1.
    pub step: u64,
    /// Loss of the batch.
    pub loss: f64,
    /// Norm of its gradient.
    pub gradient_norm: f64,
    /// Largest finite magnitude in the residual stream.
    pub largest_activation: f64,
    /// Values in the residual stream that are not finite.
    pub not_finite: usize,
}

impl Learner {
    /// A new model that takes at most `capacity` windows at once.
    pub fn new(
        hyperparameters: Hyperparameters,
        geometry: Geometry,
        normalize: Normalize,
        capacity: usize,
        seed: u64,
    ) -> Self {
        let architecture = hyperparameters.architecture;
        let weights: Vec<f32> = initial_weights(architecture, geometry, stream_seed(seed, "weights", 0));
        let zeros = || vec![0.0; weights.len()];
        Self {
            hyperparameters,
            geometry,
            seed,
            workspace: Workspace::new(architecture, geometry, capacity),
            cutter: match normalize {
                Normalize::Revin => Cutter::revin(geometry),
                Normalize::Standard | Normalize::None => Cutter::Plain,
            },
            gradient: zeros(),
            first_moment: zeros(),
            second_moment: zeros(),
            weights,
            steps: 0,
        }
    }

    /// The weights, tensor after tensor: patch embedding and its bias, positions, blocks, last normalisation, head.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Replaces the weights.
    ///
    /// # Panics
    /// If there are more or fewer.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.weights.copy_from_slice(weights);
    }

    /// The gradient of the last step before clipping, in the order of the weights.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Windows that one call takes at most.
    pub fn capacity(&self) -> usize {
        self.workspace.capacity
    }

    /// Training steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One step of `AdamW` on a batch of windows, `context * features` values each, with as many labels.
    ///
    /// # Errors
    /// [`Diverged`] where loss or gradient are not finite.
    ///
    /// # Panics
    /// If there are no windows, more than the capacity, or not as many as labels.
    pub fn step<'a>(
        &mut self,
        windows: impl IntoIterator<Item = &'a [f32]>,
        labels: &[bool],
        learning_rate: f64,
        gradient_clip: f64,
    ) -> Result<StepReport, Diverged> {
        let count = self.load(windows);
        assert!(count == labels.len() && count > 0, "{count} windows, {} labels", labels.len());
        let masks =
            Masks::Step { probability: self.hyperparameters.dropout, seed: self.seed, step: self.steps };
        self.workspace.forward(&self.weights, count, masks);
        let workspace = &mut self.workspace;
        let loss = bce_with_logits(&workspace.logits[..count], labels, &mut workspace.d_logits[..count]);
        let gradient_norm = if loss.is_finite() {
            self.workspace.backward(&self.weights, &mut self.gradient, count, masks);
            launch(SumOfSquares { values: &self.gradient }).sqrt()
        } else {
            f64::NAN
        };
        if !gradient_norm.is_finite() {
            let (largest_activation, not_finite) = self.workspace.largest_activation(count);
            let step = self.steps + 1;
            return Err(Diverged { step, loss, gradient_norm, largest_activation, not_finite });
        }
        self.steps += 1;
        launch(AdamW {
            weights: &mut self.weights,
            gradient: &self.gradient,
            first: &mut self.first_moment,
            second: &mut self.second_moment,
            clip: (gradient_clip / (gradient_norm + 1e-6)).min(1.0),
            learning_rate,
            weight_decay: self.hyperparameters.weight_decay,
            step: self.steps,
        });
        Ok(StepReport { loss, gradient_norm })
    }

    /// Logits of at most [`capacity`](Self::capacity) windows, without dropout.
    pub fn logits<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> &[f32] {
        let count = self.load(windows);
        self.workspace.forward(&self.weights, count, Masks::Off);
        &self.workspace.logits[..count]
    }

    /// Cuts windows into patches; returns how many there were.
    fn load<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> usize {
        let size = self.geometry.patches() * self.geometry.patch_values();
        let mut rooms = self.workspace.patches.chunks_exact_mut(size);
        let mut count = 0;
        for window in windows {
            let room = rooms.next().expect("no more windows than the capacity");
            self.cutter.cut(self.geometry, window, room);
            count += 1;
        }
        count
    }
}
