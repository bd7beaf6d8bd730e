//! The device's thread: it has all tensors, and does what the threads of trials ask for.
//!
//! Trials of one architecture over one series share a [`Bench`]. Their work waits until each of them has asked for some, and is
//! then done as one; who is late is not waited for long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use allometry_core::ladder::ModelSpec;
use allometry_trainer::device::{DeviceError, Plan, StepError};
use allometry_trainer::{Geometry, Hyperparameters, StepReport};
use burn_tensor::Device;

use crate::bench::Bench;

/// How long work waits for that of the other trials of its architecture: longer than a trial takes between two batches, shorter
/// than a checkpoint or a commit.
const PATIENCE: Duration = Duration::from_millis(20);

/// Where an answer goes.
pub(crate) type Reply<T, E> = SyncSender<Result<T, E>>;

/// What the thread is asked.
#[derive(Debug)]
pub(crate) enum Message {
    /// Makes room for a model; the answer is its number.
    Open(Box<Opened>, Reply<u64, DeviceError>),
    /// Something to be done together with others.
    Work(u64, Work),
    /// Gives weights and moments out.
    Read(u64, Reply<[Vec<f32>; 3], DeviceError>),
    /// Replaces the weights, and the moments where they are given.
    Write(u64, Vec<f32>, Option<[Vec<f32>; 2]>, Reply<(), DeviceError>),
    /// Forgets a model.
    Close(u64),
}

/// A model to be trained.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) plan: OwnPlan,
    pub(crate) series: Arc<[f32]>,
    pub(crate) weights: Vec<f32>,
}

/// What is done for several models at once.
#[derive(Debug)]
pub(crate) enum Work {
    /// The gradient of a batch.
    Add {
        starts: Vec<i32>,
        targets: Vec<f32>,
        /// Its share of the step, where a step has several batches.
        share: Option<f32>,
        first: bool,
        /// Its number, from 0.
        batch: u64,
        /// Number of its step, from 1.
        step: u64,
        reply: Reply<f64, StepError>,
    },
    /// The update by what was added.
    Update {
        loss: f64,
        learning_rate: f64,
        gradient_clip: f64,
        /// Its number, from 1.
        step: u64,
        reply: Reply<StepReport, StepError>,
    },
    /// Logits without dropout.
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

/// Answers messages until nobody can send any.
pub(crate) fn serve(device: Device, name: &str, messages: &Receiver<Message>) {
    let mut benches = Benches { device, name: name.to_owned(), all: Vec::new(), next: 0 };
    loop {
        let message = match benches.due() {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => messages.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match message {
            Ok(message) => benches.take(message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Ok(message) = messages.try_recv() {
            benches.take(message);
        }
        for bench in &mut benches.all {
            if bench.is_complete() || bench.since().is_some_and(|since| since.elapsed() >= PATIENCE) {
                bench.run(&benches.name);
            }
        }
    }
}

struct Benches {
    device: Device,
    name: String,
    all: Vec<Bench>,
    next: u64,
}

impl Benches {
    /// When work that waits is no longer to wait.
    fn due(&self) -> Option<Instant> {
        self.all.iter().filter_map(Bench::since).min().map(|since| since + PATIENCE)
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Open(opened, reply) => {
                let name = self.name.clone();
                let opened = caught(&name, || Ok(self.open(*opened)));
                // Who asked may have gone.
                let _ = reply.send(opened);
            }
            Message::Work(id, work) => self.of(id).put(id, work),
            Message::Read(id, reply) => {
                let name = self.name.clone();
                let _ = reply.send(caught(&name, || self.of(id).read(id)));
            }
            Message::Write(id, weights, moments, reply) => {
                let name = self.name.clone();
                let _ = reply.send(caught(&name, || {
                    self.of(id).write(id, weights, moments);
                    Ok(())
                }));
            }
            Message::Close(id) => {
                self.of(id).close(id);
                self.all.retain(|bench| !bench.is_empty());
                if self.all.is_empty() {
                    self.device.memory_cleanup();
                }
            }
        }
    }

    fn open(&mut self, opened: Opened) -> u64 {
        let id = self.next;
        let fitting = self.all.iter_mut().find(|bench| bench.fits(&opened));
        if let Some(bench) = fitting {
            bench.open(id, opened);
        } else {
            let mut bench = Bench::new(&opened, &self.device);
            bench.open(id, opened);
            self.all.push(bench);
        }
        self.next += 1;
        id
    }

    fn of(&mut self, id: u64) -> &mut Bench {
        let found = self.all.iter_mut().find(|bench| bench.has(id));
        found.expect("a model has a bench from its opening to its end")
    }
}

/// Turns what a driver complains of, which comes as an error or as a panic, into an error.
pub(crate) fn caught<T>(device: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, DeviceError> {
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Err(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default())
    });
    result.map_err(|why| DeviceError { device: device.to_owned(), why })
}
