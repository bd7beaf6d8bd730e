//! What trains the models of trials: the CPU by itself, or a device that the program brings along.
//!
//! A [`Device`] opens one [`Trainee`] per trial. Everything else of a training (batches, schedule, early stopping, averages of
//! weights, scores, checkpoints) is the same whatever trains it.

use std::borrow::Cow;
use std::fmt::Debug;

use allometry_core::ladder::ModelSpec;
use allometry_core::rng::stream_seed;

use crate::hyperparameters::Hyperparameters;
use crate::kernel::lanes::padded;
pub use crate::learner::Count;
use crate::learner::{Diverged, Learner, StepReport};
pub use crate::model::{BlockSpans, DropoutSite, Layout, LinearSpans, NormSpans, Span};
use crate::model::{Geometry, Loss, Masks, initial_weights};

/// A device could not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{device} failed: {why}")]
pub struct DeviceError {
    /// Its name.
    pub device: String,
    /// What happened, in the words of its driver.
    pub why: String,
}

/// Why a training step was not done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StepError {
    /// Its loss or gradient is not finite.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// What trains models.
pub trait Device: Debug + Send + Sync {
    /// What it is, such as `cuda: NVIDIA H100`.
    fn name(&self) -> &str;

    /// A new model of a trial, with its initial weights. Trainees of several threads may be trained together; each is as if it
    /// were alone but for rounding.
    ///
    /// # Errors
    /// [`DeviceError`], where there is no room for it.
    fn open<'a>(&'a self, plan: &Plan<'a>) -> Result<Box<dyn Trainee + 'a>, DeviceError>;
}

/// One model in training. Windows are named by the rows of the plan's series at which they begin.
pub trait Trainee {
    /// What was done so far.
    fn count(&self) -> Count;

    /// Adds the gradient of a batch to that of the step: `share` is the batch's share of the step's windows, `first` says
    /// whether it is the first. Returns its mean loss, dropout on.
    ///
    /// # Errors
    /// [`StepError`].
    ///
    /// # Panics
    /// If there are no windows, more than the plan's capacity, or not as many as targets.
    fn add(&mut self, starts: &[usize], targets: &[f32], share: f64, first: bool) -> Result<f64, StepError>;

    /// One step of `AdamW` with what was [`add`](Self::add)ed in batches of mean loss `loss`. After an error the weights are
    /// those before it.
    ///
    /// # Errors
    /// [`StepError`].
    fn update(&mut self, loss: f64, learning_rate: f64, gradient_clip: f64) -> Result<StepReport, StepError>;

    /// Appends the logits of at most the plan's capacity of windows, `windows x outputs`, without dropout.
    ///
    /// # Errors
    /// [`DeviceError`].
    fn logits(&mut self, starts: &[usize], to: &mut Vec<f32>) -> Result<(), DeviceError>;

    /// The weights, tensor after tensor in the order of the [`Layout`].
    ///
    /// # Errors
    /// [`DeviceError`].
    fn weights(&mut self) -> Result<Cow<'_, [f32]>, DeviceError>;

    /// The weights and both their moments, in the order of the weights.
    ///
    /// # Errors
    /// [`DeviceError`].
    fn state(&mut self) -> Result<[Cow<'_, [f32]>; 3], DeviceError>;

    /// Replaces the weights.
    ///
    /// # Errors
    /// [`DeviceError`].
    fn set_weights(&mut self, weights: &[f32]) -> Result<(), DeviceError>;

    /// Exchanges the weights with others of the same number.
    ///
    /// # Errors
    /// [`DeviceError`].
    fn swap_weights(&mut self, weights: &mut Vec<f32>) -> Result<(), DeviceError> {
        let own = self.weights()?.into_owned();
        self.set_weights(weights)?;
        *weights = own;
        Ok(())
    }

    /// Goes on from where another trainee of the same plan was.
    ///
    /// # Errors
    /// [`DeviceError`].
    fn restore(&mut self, state: [&[f32]; 3], count: Count) -> Result<(), DeviceError>;
}

/// All that is to be known of a trial to train its model.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The configuration.
    pub hyperparameters: Hyperparameters,
    /// Shape of the windows.
    pub geometry: Geometry,
    /// Settings of the ladder's `[model]`.
    pub settings: &'a ModelSpec,
    /// Windows in a batch at most.
    pub capacity: usize,
    /// Seed of everything random in the training.
    pub seed: u64,
    /// Rows of features, one after the other, that windows are cut from.
    pub series: &'a [f32],
    /// Weight of positive windows where the loss is weighted and the settings give none.
    pub balance: f64,
}

/// Which values of one place are dropped in one batch. A value stays where the hash of its position is not below `threshold`:
/// with 32-bit wrapping arithmetic and `a`, `b` the keys,
///
/// ```text
/// x = position * 0x9e3779b1 ^ a;  x ^= x >> 16
/// x = x * 0x7feb352d ^ b;         x ^= x >> 15
/// x = x * 0x846ca68b;             x ^= x >> 16
/// ```
///
/// Positions count the values of a place window after window; those of attention probabilities count rows of
/// [`Plan::attention_lanes`] numbers each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mask {
    /// Keys of the hash.
    pub keys: [u32; 2],
    /// 0 where nothing is dropped.
    pub threshold: u32,
    /// What values that stay are multiplied by.
    pub scale: f32,
}

impl<'a> Plan<'a> {
    /// The weights that training begins with.
    pub fn initial_weights(&self) -> Vec<f32> {
        let seed = stream_seed(self.seed, "weights", 0);
        initial_weights(self.hyperparameters.architecture, self.geometry, seed)
    }

    /// What is dropped at `site` in batch number `batch`, from 0.
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

    /// Positions that a mask has for the probabilities of one query, one per patch and some to spare.
    pub fn attention_lanes(&self) -> usize {
        padded(self.geometry.patches())
    }

    /// Mean loss of windows with these logits, `windows x outputs`; `d_logits` becomes its gradient.
    pub fn loss(&self, logits: &[f32], targets: &[f32], d_logits: &mut [f32]) -> f64 {
        self.minimised().evaluate(logits, targets, d_logits)
    }

    /// What is minimised.
    pub(crate) fn minimised(&self) -> Loss {
        Loss::new(self.settings, self.balance)
    }

    /// The model on the CPU, on the thread that calls it.
    pub fn on_cpu(&self) -> Box<dyn Trainee + 'a> {
        Box::new(OnCpu::new(self))
    }
}

/// A model in training on the CPU.
struct OnCpu<'a> {
    learner: Learner,
    series: &'a [f32],
    features: usize,
    values: usize,
}

impl<'a> OnCpu<'a> {
    fn new(plan: &Plan<'a>) -> Self {
        let Plan { hyperparameters, geometry, settings, capacity, seed, series, .. } = *plan;
        let learner = Learner::new(hyperparameters, geometry, settings, capacity, seed);
        let learner = learner.with_loss(plan.minimised());
        Self { learner, series, features: geometry.features, values: geometry.window_values() }
    }
}

impl Trainee for OnCpu<'_> {
    fn count(&self) -> Count {
        self.learner.count()
    }

    fn add(&mut self, starts: &[usize], targets: &[f32], share: f64, first: bool) -> Result<f64, StepError> {
        let (series, features, values) = (self.series, self.features, self.values);
        let windows = starts.iter().map(|start| &series[start * features..][..values]);
        Ok(self.learner.add(windows, targets, share, first)?)
    }

    fn update(&mut self, loss: f64, learning_rate: f64, gradient_clip: f64) -> Result<StepReport, StepError> {
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

    fn restore(&mut self, [weights, first, second]: [&[f32]; 3], count: Count) -> Result<(), DeviceError> {
        self.learner.restore(weights, [first, second], count);
        Ok(())
    }
}
