//! Training of a model on the CPU: its weights, gradient and moments, and single steps.

use std::collections::BTreeMap;

use allometry_core::rng::stream_seed;
use allometry_ladder::ModelSpec;

use serde::{Deserialize, Serialize};

use crate::hyperparameters::Hyperparameters;
use crate::kernel::adamw::{AdamW, SumOfSquares};
use crate::kernel::launch;
use crate::model::{
    BrokenLayer, Geometry, Layer, Layout, Loss, Masks, RatePart, WidthScaling, initial_weights,
};
use crate::network::Network;

/// A model being trained. All buffers are allocated at the start, and everything random follows from the
/// seed.
#[derive(Debug)]
pub struct Learner {
    hyperparameters: Hyperparameters,
    head_dropout: f64,
    loss: Loss,
    seed: u64,
    network: Network,
    rates: Vec<RatePart>,
    gradient: Vec<f32>,
    /// Sum of the gradients of the batches of one step; empty if a step has one batch.
    sum: Vec<f32>,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
    count: Count,
}

/// Progress of a training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Number of updates of the weights.
    pub steps: u64,
    /// Number of batches, on which the dropout masks depend.
    pub batches: u64,
}

/// Results of one training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Mean loss of the windows, with dropout.
    pub loss: f64,
    /// L2 norm of the gradient before clipping.
    pub gradient_norm: f64,
}

/// A training step with a loss or gradient that is not finite. The weights are unchanged.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the loss is {loss} and the gradient's norm {gradient_norm} at step {step}")]
pub struct Diverged {
    /// Training step, from 1.
    pub step: u64,
    /// Loss of the batch.
    pub loss: f64,
    /// Norm of the gradient.
    pub gradient_norm: f64,
    /// Largest finite magnitude in the residual stream.
    pub largest_activation: f64,
    /// Number of values in the residual stream that are not finite.
    pub not_finite: usize,
    /// First layer with such a value; `None` if there is none in the residual stream.
    pub first_layer: Option<BrokenLayer>,
}

impl Learner {
    /// Creates a model for batches of at most `capacity` windows.
    pub fn new(
        hyperparameters: Hyperparameters,
        geometry: Geometry,
        settings: &ModelSpec,
        capacity: usize,
        seed: u64,
    ) -> Self {
        let architecture = hyperparameters.architecture;
        let scaling = WidthScaling::new(settings, architecture);
        let weights: Vec<f32> =
            initial_weights(architecture, geometry, scaling, stream_seed(seed, "weights", 0));
        let zeros = || vec![0.0; weights.len()];
        Self {
            hyperparameters,
            head_dropout: settings.head_dropout,
            loss: Loss::new(settings, &[]),
            seed,
            rates: scaling.rates(&Layout::new(architecture, geometry)),
            gradient: zeros(),
            sum: if settings.accumulate > 1 { zeros() } else { Vec::new() },
            first_moment: zeros(),
            second_moment: zeros(),
            network: Network::new(architecture, geometry, settings, capacity, weights),
            count: Count::default(),
        }
    }

    /// Replaces the loss to minimise.
    #[must_use]
    pub(crate) fn with_loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// Returns the weights, tensor by tensor in the order of the layout.
    pub fn weights(&self) -> &[f32] {
        self.network.weights()
    }

    /// Replaces the weights.
    ///
    /// # Panics
    /// If the number of weights differs.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.network.weights_mut().copy_from_slice(weights);
    }

    /// Replaces every tensor by the one with its name in `tensors`, given in `PyTorch`'s shape.
    ///
    /// # Panics
    /// If a tensor is missing or has another size.
    pub fn set_tensors(&mut self, tensors: &BTreeMap<String, Vec<f32>>) {
        for tensor in self.network.tensors() {
            let values = &tensors[&tensor.name];
            assert_eq!(values.len(), tensor.span.length, "{}", tensor.name);
            for (place, &value) in values.iter().enumerate() {
                tensor.span.of_mut(self.network.weights_mut())[tensor.place(place)] = value;
            }
        }
    }

    /// Returns the gradient of the last step before clipping, by tensor name and in `PyTorch`'s shapes.
    pub fn gradient_tensors(&self) -> BTreeMap<String, Vec<f32>> {
        let tensors = self.network.tensors().into_iter();
        let values = tensors.map(|tensor| {
            let lying = tensor.span.of(&self.gradient);
            let turned = (0..lying.len()).map(|place| lying[tensor.place(place)]).collect();
            (tensor.name, turned)
        });
        values.collect()
    }

    /// Swaps the weights with equally many others.
    pub(crate) fn swap_weights(&mut self, weights: &mut Vec<f32>) {
        std::mem::swap(self.network.weights_mut(), weights);
    }

    /// Returns the gradient of the last step before clipping, in the order of the weights.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Returns the maximum number of windows in a batch.
    pub fn capacity(&self) -> usize {
        self.network.capacity()
    }

    /// Returns the number of steps and batches so far.
    pub(crate) fn count(&self) -> Count {
        self.count
    }

    /// Takes one step of `AdamW` on a batch of windows, `context * features` values each, with one target
    /// per window.
    ///
    /// # Errors
    /// [`Diverged`] if the loss or gradient is not finite.
    ///
    /// # Panics
    /// If there are no windows, more windows than the capacity, or not as many targets as windows.
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

    /// Adds the gradient of a batch to that of the step and returns the batch's mean loss.
    ///
    /// `share` is the batch's share of the step's windows, and `first` tells whether the batch is the first
    /// of the step.
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

    /// Runs the forward and backward pass, which overwrites the gradient with that of this batch.
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
        let (workspace, weights) = self.network.split();
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

    /// Takes one step of `AdamW` with the gradient of the [`add`](Self::add)ed batches, whose mean loss is
    /// `loss`.
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
        let changed = self.network.weights_mut();
        for RatePart { weights, factor } in &self.rates {
            launch(AdamW {
                weights: &mut changed[weights.clone()],
                gradient: &self.gradient[weights.clone()],
                first: &mut self.first_moment[weights.clone()],
                second: &mut self.second_moment[weights.clone()],
                clip: (gradient_clip / (gradient_norm + 1e-6)).min(1.0),
                learning_rate: factor * learning_rate,
                decay: learning_rate * self.hyperparameters.weight_decay,
                step: self.count.steps,
            });
        }
        Ok(StepReport { loss, gradient_norm })
    }

    fn diverged(&self, loss: f64, gradient_norm: f64) -> Diverged {
        let state = self.network.workspace.activation_state();
        Diverged {
            step: self.count.steps + 1,
            loss,
            gradient_norm,
            largest_activation: state.largest,
            not_finite: state.not_finite,
            first_layer: state.first,
        }
    }

    /// Returns the logits of at most [`capacity`](Self::capacity) windows, `windows x outputs`, without
    /// dropout.
    pub fn logits<'a>(&mut self, windows: impl IntoIterator<Item = &'a [f32]>) -> &[f32] {
        self.network.logits(windows)
    }

    /// Returns the activations of at most [`capacity`](Self::capacity) windows, without dropout.
    pub(crate) fn activations<'a>(
        &mut self,
        windows: impl IntoIterator<Item = &'a [f32]>,
    ) -> Vec<(Layer, Vec<f32>)> {
        self.network.activations(windows)
    }

    /// Returns the first and second moments, in the order of the weights.
    pub(crate) fn moments(&self) -> [&[f32]; 2] {
        [&self.first_moment, &self.second_moment]
    }

    /// Continues from the state of another learner of the same architecture, which `fill` writes to the
    /// weights and both moments.
    pub(crate) fn restore(&mut self, count: Count, fill: &mut dyn FnMut([&mut [f32]; 3])) {
        fill([self.network.weights_mut(), &mut self.first_moment, &mut self.second_moment]);
        self.count = count;
    }

    /// Lends the buffer of the gradient, whose numbers are not needed between two steps.
    pub(crate) fn lend(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.gradient)
    }

    /// Takes the buffer of the gradient back.
    pub(crate) fn take_back(&mut self, buffer: Vec<f32>) {
        self.gradient = buffer;
    }

    /// Returns the network with the current weights.
    pub(crate) fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }
}
