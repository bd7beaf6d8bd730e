//! A model being trained: its weights, their gradient and moments, and one step at a time.

use allometry_core::ladder::Normalize;
use allometry_core::rng::stream_seed;

use crate::hyperparameters::Hyperparameters;
use crate::kernel::adamw::{AdamW, SumOfSquares};
use crate::kernel::launch;
use crate::model::{Architecture, Geometry, Masks, bce_with_logits, initial_weights};
use crate::network::Network;

/// A model in training. All its buffers are allocated at the start; everything random in it follows from its seed.
#[derive(Debug)]
pub struct Learner {
    hyperparameters: Hyperparameters,
    seed: u64,
    network: Network,
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
            seed,
            gradient: zeros(),
            first_moment: zeros(),
            second_moment: zeros(),
            network: Network::new(architecture, geometry, normalize, capacity, weights),
            steps: 0,
        }
    }

    /// The weights, tensor after tensor: patch embedding and its bias, positions, blocks, last normalisation, head.
    pub fn weights(&self) -> &[f32] {
        self.network.weights()
    }

    /// Replaces the weights.
    ///
    /// # Panics
    /// If there are more or fewer.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.network.weights_mut().copy_from_slice(weights);
    }

    /// The gradient of the last step before clipping, in the order of the weights.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Shape of the model.
    pub(crate) fn architecture(&self) -> Architecture {
        self.hyperparameters.architecture
    }

    /// Windows that one call takes at most.
    pub fn capacity(&self) -> usize {
        self.network.capacity()
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
        let count = self.network.load(windows);
        assert!(count == labels.len() && count > 0, "{count} windows, {} labels", labels.len());
        let masks =
            Masks::Step { probability: self.hyperparameters.dropout, seed: self.seed, step: self.steps };
        let Network { workspace, weights, .. } = &mut self.network;
        workspace.forward(weights, count, masks);
        let loss = bce_with_logits(&workspace.logits[..count], labels, &mut workspace.d_logits[..count]);
        let gradient_norm = if loss.is_finite() {
            workspace.backward(weights, &mut self.gradient, count, masks);
            launch(SumOfSquares { values: &self.gradient }).sqrt()
        } else {
            f64::NAN
        };
        if !gradient_norm.is_finite() {
            let (largest_activation, not_finite) = workspace.largest_activation(count);
            let step = self.steps + 1;
            return Err(Diverged { step, loss, gradient_norm, largest_activation, not_finite });
        }
        self.steps += 1;
        launch(AdamW {
            weights,
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
        self.network.logits(windows)
    }

    /// Both moments of every weight, in the order of the weights.
    pub(crate) fn moments(&self) -> [&[f32]; 2] {
        [&self.first_moment, &self.second_moment]
    }

    /// Goes on from where another learner of the same architecture was.
    pub(crate) fn restore(&mut self, weights: &[f32], [first, second]: [&[f32]; 2], steps: u64) {
        self.set_weights(weights);
        self.first_moment.copy_from_slice(first);
        self.second_moment.copy_from_slice(second);
        self.steps = steps;
    }

    /// The network, with the weights as they are.
    pub(crate) fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }
}
