//! Requests to the thread of a device, and their answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use allometry_ladder::ModelSpec;
use allometry_trainer::device::{DeviceError, Plan, StepError};
use allometry_trainer::{Geometry, Hyperparameters, StepReport};

/// Sender of an answer.
pub(crate) type Reply<T, E> = SyncSender<Result<T, E>>;

/// Request to the thread of a device.
#[derive(Debug)]
pub(crate) enum Message {
    /// Allocates a model and answers with its id.
    Open(Box<Opened>, Reply<u64, DeviceError>),
    /// Queues work to run together with that of other models.
    Work(u64, Work),
    /// Announces that the next work of a model comes late.
    Pause(u64),
    /// Reads the weights.
    Weights(u64, Reply<Vec<f32>, DeviceError>),
    /// Reads weights and moments.
    State(u64, Reply<[Vec<f32>; 3], DeviceError>),
    /// Replaces the weights, and the moments if given.
    Write(u64, Vec<f32>, Option<[Vec<f32>; 2]>, Reply<(), DeviceError>),
    /// Frees a model.
    Close(u64),
}

/// A new model with its initial weights.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) plan: OwnPlan,
    pub(crate) series: Arc<[f32]>,
    pub(crate) weights: Vec<f32>,
}

/// Work that can run for several models at once.
#[derive(Debug)]
pub(crate) enum Work {
    /// Takes a training step.
    Step(Step, Reply<StepReport, StepError>),
    /// Computes logits without dropout.
    Logits(Vec<i32>, Reply<Vec<f32>, DeviceError>),
}

/// A training step of one model.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) starts: Vec<i32>,
    pub(crate) targets: Vec<f32>,
    pub(crate) learning_rate: f64,
    pub(crate) gradient_clip: f64,
    /// Index of its first batch, from 0.
    pub(crate) batch: u64,
    /// Number of the step, from 1.
    pub(crate) number: u64,
}

/// A plan without its series.
#[derive(Debug, Clone)]
pub(crate) struct OwnPlan {
    pub(crate) hyperparameters: Hyperparameters,
    pub(crate) geometry: Geometry,
    pub(crate) settings: ModelSpec,
    pub(crate) capacity: usize,
    seed: u64,
    class_weights: Vec<f64>,
}

impl OwnPlan {
    pub(crate) fn new(plan: &Plan<'_>) -> Self {
        Self {
            hyperparameters: plan.hyperparameters,
            geometry: plan.geometry,
            settings: plan.settings.clone(),
            capacity: plan.capacity,
            seed: plan.seed,
            class_weights: plan.class_weights.clone(),
        }
    }

    pub(crate) fn plan(&self) -> Plan<'_> {
        let Self { hyperparameters, geometry, ref settings, capacity, seed, ref class_weights } = *self;
        let (settings, class_weights) = (settings.clone(), class_weights.clone());
        Plan { hyperparameters, geometry, settings, capacity, seed, series: &[], class_weights }
    }
}

/// Runs work and turns an error of the driver, which may be a panic, into a [`DeviceError`].
pub(crate) fn catch_driver_errors<T>(
    device: &str,
    work: impl FnOnce() -> Result<T, String>,
) -> Result<T, DeviceError> {
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Err(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default())
    });
    result.map_err(|why| DeviceError { device: device.to_owned(), why })
}
