//! Devices that train the models of trials: the CPU, or one that the program provides.
//!
//! A [`Device`] opens one [`Trainee`] per trial. Everything else in training (batches, schedule, early
//! stopping, weight averages, scores, checkpoints) does not depend on the device.

use std::borrow::Cow;
use std::fmt::Debug;

use allometry_core::rng::stream_seed;
use allometry_ladder::ModelSpec;

use crate::hyperparameters::Hyperparameters;
use crate::kernel::lanes::padded;
pub use crate::learner::Count;
use crate::learner::{Diverged, Learner, StepReport};
pub use crate::model::{BlockSpans, DropoutSite, Layout, LinearSpans, NormSpans, Span};
use crate::model::{Geometry, Loss, Masks, WidthScaling, initial_weights};

/// Error of a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{device} failed: {why}")]
pub struct DeviceError {
    /// Name of the device.
    pub device: String,
    /// Message of the driver.
    pub why: String,
}

/// Reason why a training step failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StepError {
    /// The loss or gradient is not finite.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// A device that trains models.
pub trait Device: Debug + Send + Sync {
    /// Returns the name, such as `cuda: NVIDIA H100`.
    fn name(&self) -> &str;

    /// Creates the model of a trial with its initial weights.
    ///
    /// Trainees of several threads may be trained together. The result for each is that of training alone,
    /// except for rounding.
    ///
    /// # Errors
    /// [`DeviceError`] if the device has too little memory.
    fn open<'a>(&'a self, plan: &Plan<'a>) -> Result<Box<dyn Trainee + 'a>, DeviceError>;
}

/// A model being trained. Windows are given by the row of the plan's series at which they start.
pub trait Trainee {
    /// Returns the number of steps and batches so far.
    fn count(&self) -> Count;

    /// Takes one step of `AdamW` with the gradient of the mean loss over these windows, with dropout. They
    /// are evaluated in batches of the plan's capacity.
    ///
    /// After an error the weights are unchanged.
    ///
    /// # Errors
    /// [`StepError`] if the loss or the gradient is not finite or the device fails.
    ///
    /// # Panics
    /// If there are no windows, or not as many targets as windows.
    fn step(
        &mut self,
        starts: &[usize],
        targets: &[f32],
        learning_rate: f64,
        gradient_clip: f64,
    ) -> Result<StepReport, StepError>;

    /// Announces that the next work comes late, so that models trained together do not wait for this one.
    fn pause(&mut self) {}

    /// Appends the logits of windows, `windows x outputs`, without dropout. There may be at most as many
    /// windows as the plan's capacity.
    ///
    /// # Errors
    /// [`DeviceError`] if the device fails.
    fn logits(&mut self, starts: &[usize], to: &mut Vec<f32>) -> Result<(), DeviceError>;

    /// Returns the weights, tensor by tensor in the order of the [`Layout`].
    ///
    /// # Errors
    /// [`DeviceError`] if the device fails.
    fn weights(&mut self) -> Result<Cow<'_, [f32]>, DeviceError>;

    /// Returns the weights, the first moments and the second moments, all in the order of the weights.
    ///
    /// # Errors
    /// [`DeviceError`] if the device fails.
    fn state(&mut self) -> Result<[Cow<'_, [f32]>; 3], DeviceError>;

    /// Replaces the weights.
    ///
    /// # Errors
    /// [`DeviceError`] if the device fails.
    fn set_weights(&mut self, weights: &[f32]) -> Result<(), DeviceError>;

    /// Swaps the weights with equally many others.
    ///
    /// # Errors
    /// [`DeviceError`] if the device fails.
    fn swap_weights(&mut self, weights: &mut Vec<f32>) -> Result<(), DeviceError> {
        let own = self.weights()?.into_owned();
        self.set_weights(weights)?;
        *weights = own;
        Ok(())
    }

    /// Continues from the state of another trainee of the same plan. `fill` writes it to the weights and both
    /// moments, in the order of the weights.
    ///
    /// # Errors
    /// [`DeviceError`] if the device fails.
    fn restore(&mut self, count: Count, fill: &mut dyn FnMut([&mut [f32]; 3])) -> Result<(), DeviceError>;

    /// Lends a buffer with one number per weight that is not needed until the next step; an empty one where
    /// there is none. It is to be [`returned`](Self::take_back).
    fn lend(&mut self) -> Vec<f32> {
        Vec::new()
    }

    /// Takes a buffer back that was [lent](Self::lend), with any numbers.
    fn take_back(&mut self, _: Vec<f32>) {}
}

/// Everything that a device needs to train the model of a trial.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// Hyperparameters of the trial.
    pub hyperparameters: Hyperparameters,
    /// Shape of the windows.
    pub geometry: Geometry,
    /// Settings of the trial: those of the ladder's table `[model]`, with its own values.
    pub settings: ModelSpec,
    /// Maximum windows in a batch.
    pub capacity: usize,
    /// Seed of everything random in the training.
    pub seed: u64,
    /// Series of rows of features, from which windows are cut.
    pub series: &'a [f32],
    /// Weight of each class in a weighted loss, of a binary label negative and positive.
    pub class_weights: Vec<f64>,
}

/// Dropout mask of one site in one batch. A value is kept if the hash of its position is at least
/// `threshold`. The hash, in 32-bit wrapping arithmetic with the keys `a` and `b`, is
///
/// ```text
/// x = position * 0x9e3779b1 ^ a;  x ^= x >> 16
/// x = x * 0x7feb352d ^ b;         x ^= x >> 15
/// x = x * 0x846ca68b;             x ^= x >> 16
/// ```
///
/// Positions count the values of a site, window by window. Those of attention probabilities count
/// [`Plan::attention_lanes`] numbers per row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mask {
    /// Keys of the hash.
    pub keys: [u32; 2],
    /// Hash below which a value is dropped; 0 for no dropout.
    pub threshold: u32,
    /// Factor of the values that are kept.
    pub scale: f32,
}

impl<'a> Plan<'a> {
    /// Returns the initial weights.
    pub fn initial_weights(&self) -> Vec<f32> {
        let seed = stream_seed(self.seed, "weights", 0);
        let architecture = self.hyperparameters.architecture;
        initial_weights(architecture, self.geometry, WidthScaling::new(&self.settings, architecture), seed)
    }

    /// Returns the dropout mask of `site` in batch number `batch`, from 0.
    pub fn mask(&self, batch: u64, site: DropoutSite) -> Mask {
        let masks = Masks::Step {
            probability: self.hyperparameters.dropout,
            head: self.settings.head_dropout,
            seed: self.seed,
            step: batch,
        };
        let (keys, threshold, scale) = masks.at::<f32>(site).parts();
        Mask { keys, threshold, scale }
    }

    /// Returns the positions of a mask per query of the attention: one per patch, padded to whole chunks.
    pub fn attention_lanes(&self) -> usize {
        padded(self.geometry.patches())
    }

    /// Returns the mean loss of windows with these logits, `windows x outputs`, and writes its gradient to
    /// `d_logits`.
    pub fn loss(&self, logits: &[f32], targets: &[f32], d_logits: &mut [f32]) -> f64 {
        self.loss_to_minimise().evaluate(logits, targets, d_logits)
    }

    /// Returns the loss to minimise.
    pub(crate) fn loss_to_minimise(&self) -> Loss {
        Loss::new(&self.settings, &self.class_weights)
    }

    /// Creates the model on the CPU, trained on the calling thread.
    pub fn on_cpu(&self) -> Box<dyn Trainee + 'a> {
        Box::new(OnCpu::new(self))
    }
}

/// A model being trained on the CPU.
struct OnCpu<'a> {
    learner: Learner,
    series: &'a [f32],
    features: usize,
    values: usize,
    /// Windows in a batch.
    capacity: usize,
}

impl<'a> OnCpu<'a> {
    fn new(plan: &Plan<'a>) -> Self {
        let Plan { hyperparameters, geometry, ref settings, capacity, seed, series, .. } = *plan;
        let learner = Learner::new(hyperparameters, geometry, settings, capacity, seed);
        let learner = learner.with_loss(plan.loss_to_minimise());
        Self { learner, series, features: geometry.features, values: geometry.window_values(), capacity }
    }
}

impl Trainee for OnCpu<'_> {
    fn count(&self) -> Count {
        self.learner.count()
    }

    fn step(
        &mut self,
        starts: &[usize],
        targets: &[f32],
        learning_rate: f64,
        gradient_clip: f64,
    ) -> Result<StepReport, StepError> {
        assert!(starts.len() == targets.len() && !starts.is_empty(), "{} windows", starts.len());
        let (series, features, values) = (self.series, self.features, self.values);
        let mut loss = 0.0;
        let batches = starts.chunks(self.capacity).zip(targets.chunks(self.capacity));
        for (number, (batch, targets)) in batches.enumerate() {
            let share = batch.len() as f64 / starts.len() as f64;
            let windows = batch.iter().map(|start| &series[start * features..][..values]);
            loss += share * self.learner.add(windows, targets, share, number == 0)?;
        }
        Ok(self.learner.update(loss, learning_rate, gradient_clip)?)
    }

    fn logits(&mut self, starts: &[usize], to: &mut Vec<f32>) -> Result<(), DeviceError> {
        to.extend_from_slice(self.learner.network_mut().series_logits(self.series, starts));
        Ok(())
    }

    fn weights(&mut self) -> Result<Cow<'_, [f32]>, DeviceError> {
        Ok(self.learner.weights().into())
    }

    fn state(&mut self) -> Result<[Cow<'_, [f32]>; 3], DeviceError> {
        let [first, second] = self.learner.moments();
        Ok([self.learner.weights(), first, second].map(Cow::from))
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), DeviceError> {
        self.learner.set_weights(weights);
        Ok(())
    }

    fn swap_weights(&mut self, weights: &mut Vec<f32>) -> Result<(), DeviceError> {
        self.learner.swap_weights(weights);
        Ok(())
    }

    fn restore(&mut self, count: Count, fill: &mut dyn FnMut([&mut [f32]; 3])) -> Result<(), DeviceError> {
        self.learner.restore(count, fill);
        Ok(())
    }

    fn lend(&mut self) -> Vec<f32> {
        self.learner.lend()
    }

    fn take_back(&mut self, buffer: Vec<f32>) {
        self.learner.take_back(buffer);
    }
}
