//! Thread of a device: it owns all tensors and executes requests from the threads of trials.
//!
//! Trials of one architecture over one series share a [`ModelBatch`]. Work waits until each of them has
//! asked for some, or has said that it pauses, and then runs at once.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use burn_tensor::Device;

use crate::message::{Message, Opened, catch_driver_errors};
use crate::model_batch::ModelBatch;

/// Maximum time that work waits for other trials of its architecture, in case the system stops one of them:
/// longer than a trial takes between two batches.
const MAX_WAIT: Duration = Duration::from_millis(20);

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
            Message::Pause(id) => self.batch_of(id).pause(id),
            Message::Weights(id, reply) => {
                let name = self.name.clone();
                let _ = reply.send(catch_driver_errors(&name, || self.batch_of(id).weights(id)));
            }
            Message::State(id, reply) => {
                let name = self.name.clone();
                let _ = reply.send(catch_driver_errors(&name, || self.batch_of(id).state(id)));
            }
            Message::Write(id, weights, moments, reply) => {
                let name = self.name.clone();
                let _ = reply.send(catch_driver_errors(&name, || {
                    self.batch_of(id).write(id, &weights, moments);
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
