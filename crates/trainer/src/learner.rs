//! A model being trained: its weights, their gradient and moments, and one step at a time.

use std::collections::BTreeMap;

use allometry_core::ladder::ModelSpec;
use allometry_core::rng::stream_seed;

use serde::{Deserialize, Serialize};

use crate::hyperparameters::Hyperparameters;
use crate::kernel::adamw::{AdamW, SumOfSquares};
use crate::kernel::launch;
use crate::model::{Geometry, Loss, Masks, initial_weights};
use crate::network::Network;

/// A model in training. All its buffers are allocated at the start; everything random in it follows from its seed.
#[derive(Debug)]
pub struct Learner {
    hyperparameters: Hyperparameters,
    head_dropout: f64,
    loss: Loss,
    seed: u64,
    network: Network,
    gradient: Vec<f32>,
    /// Sum of the gradients of the batches of one step; empty where a step has one batch.
    sum: Vec<f32>,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
    count: Count,
}

/// What a learner has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Updates of the weights.
    pub steps: u64,
    /// Batches, on which the masks depend.
    pub batches: u64,
}

/// Figures of one training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Mean loss of the windows, dropout on.
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
        settings: &ModelSpec,
        capacity: usize,
        seed: u64,
    ) -> Self {
        let architecture = hyperparameters.architecture;
        let weights: Vec<f32> = initial_weights(architecture, geometry, stream_seed(seed, "weights", 0));
        let zeros = || vec![0.0; weights.len()];
        Self {
            hyperparameters,
            head_dropout: settings.head_dropout,
            loss: Loss::new(settings, 1.0),
            seed,
            gradient: zeros(),
            sum: if settings.accumulate > 1 { zeros() } else { Vec::new() },
            first_moment: zeros(),
            second_moment: zeros(),
            network: Network::new(architecture, geometry, settings, capacity, weights),
            count: Count::default(),
        }
    }

    /// Minimises another loss.
    #[must_use]
    pub(crate) fn with_loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// The weights, tensor after tensor in the order of the layout.
    pub fn weights(&self) -> &[f32] {
        &self.network.weights
    }

    /// Replaces the weights.
    ///
    /// # Panics
    /// If there are more or fewer.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.network.weights.copy_from_slice(weights);
    }

    /// Replaces every tensor by the one of its name in `tensors`, which has the shape that `PyTorch` gives it.
    ///
    /// # Panics
    /// If one is missing or of another size.
    pub fn set_tensors(&mut self, tensors: &BTreeMap<String, Vec<f32>>) {
        for tensor in self.network.tensors() {
            let values = &tensors[&tensor.name];
            assert_eq!(values.len(), tensor.span.length, "{}", tensor.name);
            for (place, &value) in values.iter().enumerate() {
                tensor.span.of_mut(&mut self.network.weights)[tensor.place(place)] = value;
            }
        }
    }

    /// The gradient of the last step before clipping, as `PyTorch` would give it: by name, in its shapes.
    pub fn gradient_tensors(&self) -> BTreeMap<String, Vec<f32>> {
        let tensors = self.network.tensors().into_iter();
        let values = tensors.map(|tensor| {
            let lying = tensor.span.of(&self.gradient);
            let turned = (0..lying.len()).map(|place| lying[tensor.place(place)]).collect();
            (tensor.name, turned)
        });
        values.collect()
    }

    /// Exchanges the weights with others of the same number.
    pub(crate) fn swap_weights(&mut self, weights: &mut Vec<f32>) {
        std::mem::swap(&mut self.network.weights, weights);
    }

    /// The gradient of the last step before clipping, in the order of the weights.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Windows that one batch has at most.
    pub fn capacity(&self) -> usize {
        self.network.capacity()
    }

    /// What was done so far.
    pub(crate) fn count(&self) -> Count {
        self.count
    }

    /// One step of `AdamW` on a batch of windows, `context * features` values each, with what is to be predicted of each.
    ///
    /// # Errors
    /// [`Diverged`] where loss or gradient are not finite.
    ///
    /// # Panics
    /// If there are no windows, more than the capacity, or not as many as targets.
    pub fn step<'a>(
        &mut self,
        windows: impl IntoIterator<Item = &'a [f32]>,
        targets: &[f32],
        learning_rate: f64,
        gradient_clip: f64,
    ) -> Result<StepReport, Diverged> {
        let loss = self.add(windows, targets, 1.0, true)?;
        self.update(loss, learning_rate, gradient_clip)
    }

    /// Adds the gradient of a batch to that of the step: `share` is the batch's share of the step's windows, `first` says
    /// whether it is the first. Returns its mean loss.
    pub(crate) fn add<'a>(
        &mut self,
        windows: impl IntoIterator<Item = &'a [f32]>,
        targets: &[f32],
        share: f64,
        first: bool,
    ) -> Result<f64, Diverged> {
        let loss = self.pass(windows, targets)?;
        if self.sum.is_empty() {
            return Ok(loss);
        }
        if first {
            self.sum.fill(0.0);
        }
        let share = share as f32;
        for (sum, gradient) in self.sum.iter_mut().zip(&self.gradient) {
            *sum += share * gradient;
        }
        Ok(loss)
    }

    /// Forward and backward; the gradient is overwritten with that of this batch.
    fn pass<'a>(
        &mut self,
        windows: impl IntoIterator<Item = &'a [f32]>,
        targets: &[f32],
    ) -> Result<f64, Diverged> {
        let count = self.network.load(windows);
        assert!(count == targets.len() && count > 0, "{count} windows, {} targets", targets.len());
        let masks = Masks::Step {
            probability: self.hyperparameters.dropout,
            head: self.head_dropout,
            seed: self.seed,
            step: self.count.batches,
        };
        let outputs = count * self.network.outputs();
        let Network { workspace, weights, .. } = &mut self.network;
        workspace.forward(weights, count, masks);
        let loss =
            self.loss.evaluate(&workspace.logits[..outputs], targets, &mut workspace.d_logits[..outputs]);
        if !loss.is_finite() {
            return Err(self.diverged(loss, f64::NAN));
        }
        workspace.backward(weights, &mut self.gradient, count, masks);
        self.count.batches += 1;
        Ok(loss)
    }

    /// One step of `AdamW` with what was [`add`](Self::add)ed in batches of mean loss `loss`.
    pub(crate) fn update(
        &mut self,
        loss: f64,
        learning_rate: f64,
        gradient_clip: f64,
    ) -> Result<StepReport, Diverged> {
        if !self.sum.is_empty() {
            std::mem::swap(&mut self.sum, &mut self.gradient);
        }
        let gradient_norm = launch(SumOfSquares { values: &self.gradient }).sqrt();
        if !gradient_norm.is_finite() {
            return Err(self.diverged(loss, gradient_norm));
        }
        self.count.steps += 1;
        launch(AdamW {
            weights: &mut self.network.weights,
            gradient: &self.gradient,
            first: &mut self.first_moment,
            second: &mut self.second_moment,
            clip: (gradient_clip / (gradient_norm + 1e-6)).min(1.0),
            learning_rate,
            weight_decay: self.hyperparameters.weight_decay,
            step: self.count.steps,
        });
        Ok(StepReport { loss, gradient_norm })
    }

    fn diverged(&self, loss: f64, gradient_norm: f64) -> Diverged {
        let (largest_activation, not_finite) = self.network.workspace.largest_activation();
        Diverged { step: self.count.steps + 1, loss, gradient_norm, largest_activation, not_finite }
    }

    /// Logits of at most [`capacity`](Self::capacity) windows, `windows x outputs`, without dropout.
    pub fn logits<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> &[f32] {
        self.network.logits(windows)
    }

    /// Both moments of every weight, in the order of the weights.
    pub(crate) fn moments(&self) -> [&[f32]; 2] {
        [&self.first_moment, &self.second_moment]
    }

    /// Goes on from where another learner of the same architecture was.
    pub(crate) fn restore(&mut self, weights: &[f32], [first, second]: [&[f32]; 2], count: Count) {
        self.set_weights(weights);
        self.first_moment.copy_from_slice(first);
        self.second_moment.copy_from_slice(second);
        self.count = count;
    }

    /// The network, with the weights as they are.
    pub(crate) fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }
}
