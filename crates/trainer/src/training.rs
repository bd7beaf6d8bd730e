//! One trial's training: epoch after epoch, from its start or from a checkpoint, to the same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use allometry_core::ladder::ModelSpec;
use allometry_core::{EpochReport, Failure, ObjectiveError, Reporter, Signal, TrialSpec, ValidationScores};

use crate::batch::shuffled;
use crate::checkpoint::{Checkpoint, CheckpointError, Description, Epoch, Progress, save};
use crate::data::{Dataset, Part};
use crate::hyperparameters::Hyperparameters;
use crate::learner::{Diverged, Learner};
use crate::metric;
use crate::model::{bce_with_logits, probability};
use crate::network::Network;
use crate::schedule::rate_factor;
use crate::stopping;

/// A checkpoint is written at most this often while training goes on, so that it costs little.
const SAVE_INTERVAL: Duration = Duration::from_secs(30);

/// Why training gave no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The trial has no value.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// Its checkpoint cannot be written or gone on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A training between two batches.
pub(crate) struct Training<'a> {
    pub(crate) dataset: &'a Dataset,
    pub(crate) spec: &'a ModelSpec,
    pub(crate) trial: &'a TrialSpec,
    pub(crate) reporter: &'a dyn Reporter,
    pub(crate) hyperparameters: Hyperparameters,
    pub(crate) learner: Learner,
    progress: Progress,
    best: Option<Best>,
    /// Where checkpoints go, if anywhere.
    saver: Option<Saver<'a>>,
}

/// The epoch whose weights are kept.
pub(crate) struct Best {
    pub(crate) epoch: Epoch,
    pub(crate) weights: Vec<f32>,
    pub(crate) scores: ValidationScores,
}

struct Saver<'a> {
    path: &'a Path,
    description: Description,
    saved: Instant,
    /// Whether training ends where a checkpoint cannot be written.
    essential: bool,
}

impl<'a> Training<'a> {
    /// A training that has not begun.
    pub(crate) fn new(
        dataset: &'a Dataset,
        spec: &'a ModelSpec,
        trial: &'a TrialSpec,
        reporter: &'a dyn Reporter,
        hyperparameters: Hyperparameters,
        learner: Learner,
    ) -> Self {
        let progress = Progress::new(spec);
        Self { dataset, spec, trial, reporter, hyperparameters, learner, progress, best: None, saver: None }
    }

    /// Writes checkpoints to `path` from now on; that this fails is an error where they are `essential`.
    #[must_use]
    pub(crate) fn saving(mut self, path: &'a Path, description: Description, essential: bool) -> Self {
        self.saver = Some(Saver { path, description, saved: Instant::now(), essential });
        self
    }

    /// Goes on from a checkpoint of the same trial. Its epochs are reported again, so that whoever listens has them all.
    pub(crate) fn resume(&mut self, checkpoint: Checkpoint) -> Result<(), ObjectiveError> {
        let (Some(progress), Some([weights, first, second])) =
            (checkpoint.description.progress, checkpoint.training)
        else {
            return Ok(());
        };
        if let Some(epoch) = checkpoint.description.best {
            self.learner.set_weights(&checkpoint.weights);
            let scores = score(self.learner.network_mut(), self.dataset, &self.dataset.validation).0;
            self.best = Some(Best { epoch, weights: checkpoint.weights, scores });
        }
        self.learner.restore(&weights, [&first, &second], progress.steps);
        self.progress = progress;
        for epoch in &self.progress.history {
            obey(self.reporter.report(&epoch.into()))?;
        }
        Ok(())
    }

    /// Trains to the end; the learner then has the weights of the best epoch.
    pub(crate) fn finish(mut self) -> Result<(Learner, Best), TrainError> {
        while self.progress.history.len() < self.spec.epochs && !self.progress.stopping.is_over() {
            match self.epoch() {
                Err(ObjectiveError::Interrupted) => {
                    self.save()?;
                    return Err(ObjectiveError::Interrupted.into());
                }
                ended => ended?,
            }
            if self.saver.as_ref().is_some_and(|s| s.saved.elapsed() >= SAVE_INTERVAL) {
                self.save()?;
            }
        }
        let best = self.best.ok_or_else(|| failed("no epoch was trained: `epochs` is 0", String::new()))?;
        self.learner.set_weights(&best.weights);
        if let Some(Saver { path, mut description, essential: true, .. }) = self.saver {
            description.best = Some(best.epoch.clone());
            save(path, &description, &best.weights, None)?;
        }
        Ok((self.learner, best))
    }

    /// Writes a checkpoint to go on from.
    fn save(&mut self) -> Result<(), CheckpointError> {
        let Some(saver) = &mut self.saver else { return Ok(()) };
        self.progress.steps = self.learner.steps();
        saver.description.progress = Some(self.progress.clone());
        saver.description.best = self.best.as_ref().map(|best| best.epoch.clone());
        let [first, second] = self.learner.moments();
        let weights = self.learner.weights();
        let best = self.best.as_ref().map_or(weights, |best| &best.weights);
        saver.saved = Instant::now();
        match save(saver.path, &saver.description, best, Some([weights, first, second])) {
            Err(_) if !saver.essential => Ok(()),
            saved => saved,
        }
    }

    /// One epoch, or what is left of it: training, scores, report.
    fn epoch(&mut self) -> Result<(), ObjectiveError> {
        let mut metrics = self.train_epoch()?;
        let validation = &self.dataset.validation;
        let (scores, loss) = score(self.learner.network_mut(), self.dataset, validation);
        metrics.insert("validation_loss".into(), loss);
        metrics.extend(metric::evaluate(&scores.labels, &scores.scores, self.dataset.prior()));
        let Some(&value) = metrics.get("auc") else {
            return Err(failed(
                "the validation part has only one class, so that its AUC is undefined",
                String::new(),
            ));
        };
        let step = self.progress.history.len() as i64 + 1;
        let report = EpochReport { step, value, metrics };
        let epoch = Epoch::from(&report);
        if self.progress.stopping.observe(value) == stopping::Progress::Best {
            match &mut self.best {
                Some(best) => {
                    best.weights.copy_from_slice(self.learner.weights());
                    (best.epoch, best.scores) = (epoch.clone(), scores);
                }
                None => {
                    let weights = self.learner.weights().to_vec();
                    self.best = Some(Best { epoch: epoch.clone(), weights, scores });
                }
            }
        }
        self.progress.history.push(epoch);
        (self.progress.batches, self.progress.loss, self.progress.largest_norm) = (0, 0.0, 0.0);
        obey(self.reporter.report(&report))
    }

    /// Trains on every window once, less those that were trained on before an interruption; returns the epoch's
    /// training figures.
    fn train_epoch(&mut self) -> Result<BTreeMap<String, f64>, ObjectiveError> {
        let windows = &self.dataset.train.windows;
        let batch_size = self.learner.capacity();
        let order = shuffled(windows.len(), self.trial.seed, self.progress.history.len() as u64);
        let steps_per_epoch = windows.len().div_ceil(batch_size);
        let mut labels = Vec::with_capacity(batch_size);
        for batch in order.chunks(batch_size).skip(self.progress.batches) {
            if self.reporter.interrupted() {
                return Err(ObjectiveError::Interrupted);
            }
            labels.clear();
            labels.extend(batch.iter().map(|&i| windows[i].label));
            let factor = rate_factor(self.spec, steps_per_epoch, self.learner.steps());
            let report = self
                .learner
                .step(
                    batch.iter().map(|&i| self.dataset.window(windows[i])),
                    &labels,
                    self.hyperparameters.learning_rate * factor,
                    self.spec.gradient_clip,
                )
                .map_err(|e| diverged(&e, self.progress.largest_norm))?;
            self.progress.batches += 1;
            self.progress.loss += report.loss * batch.len() as f64;
            self.progress.largest_norm = self.progress.largest_norm.max(report.gradient_norm);
        }
        Ok(BTreeMap::from([
            ("train_loss".into(), self.progress.loss / windows.len() as f64),
            ("gradient_norm".into(), self.progress.largest_norm),
        ]))
    }
}

fn obey(signal: Signal) -> Result<(), ObjectiveError> {
    match signal {
        Signal::Continue => Ok(()),
        Signal::Prune => Err(ObjectiveError::Pruned),
        Signal::Interrupt => Err(ObjectiveError::Interrupted),
    }
}

/// Predictions for a part, and their mean loss.
pub(crate) fn score(network: &mut Network, dataset: &Dataset, part: &Part) -> (ValidationScores, f64) {
    let capacity = network.capacity();
    let mut scores = Vec::with_capacity(part.windows.len());
    let mut unused = vec![0.0; capacity];
    let labels: Vec<bool> = part.windows.iter().map(|w| w.label).collect();
    let mut loss = 0.0;
    for (windows, labels) in part.windows.chunks(capacity).zip(labels.chunks(capacity)) {
        let logits = network.logits(windows.iter().map(|&w| dataset.window(w)));
        loss += bce_with_logits(logits, labels, &mut unused) * labels.len() as f64;
        scores.extend(logits.iter().map(|&z| probability(f64::from(z)) as f32));
    }
    let rows = part.windows.iter().map(|w| w.row).collect();
    let loss = loss / labels.len() as f64;
    (ValidationScores { rows, labels, scores }, loss)
}

pub(crate) fn failed(reason: &str, detail: String) -> ObjectiveError {
    ObjectiveError::Failed(Failure { reason: reason.into(), detail })
}

fn diverged(error: &Diverged, largest_norm: f64) -> ObjectiveError {
    failed(
        &format!("diverged: {error}"),
        format!(
            "largest activation {:e}, {} activations not finite; largest gradient norm before it in the epoch \
             {largest_norm:e}; a lower learning rate, gradient clipping or warm-up may help",
            error.largest_activation, error.not_finite
        ),
    )
}
