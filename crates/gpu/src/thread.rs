//! Thread of a device: it owns all tensors and executes requests from the threads of trials.
//!
//! Trials of one architecture over one series share a [`ModelBatch`]. Work waits until each of them has
//! asked for some and then runs at once. The wait is short, so a slow trial does not delay the others much.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use allometry_core::ladder::ModelSpec;
use allometry_trainer::device::{DeviceError, Plan, StepError};
use allometry_trainer::{Geometry, Hyperparameters, StepReport};
use burn_tensor::Device;

use crate::model_batch::ModelBatch;

/// Maximum time that work waits for other trials of its architecture: longer than a trial takes between two
/// batches, shorter than a checkpoint or a commit.
const MAX_WAIT: Duration = Duration::from_millis(20);

/// Sender of an answer.
pub(crate) type Reply<T, E> = SyncSender<Result<T, E>>;

/// Request to the thread of a device.
#[derive(Debug)]
pub(crate) enum Message {
    /// Allocates a model and answers with its id.
    Open(Box<Opened>, Reply<u64, DeviceError>),
    /// Queues work to run together with that of other models.
    Work(u64, Work),
    /// Reads weights and moments.
    Read(u64, Reply<[Vec<f32>; 3], DeviceError>),
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
    /// Adds the gradient of a batch.
    Add {
        starts: Vec<i32>,
        targets: Vec<f32>,
        /// Weight of the batch in the mean over the step, if a step has several batches.
        share: Option<f32>,
        first: bool,
        /// Index of the batch, from 0.
        batch: u64,
        /// Number of the step, from 1.
        step: u64,
        reply: Reply<f64, StepError>,
    },
    /// Updates the weights with the accumulated gradient.
    Update {
        loss: f64,
        learning_rate: f64,
        gradient_clip: f64,
        /// Number of the step, from 1.
        step: u64,
        reply: Reply<StepReport, StepError>,
    },
    /// Computes logits without dropout.
    Logits { starts: Vec<i32>, reply: Reply<Vec<f32>, DeviceError> },
}

/// A plan without its series.
#[derive(Debug, Clone)]
pub(crate) struct OwnPlan {
    pub(crate) hyperparameters: Hyperparameters,
    pub(crate) geometry: Geometry,
    pub(crate) settings: ModelSpec,
    pub(crate) capacity: usize,
    seed: u64,
    balance: f64,
}

impl OwnPlan {
    pub(crate) fn new(plan: &Plan<'_>) -> Self {
        Self {
            hyperparameters: plan.hyperparameters,
            geometry: plan.geometry,
            settings: plan.settings.clone(),
            capacity: plan.capacity,
            seed: plan.seed,
            balance: plan.balance,
        }
    }

    pub(crate) fn plan(&self) -> Plan<'_> {
        let Self { hyperparameters, geometry, ref settings, capacity, seed, balance } = *self;
        Plan { hyperparameters, geometry, settings, capacity, seed, series: &[], balance }
    }
}

/// Executes requests until all senders are dropped.
pub(crate) fn serve(device: Device, name: &str, messages: &Receiver<Message>) {
    let mut batches = ModelBatches { device, name: name.to_owned(), all: Vec::new(), next: 0 };
    loop {
        let message = match batches.due() {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => messages.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match message {
            Ok(message) => batches.take(message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Ok(message) = messages.try_recv() {
            batches.take(message);
        }
        for models in &mut batches.all {
            if models.is_complete() || models.waiting_since().is_some_and(|since| since.elapsed() >= MAX_WAIT)
            {
                models.run(&batches.name);
            }
        }
    }
}

struct ModelBatches {
    device: Device,
    name: String,
    all: Vec<ModelBatch>,
    next: u64,
}

impl ModelBatches {
    /// Returns the time at which the oldest waiting work must run.
    fn due(&self) -> Option<Instant> {
        self.all.iter().filter_map(ModelBatch::waiting_since).min().map(|since| since + MAX_WAIT)
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Open(opened, reply) => {
                let name = self.name.clone();
                let opened = catch_driver_errors(&name, || Ok(self.open(*opened)));
                // The receiver may have been dropped.
                let _ = reply.send(opened);
            }
            Message::Work(id, work) => self.batch_of(id).enqueue(id, work),
            Message::Read(id, reply) => {
                let name = self.name.clone();
                let _ = reply.send(catch_driver_errors(&name, || self.batch_of(id).read(id)));
            }
            Message::Write(id, weights, moments, reply) => {
                let name = self.name.clone();
                let _ = reply.send(catch_driver_errors(&name, || {
                    self.batch_of(id).write(id, weights, moments);
                    Ok(())
                }));
            }
            Message::Close(id) => {
                self.batch_of(id).close(id);
                self.all.retain(|models| !models.is_empty());
                if self.all.is_empty() {
                    self.device.memory_cleanup();
                }
            }
        }
    }

    fn open(&mut self, opened: Opened) -> u64 {
        let id = self.next;
        let fitting = self.all.iter_mut().find(|models| models.fits(&opened));
        if let Some(models) = fitting {
            models.open(id, opened);
        } else {
            let mut models = ModelBatch::new(&opened, &self.device);
            models.open(id, opened);
            self.all.push(models);
        }
        self.next += 1;
        id
    }

    fn batch_of(&mut self, id: u64) -> &mut ModelBatch {
        let found = self.all.iter_mut().find(|models| models.has(id));
        found.expect("a model belongs to a batch until it is closed")
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
