//! Handle of a trial's thread to its model, which sends requests to the device's thread.

use std::borrow::Cow;
use std::sync::mpsc::{Sender, sync_channel};

use allometry_trainer::StepReport;
use allometry_trainer::device::{Count, DeviceError, Plan, StepError, Trainee};

use crate::message::{Message, Opened, OwnPlan, Reply, Step, Work};

/// A model being trained on a device.
#[derive(Debug)]
pub(crate) struct OnDevice {
    device: String,
    messages: Sender<Message>,
    id: u64,
    /// Windows in a batch.
    capacity: usize,
    /// Number of weights.
    weights: usize,
    count: Count,
}

impl OnDevice {
    /// Allocates a model with its initial weights on the device.
    pub(crate) fn open(
        device: &str,
        messages: Sender<Message>,
        plan: &Plan<'_>,
    ) -> Result<Self, DeviceError> {
        let opened =
            Opened { plan: OwnPlan::new(plan), series: plan.series.into(), weights: plan.initial_weights() };
        let mut own = Self {
            device: device.to_owned(),
            messages,
            id: 0,
            capacity: plan.capacity,
            weights: opened.weights.len(),
            count: Count::default(),
        };
        own.id = own.ask(|reply| Message::Open(Box::new(opened), reply))?;
        Ok(own)
    }

    /// Sends a request to the device's thread and waits for the answer.
    fn ask<T, E: From<DeviceError>>(&self, message: impl FnOnce(Reply<T, E>) -> Message) -> Result<T, E> {
        let (reply, answer) = sync_channel(1);
        let gone = || DeviceError { device: self.device.clone(), why: "its thread has ended".into() };
        self.messages.send(message(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }

    fn work<T, E: From<DeviceError>>(&self, work: impl FnOnce(Reply<T, E>) -> Work) -> Result<T, E> {
        self.ask(|reply| Message::Work(self.id, work(reply)))
    }
}

impl Drop for OnDevice {
    fn drop(&mut self) {
        // If the thread has ended, there is nothing to free.
        let _ = self.messages.send(Message::Close(self.id));
    }
}

/// Converts row indices to those of the device.
fn rows(starts: &[usize]) -> Vec<i32> {
    starts.iter().map(|&start| i32::try_from(start).expect("tables have fewer rows than 2^31")).collect()
}

impl Trainee for OnDevice {
    fn count(&self) -> Count {
        self.count
    }

    fn step(
        &mut self,
        starts: &[usize],
        targets: &[f32],
        learning_rate: f64,
        gradient_clip: f64,
    ) -> Result<StepReport, StepError> {
        let count = starts.len();
        assert!(count == targets.len() && count > 0, "{count} windows, {} targets", targets.len());
        let number = self.count.steps + 1;
        let (starts, targets, batch) = (rows(starts), targets.to_vec(), self.count.batches);
        let step = Step { starts, targets, learning_rate, gradient_clip, batch, number };
        let report = self.work(|reply| Work::Step(step, reply))?;
        self.count.steps = number;
        self.count.batches += count.div_ceil(self.capacity) as u64;
        Ok(report)
    }

    fn pause(&mut self) {
        // If the thread has ended, the next work says so.
        let _ = self.messages.send(Message::Pause(self.id));
    }

    fn logits(&mut self, starts: &[usize], to: &mut Vec<f32>) -> Result<(), DeviceError> {
        let starts = rows(starts);
        to.extend(self.work(|reply| Work::Logits(starts, reply))?);
        Ok(())
    }

    fn weights(&mut self) -> Result<Cow<'_, [f32]>, DeviceError> {
        self.ask(|reply| Message::Weights(self.id, reply)).map(Cow::from)
    }

    fn state(&mut self) -> Result<[Cow<'_, [f32]>; 3], DeviceError> {
        let state: [Vec<f32>; 3] = self.ask(|reply| Message::State(self.id, reply))?;
        Ok(state.map(Cow::from))
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), DeviceError> {
        let weights = weights.to_vec();
        self.ask(|reply| Message::Write(self.id, weights, None, reply))
    }

    fn restore(&mut self, count: Count, fill: &mut dyn FnMut([&mut [f32]; 3])) -> Result<(), DeviceError> {
        let mut state = [(); 3].map(|()| vec![0.0; self.weights]);
        fill(state.each_mut().map(Vec::as_mut_slice));
        let [weights, first, second] = state;
        let moments = Some([first, second]);
        self.ask(|reply| Message::Write(self.id, weights, moments, reply))?;
        self.count = count;
        Ok(())
    }
}
