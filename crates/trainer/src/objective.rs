//! The built-in objective: one configuration trained on the training part, scored on the validation part.

use std::collections::BTreeMap;

use allometry_core::ladder::ModelSpec;
use allometry_core::{
    EpochReport, Failure, ModelSize, Objective, ObjectiveError, ObjectiveOutcome, Params, Reporter, Signal,
    TrialSpec, ValidationScores,
};

use crate::batch::shuffled;
use crate::data::{Dataset, Part};
use crate::hyperparameters::Hyperparameters;
use crate::learner::{Diverged, Learner};
use crate::memory;
use crate::metric;
use crate::model::{ArchitectureError, Cost, Geometry, bce_with_logits, cost, probability};
use crate::schedule::rate_factor;
use crate::stopping::{Progress, Stopping};

/// Trains a `PatchTST` classifier on the CPU, one thread per trial. The value is the best validation AUC.
#[derive(Debug)]
pub struct PatchTstObjective<'a> {
    dataset: &'a Dataset,
    spec: ModelSpec,
    geometry: Geometry,
}

/// A trained model, with its best epoch's weights.
#[derive(Debug)]
pub struct Fitted {
    /// What the trial gives.
    pub outcome: ObjectiveOutcome,
    learner: Learner,
}

impl<'a> PatchTstObjective<'a> {
    /// An objective over a data set.
    ///
    /// # Errors
    /// [`ArchitectureError`] where no patch fits into a window or there are no features.
    pub fn new(dataset: &'a Dataset, spec: ModelSpec) -> Result<Self, ArchitectureError> {
        let geometry = Geometry::new(dataset.features(), &spec)?;
        Ok(Self { dataset, spec, geometry })
    }

    /// What training a configuration takes.
    ///
    /// # Errors
    /// [`ArchitectureError`] for parameters that are no model.
    pub fn cost(&self, params: &Params) -> Result<Cost, ArchitectureError> {
        let architecture = Hyperparameters::from_params(params)?.architecture;
        let windows = [self.dataset.train.windows.len(), self.dataset.validation.windows.len()];
        Ok(cost(architecture, self.geometry, self.spec.batch_size, windows))
    }

    /// Trains one trial and keeps the model.
    ///
    /// # Errors
    /// [`ObjectiveError`] when there is no value to tell.
    pub fn fit(&self, trial: &TrialSpec, reporter: &dyn Reporter) -> Result<Fitted, ObjectiveError> {
        let hyperparameters = Hyperparameters::from_params(&trial.params).map_err(|e| invalid(&e))?;
        self.check_memory(&trial.params)?;
        let (train, validation) = (&self.dataset.train, &self.dataset.validation);
        if train.windows.is_empty() || validation.windows.is_empty() {
            return Err(failed("the training or the validation part has no windows", String::new()));
        }
        let counts = train.counts();
        let prior = counts.positives as f64 / train.windows.len() as f64;
        let capacity = self.spec.batch_size.clamp(1, train.windows.len());
        let mut learner =
            Learner::new(hyperparameters, self.geometry, self.spec.normalize, capacity, trial.seed);
        let size = hyperparameters.architecture.model_size(self.geometry);
        let mut stopping = Stopping::new(self.spec.patience, self.spec.minimum_gain);
        let mut best: Option<(Vec<f32>, ObjectiveOutcome)> = None;
        for epoch in 0..self.spec.epochs {
            let mut metrics =
                self.train_epoch(&mut learner, hyperparameters, trial, epoch as u64, reporter)?;
            let (scores, loss) = score(&mut learner, self.dataset, validation);
            metrics.insert("validation_loss".into(), loss);
            metrics.extend(metric::evaluate(&scores.labels, &scores.scores, prior));
            let Some(&value) = metrics.get("auc") else {
                return Err(failed(
                    "the validation part has only one class, so that its AUC is undefined",
                    String::new(),
                ));
            };
            let step = epoch as i64 + 1;
            if stopping.observe(value) == Progress::Best {
                let outcome = ObjectiveOutcome {
                    value,
                    best_step: Some(step),
                    metrics: metrics.clone(),
                    size: Some(size),
                    scores: Some(scores),
                };
                match &mut best {
                    Some((weights, kept)) => {
                        weights.copy_from_slice(learner.weights());
                        *kept = outcome;
                    }
                    None => best = Some((learner.weights().to_vec(), outcome)),
                }
            }
            match reporter.report(&EpochReport { step, value, metrics }) {
                Signal::Continue => {}
                Signal::Prune => return Err(ObjectiveError::Pruned),
                Signal::Interrupt => return Err(ObjectiveError::Interrupted),
            }
            if stopping.is_over() {
                break;
            }
        }
        let (weights, outcome) =
            best.ok_or_else(|| failed("no epoch was trained: `epochs` is 0", String::new()))?;
        learner.set_weights(&weights);
        Ok(Fitted { outcome, learner })
    }

    /// Trains on every window once; returns the epoch's training figures.
    fn train_epoch(
        &self,
        learner: &mut Learner,
        hyperparameters: Hyperparameters,
        trial: &TrialSpec,
        epoch: u64,
        reporter: &dyn Reporter,
    ) -> Result<BTreeMap<String, f64>, ObjectiveError> {
        let windows = &self.dataset.train.windows;
        let batch_size = learner.capacity();
        let order = shuffled(windows.len(), trial.seed, epoch);
        let mut labels = Vec::with_capacity(batch_size);
        let (mut loss, mut largest_norm) = (0.0, 0.0f64);
        for batch in order.chunks(batch_size) {
            if reporter.interrupted() {
                return Err(ObjectiveError::Interrupted);
            }
            labels.clear();
            labels.extend(batch.iter().map(|&i| windows[i].label));
            let steps_per_epoch = windows.len().div_ceil(batch_size);
            let rate =
                hyperparameters.learning_rate * rate_factor(&self.spec, steps_per_epoch, learner.steps());
            let report = learner
                .step(
                    batch.iter().map(|&i| self.dataset.window(windows[i])),
                    &labels,
                    rate,
                    self.spec.gradient_clip,
                )
                .map_err(|e| diverged(&e, largest_norm))?;
            loss += report.loss * batch.len() as f64;
            largest_norm = largest_norm.max(report.gradient_norm);
        }
        Ok(BTreeMap::from([
            ("train_loss".into(), loss / windows.len() as f64),
            ("gradient_norm".into(), largest_norm),
        ]))
    }

    fn check_memory(&self, params: &Params) -> Result<(), ObjectiveError> {
        let needed = self.cost(params).map_err(|e| invalid(&e))?.memory_bytes;
        match memory::available() {
            Some(available) if needed > available => Err(failed(
                "the trial does not fit into memory",
                format!("it needs {} MiB, available are {} MiB", needed >> 20, available >> 20),
            )),
            _ => Ok(()),
        }
    }
}

impl Objective for PatchTstObjective<'_> {
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        self.fit(trial, reporter).map(|fitted| fitted.outcome)
    }

    fn model_size(&self, params: &Params) -> Option<ModelSize> {
        let architecture = Hyperparameters::from_params(params).ok()?.architecture;
        Some(architecture.model_size(self.geometry))
    }
}

impl Fitted {
    /// Predictions for the windows of a part, such as the test part, by the best epoch's weights.
    pub fn score(&mut self, dataset: &Dataset, part: &Part) -> ValidationScores {
        score(&mut self.learner, dataset, part).0
    }
}

/// Predictions for a part, and their mean loss.
fn score(learner: &mut Learner, dataset: &Dataset, part: &Part) -> (ValidationScores, f64) {
    let mut scores = Vec::with_capacity(part.windows.len());
    let mut unused = vec![0.0; learner.capacity()];
    let labels: Vec<bool> = part.windows.iter().map(|w| w.label).collect();
    let mut loss = 0.0;
    for (windows, labels) in part.windows.chunks(learner.capacity()).zip(labels.chunks(learner.capacity())) {
        let logits = learner.logits(windows.iter().map(|&w| dataset.window(w)));
        loss += bce_with_logits(logits, labels, &mut unused) * labels.len() as f64;
        scores.extend(logits.iter().map(|&z| probability(f64::from(z)) as f32));
    }
    let rows = part.windows.iter().map(|w| w.row).collect();
    let loss = loss / labels.len() as f64;
    (ValidationScores { rows, labels, scores }, loss)
}

fn failed(reason: &str, detail: String) -> ObjectiveError {
    ObjectiveError::Failed(Failure { reason: reason.into(), detail })
}

fn invalid(error: &ArchitectureError) -> ObjectiveError {
    ObjectiveError::Failed(Failure { reason: error.to_string(), detail: error.hint().unwrap_or_default() })
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
