//! Training of one trial, epoch by epoch. Resuming from a checkpoint gives the same bytes as training
//! without interruption.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use allometry_core::{EpochReport, Failure, ObjectiveError, Predictions, Reporter, Signal, TrialSpec};
use allometry_ladder::Monitor;

use crate::batch::shuffled;
use crate::checkpoint::{CheckpointError, Description, Epoch, Progress, Reader, STATE, epoch_end, save};
use crate::data::{Dataset, SplitPart};
use crate::device::{DeviceError, Plan, StepError, Trainee};
use crate::kept::Kept;
use crate::learner::Diverged;
use crate::schedule::rate_factor;
use crate::scoring::{CONSTANT, Scored, scaled, score};
use crate::stopping;

/// Shortest time between two checkpoints during training.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(30);
/// Longest time between two checkpoints.
const LONGEST_INTERVAL: Duration = Duration::from_mins(10);
/// Time between two checkpoints, in times that writing the last one took.
const PER_WRITING: u32 = 20;

/// Reason why training returned no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The trial has no value.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// The checkpoint cannot be written, or training cannot continue from it.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// State of a training between two batches.
pub(crate) struct Training<'a> {
    pub(crate) dataset: &'a Dataset,
    /// The training windows.
    pub(crate) train: Cow<'a, SplitPart>,
    pub(crate) trial: &'a TrialSpec,
    pub(crate) reporter: &'a dyn Reporter,
    pub(crate) plan: Plan<'a>,
    pub(crate) trainee: Box<dyn Trainee + 'a>,
    progress: Progress,
    best: Option<Best>,
    /// Weights at the ends of the last epochs, oldest first, if they are averaged.
    ends: VecDeque<Vec<f32>>,
    /// Buffer for their mean.
    mean: Vec<f32>,
    /// Destination of checkpoints, if any.
    saver: Option<Saver<'a>>,
}

/// The epoch whose weights are kept.
pub(crate) struct Best {
    pub(crate) epoch: Epoch,
    pub(crate) weights: Kept,
    pub(crate) predictions: Predictions,
}

/// A training that reached its end.
pub(crate) struct Trained {
    /// The best epoch.
    pub(crate) epoch: Epoch,
    /// Its weights.
    pub(crate) weights: Vec<f32>,
    /// Its predictions for the validation part.
    pub(crate) predictions: Predictions,
    /// Number of epochs trained; `None` where it is not known any more.
    pub(crate) epochs: Option<u64>,
    /// Number of training windows.
    pub(crate) windows: usize,
}

struct Saver<'a> {
    path: &'a Path,
    description: Description,
    saved: Instant,
    /// Minimum time between two checkpoints during training.
    interval: Duration,
    /// The shortest and the longest interval.
    intervals: [Duration; 2],
    /// Whether training fails if a checkpoint cannot be written.
    essential: bool,
}

impl<'a> Training<'a> {
    /// Creates a training that has not started.
    pub(crate) fn new(
        dataset: &'a Dataset,
        train: Cow<'a, SplitPart>,
        trial: &'a TrialSpec,
        reporter: &'a dyn Reporter,
        plan: Plan<'a>,
        trainee: Box<dyn Trainee + 'a>,
    ) -> Self {
        let progress = Progress::new(&plan.settings);
        Self {
            dataset,
            train,
            trial,
            reporter,
            plan,
            trainee,
            progress,
            best: None,
            ends: VecDeque::new(),
            mean: Vec::new(),
            saver: None,
        }
    }

    /// Writes checkpoints to `path` from now on. A failure to write is an error if they are `essential`.
    #[must_use]
    pub(crate) fn saving(mut self, path: &'a Path, description: Description, essential: bool) -> Self {
        let intervals = [SHORTEST_INTERVAL, LONGEST_INTERVAL];
        let (saved, interval) = (Instant::now(), SHORTEST_INTERVAL);
        self.saver = Some(Saver { path, description, saved, interval, intervals, essential });
        self
    }

    /// Whether a checkpoint with this description is one of this training.
    pub(crate) fn is_of(&self, description: &Description) -> bool {
        let own = self.saver.as_ref().map(|saver| &saver.description);
        own.is_some_and(|own| description.differences(own).is_empty())
    }

    /// Writes a checkpoint after each step.
    #[cfg(test)]
    pub(crate) fn saving_each_step(mut self) -> Self {
        let saver = self.saver.as_mut().expect("it is saving");
        (saver.interval, saver.intervals) = (Duration::ZERO, [Duration::ZERO; 2]);
        self
    }

    /// Continues from a checkpoint of the same trial. Its epochs are reported again, so that the reporter
    /// receives all. After an error of the file the training cannot go on.
    pub(crate) fn resume(&mut self, checkpoint: &mut Reader) -> Result<(), TrainError> {
        let Some(progress) = checkpoint.description.progress.clone() else { return Ok(()) };
        for number in 0..progress.ends {
            let mut end = vec![0.0; checkpoint.weights];
            checkpoint.buffer(&epoch_end(number), &mut end)?;
            self.ends.push_back(end);
        }
        if let Some(epoch) = checkpoint.description.best.clone() {
            self.restore_best(checkpoint, epoch)?;
        }
        let mut read = Ok(());
        let mut fill = |state: [&mut [f32]; 3]| {
            read = STATE.iter().zip(state).try_for_each(|(name, to)| checkpoint.buffer(name, to));
        };
        self.trainee.restore(progress.count, &mut fill).map_err(|e| device_failure(&e))?;
        read?;
        self.progress = progress;
        for epoch in &self.progress.history {
            check_signal(self.reporter.report(&epoch.into()))?;
        }
        Ok(())
    }

    /// Restores the best epoch of a training that has ended.
    pub(crate) fn restore_ended(
        mut self,
        checkpoint: &mut Reader,
        epoch: Epoch,
    ) -> Result<Trained, TrainError> {
        self.restore_best(checkpoint, epoch)?;
        self.ended(None)
    }

    /// Reads the best epoch's weights and scores them, with which the trainee is left.
    fn restore_best(&mut self, checkpoint: &mut Reader, epoch: Epoch) -> Result<(), TrainError> {
        let mut weights = self.trainee.lend();
        weights.resize(checkpoint.weights, 0.0);
        let read = checkpoint.best_weights(&mut weights);
        let set = read.is_ok().then(|| self.trainee.set_weights(&weights));
        self.trainee.take_back(weights);
        read?;
        set.transpose().map_err(|e| device_failure(&e))?;
        let predictions = self.validate()?.into_predictions();
        self.keep(epoch, predictions).map_err(|e| device_failure(&e))?;
        Ok(())
    }

    /// Trains to the end.
    pub(crate) fn finish(mut self) -> Result<Trained, TrainError> {
        while self.progress.history.len() < self.plan.settings.epochs && !self.progress.stopping.is_over() {
            match self.epoch() {
                Err(TrainError::Objective(ObjectiveError::Interrupted)) => {
                    self.save()?;
                    return Err(ObjectiveError::Interrupted.into());
                }
                ended => ended?,
            }
            self.save_if_due()?;
        }
        let epochs = Some(self.progress.history.len() as u64);
        let saver = self.saver.take();
        let trained = self.ended(epochs)?;
        if let Some(Saver { path, mut description, essential: true, .. }) = saver {
            description.best = Some(trained.epoch.clone());
            // Remove the progress of an earlier checkpoint of this training.
            description.progress = None;
            save(path, &description, &trained.weights, &[])?;
        }
        Ok(trained)
    }

    /// Returns the best epoch. The memory of the training is free before its weights are read.
    fn ended(self, epochs: Option<u64>) -> Result<Trained, TrainError> {
        let Self { best, trainee, train, .. } = self;
        drop(trainee);
        let best = best.ok_or_else(|| failed("no epoch was trained: `epochs` is 0", String::new()))?;
        let Best { epoch, weights, predictions } = best;
        let weights = weights.into_weights().map_err(|e| lost(&e))?;
        Ok(Trained { epoch, weights, predictions, epochs, windows: train.windows.len() })
    }

    fn save_if_due(&mut self) -> Result<(), TrainError> {
        let is_due = self.saver.as_ref().is_some_and(|saver| saver.saved.elapsed() >= saver.interval);
        if is_due { self.save() } else { Ok(()) }
    }

    /// Writes a checkpoint from which training can continue.
    fn save(&mut self) -> Result<(), TrainError> {
        let Some(saver) = &mut self.saver else { return Ok(()) };
        self.trainee.pause();
        self.progress.count = self.trainee.count();
        self.progress.ends = self.ends.len();
        saver.description.progress = Some(self.progress.clone());
        saver.description.best = self.best.as_ref().map(|best| best.epoch.clone());
        let mut lent = self.trainee.lend();
        let best = match &self.best {
            None => None,
            Some(Best { weights: Kept::Memory(weights), .. }) => Some(&weights[..]),
            Some(best) => {
                lent.resize(best.weights.len(), 0.0);
                best.weights.read(&mut lent).map_err(|e| lost(&e))?;
                Some(&lent[..])
            }
        };
        let begun = Instant::now();
        let state = self.trainee.state().map_err(|e| device_failure(&e))?;
        let ends = self.ends.iter().map(Vec::as_slice);
        let buffers: Vec<&[f32]> = state.iter().map(|buffer| &**buffer).chain(ends).collect();
        let saved = save(saver.path, &saver.description, best.unwrap_or(&state[0]), &buffers);
        saver.saved = Instant::now();
        let [shortest, longest] = saver.intervals;
        saver.interval = (begun.elapsed() * PER_WRITING).clamp(shortest, longest);
        let is_essential = saver.essential;
        drop(state);
        self.trainee.take_back(lent);
        match saved {
            Err(_) if !is_essential => Ok(()),
            saved => Ok(saved?),
        }
    }

    /// Keeps the current weights as those of the best epoch.
    fn keep(&mut self, epoch: Epoch, predictions: Predictions) -> Result<(), DeviceError> {
        let weights = self.trainee.weights()?;
        if let Some(best) = &mut self.best {
            best.weights.replace(&weights);
            (best.epoch, best.predictions) = (epoch, predictions);
        } else {
            let weights = Kept::new(&weights, self.saver.as_ref().map(|saver| saver.path));
            self.best = Some(Best { epoch, weights, predictions });
        }
        Ok(())
    }

    /// Runs one epoch, or the rest of an interrupted one: training, scores, report.
    fn epoch(&mut self) -> Result<(), TrainError> {
        let mut metrics = self.train_epoch()?;
        self.average().map_err(|e| device_failure(&e))?;
        let scored = self.validate()?;
        metrics.extend(scored.metrics(self.train.prior()));
        metrics.extend(scored.of_epoch(&self.train));
        let collapsed_to = scored.collapsed_to(&self.train);
        let predictions = scored.into_predictions();
        let value = required_metric(&metrics, self.plan.settings.task.metric())?;
        let monitored = required_metric(&metrics, self.plan.settings.monitored())?;
        // Keeping the weights, the commit of the report and the choice of a pruner take longer than a step.
        self.trainee.pause();
        let step = self.progress.history.len() as i64 + 1;
        let report = EpochReport { step, value, metrics };
        let epoch = Epoch::from(&report);
        if self.progress.stopping.observe(monitored) == stopping::Progress::Best {
            self.keep(epoch.clone(), predictions).map_err(|e| device_failure(&e))?;
        }
        if !self.mean.is_empty() {
            self.trainee.swap_weights(&mut self.mean).map_err(|e| device_failure(&e))?;
        }
        self.progress.history.push(epoch);
        (self.progress.steps, self.progress.loss, self.progress.largest_norm) = (0, 0.0, 0.0);
        check_signal(self.reporter.report(&report))?;
        match collapsed_to {
            Some(to) if self.has_collapsed() => Err(ObjectiveError::Collapsed(to).into()),
            _ => Ok(()),
        }
    }

    /// Whether predictions were constant for as many epochs as the ladder allows.
    fn has_collapsed(&self) -> bool {
        let (epochs, history) = (self.plan.settings.collapse_epochs, &self.progress.history);
        let is_constant = |epoch: &Epoch| epoch.metrics.get(CONSTANT) == Some(&1.0);
        epochs > 0 && history.len() >= epochs && history.iter().rev().take(epochs).all(is_constant)
    }

    /// Saves the weights and replaces them by the mean of those at the ends of the last epochs, until the
    /// epoch is over (Izmailov et al. 2018, with a moving window so that every epoch can be scored).
    fn average(&mut self) -> Result<(), DeviceError> {
        let max_epochs = self.plan.settings.average_epochs;
        if max_epochs < 2 {
            return Ok(());
        }
        let weights = self.trainee.weights()?;
        let mut end = if self.ends.len() < max_epochs {
            vec![0.0; weights.len()]
        } else {
            self.ends.pop_front().expect("there are at least two")
        };
        end.copy_from_slice(&weights);
        self.ends.push_back(end);
        self.mean.resize(weights.len(), 0.0);
        self.mean.fill(0.0);
        let share = 1.0 / self.ends.len() as f32;
        for end in &self.ends {
            for (mean, weight) in self.mean.iter_mut().zip(end) {
                *mean += share * weight;
            }
        }
        drop(weights);
        self.trainee.swap_weights(&mut self.mean)
    }

    /// Returns the predictions for the validation part.
    pub(crate) fn validate(&mut self) -> Result<Scored, ObjectiveError> {
        let Self { dataset, plan, trainee, .. } = self;
        let logits = |starts: &[usize], to: &mut Vec<f32>| trainee.logits(starts, to);
        score(plan, dataset, &dataset.validation, logits).map_err(|e| device_failure(&e))
    }

    /// Trains on every window once, except those trained on before an interruption. Returns the epoch's
    /// training metrics.
    fn train_epoch(&mut self) -> Result<BTreeMap<String, f64>, TrainError> {
        let count = self.train.windows.len();
        let step_size = self.plan.capacity * self.plan.settings.accumulate;
        let order = shuffled(count, self.trial.seed, self.progress.history.len() as u64);
        let steps_per_epoch = count.div_ceil(step_size);
        let (mut starts, mut targets) = (Vec::with_capacity(step_size), Vec::with_capacity(step_size));
        for step in order.chunks(step_size).skip(self.progress.steps) {
            if self.reporter.interrupted() {
                return Err(ObjectiveError::Interrupted.into());
            }
            let factor = rate_factor(&self.plan.settings, steps_per_epoch, self.trainee.count().steps);
            let rate = self.plan.hyperparameters.learning_rate * factor;
            let largest_norm = self.progress.largest_norm;
            let (windows, preparation) = (&self.train.windows, &self.dataset.preparation);
            targets.clear();
            targets.extend(step.iter().map(|&i| scaled(windows[i].target, preparation)));
            starts.clear();
            starts.extend(step.iter().map(|&i| windows[i].last + 1 - self.plan.geometry.context));
            let report = self
                .trainee
                .step(&starts, &targets, rate, self.plan.settings.gradient_clip)
                .map_err(|e| step_failure(&e, largest_norm))?;
            self.progress.steps += 1;
            self.progress.loss += report.loss * step.len() as f64;
            self.progress.largest_norm = largest_norm.max(report.gradient_norm);
            self.save_if_due()?;
        }
        Ok(BTreeMap::from([
            ("train_loss".into(), self.progress.loss / count as f64),
            ("gradient_norm".into(), self.progress.largest_norm),
        ]))
    }
}

/// Returns a metric that the trial requires.
fn required_metric(metrics: &BTreeMap<String, f64>, monitor: Monitor) -> Result<f64, ObjectiveError> {
    let name = monitor.as_str();
    metrics.get(name).copied().ok_or_else(|| {
        let reason = if monitor == Monitor::Auc {
            "the validation part has only one class, so its AUC is undefined".to_owned()
        } else {
            format!("`{name}` is undefined on the validation part")
        };
        failed(&reason, String::new())
    })
}

fn check_signal(signal: Signal) -> Result<(), ObjectiveError> {
    match signal {
        Signal::Continue => Ok(()),
        Signal::Prune => Err(ObjectiveError::Pruned(Box::default())),
        Signal::Interrupt => Err(ObjectiveError::Interrupted),
    }
}

pub(crate) fn failed(reason: &str, detail: String) -> ObjectiveError {
    ObjectiveError::Failed(Failure { reason: reason.into(), detail })
}

pub(crate) fn device_failure(error: &DeviceError) -> ObjectiveError {
    failed("the device failed", error.to_string())
}

fn lost(error: &std::io::Error) -> ObjectiveError {
    failed("the weights of the best epoch cannot be read from the disk", error.to_string())
}

fn step_failure(error: &StepError, largest_norm: f64) -> ObjectiveError {
    match error {
        StepError::Diverged(error) => diverged(error, largest_norm),
        StepError::Device(error) => device_failure(error),
    }
}

fn diverged(error: &Diverged, largest_norm: f64) -> ObjectiveError {
    let first = error.first_layer.map_or_else(String::new, |layer| format!(", first after {layer}"));
    failed(
        &format!("diverged: {error}"),
        format!(
            "largest activation {:e}, {} activations not finite{first}; largest gradient norm of the \
             epoch's earlier steps {largest_norm:e}; a lower learning rate, gradient clipping or warm-up may \
             help",
            error.largest_activation, error.not_finite
        ),
    )
}
