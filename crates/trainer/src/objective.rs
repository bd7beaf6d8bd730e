//! The built-in objective: trains one configuration on the training part and scores it on the validation
//! part.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use allometry_core::{
    Constraints, Failure, ModelSize, Objective, ObjectiveError, ObjectiveOutcome, Params, Precision,
    Predictions, Reporter, Retraining, RowCount, TrainingCost, TrialSpec, ValidationScores,
};
use allometry_ladder::{ModelSpec, Normalize, ScoredPart};

use crate::calibration::{self, Calibration, CalibrationError, CalibrationMethod};
use crate::checkpoint::{Checkpoint, CheckpointError, Description, Reader, check_writable};
use crate::data::{Dataset, SplitPart};
use crate::device::{Device, Plan};
use crate::explain::Explainer;
use crate::kernel::InstructionSet;
use crate::kernel::precision_here;
use crate::kernel::product::Products;
use crate::memory;
use crate::model::{ArchitectureError, Cost, cost};
use crate::network::Network;
use crate::scoring::{Scored, outputs, predictions, score};
use crate::settings::TrialSettings;
use crate::training::{TrainError, Trained, Training, device_failure, failed};

/// Objective that trains a `PatchTST` model, on a device or on the CPU with one thread per trial.
///
/// The value is the AUC of the validation part, or R2 for numbers, after the epoch that is best by the
/// metric that the ladder monitors.
#[derive(Debug)]
pub struct PatchTstObjective<'a> {
    dataset: &'a Dataset,
    /// Data set without scaling, for trials whose own `normalize` is not that of `dataset`.
    unscaled: Option<&'a Dataset>,
    /// Settings of the ladder; a trial has its own values of those that are searched.
    ladder: ModelSpec,
    checkpoints: Option<PathBuf>,
    judge: Judge,
    device: Option<Arc<dyn Device>>,
}

/// The rows that judge a trial. Epochs are chosen by the validation part in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    /// The validation part.
    Validation,
    /// The test part, for a confirmation.
    Test,
    /// The era of a fold, which is the test part of its data set.
    Era,
}

/// A trained model with the weights of its best epoch.
#[derive(Debug)]
pub struct Fitted {
    /// Outcome of the trial.
    pub outcome: ObjectiveOutcome,
    /// Whether the training had finished before, so that the checkpoint was only read.
    pub had_finished: bool,
    weights: Vec<f32>,
    settings: TrialSettings,
    capacity: usize,
    class_weights: Vec<f64>,
}

/// A fitted calibration, and what it changes for rows that did not fit it.
#[derive(Debug)]
pub struct Calibrated {
    /// The calibration.
    pub calibration: Calibration,
    /// Number of validation rows on which it was fitted.
    pub rows: usize,
    /// Predictions for the test part, without and with the calibration.
    pub test: [Predictions; 2],
}

/// Reason why a checkpoint got no calibration.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The probabilities cannot be calibrated.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// The checkpoint cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl<'a> PatchTstObjective<'a> {
    /// Creates an objective over a data set, which was cut for the longest context of a trial. Shorter ones
    /// are the last rows of its windows. The precision `auto` becomes the fastest of this machine.
    ///
    /// # Errors
    /// [`ArchitectureError`] if there are no features.
    pub fn new(dataset: &'a Dataset, mut ladder: ModelSpec) -> Result<Self, ArchitectureError> {
        ladder.precision = precision_here(ladder.precision);
        if dataset.features() == 0 {
            return Err(ArchitectureError::NoFeatures);
        }
        Ok(Self {
            dataset,
            unscaled: None,
            ladder,
            checkpoints: None,
            judge: Judge::Validation,
            device: None,
        })
    }

    /// Trains trials whose own `normalize` is not `standard` on the data set without scaling.
    #[must_use]
    pub fn with_unscaled(mut self, dataset: &'a Dataset) -> Self {
        self.unscaled = Some(dataset);
        self
    }

    /// Trains on a device.
    #[must_use]
    pub fn on(mut self, device: Arc<dyn Device>) -> Self {
        self.device = Some(device);
        self
    }

    /// Returns the device, or `None` for the CPU.
    pub fn device(&self) -> Option<&dyn Device> {
        self.device.as_deref()
    }

    /// Returns the precision of matrix products and the instructions that compute them; `None` on a device
    /// other than the processor.
    pub fn products(&self) -> Option<(Precision, InstructionSet)> {
        let precision = self.ladder.precision;
        self.device.is_none().then(|| (precision, Products::instructions(precision)))
    }

    /// Saves interrupted trials in `folder`, so that they can be resumed.
    #[must_use]
    pub fn with_checkpoints(mut self, folder: PathBuf) -> Self {
        self.checkpoints = Some(folder);
        self
    }

    /// Scores trials on the test part, which is used for nothing else: epochs are still chosen by the
    /// validation part.
    ///
    /// The value and the predictions are then those of test rows, whose metrics are named `test_*`, and the
    /// value on the validation part becomes the metric [`Retraining::VALIDATION`].
    #[must_use]
    pub fn confirming(mut self) -> Self {
        self.judge = Judge::Test;
        self
    }

    /// Scores trials on the era of a fold. The metrics have the names of those of validation rows.
    pub(crate) fn judged_by_era(mut self) -> Self {
        self.judge = Judge::Era;
        self
    }

    /// Returns the folder of the files of interrupted trials of a trial's study, if they are saved.
    pub(crate) fn files(&self, trial: &TrialSpec) -> Option<PathBuf> {
        let folder = self.checkpoints.as_ref()?;
        Some(folder.join(&trial.budget.label).join(trial.study.folder()))
    }

    /// Returns the bytes of memory available to trials, if the system reports them.
    pub fn available_memory() -> Option<u64> {
        memory::available()
    }

    /// Returns the number of training windows, or of those in a part of them.
    pub fn train_windows(&self, rows: Option<RowCount>) -> usize {
        let all = self.dataset.train.windows.len();
        rows.map_or(all, |rows| rows.of(all))
    }

    /// Returns the cost of training a configuration on a number of training rows; all where it is `None`.
    ///
    /// # Errors
    /// [`ArchitectureError`] for parameters that do not define a model.
    pub fn cost(&self, params: &Params, rows: Option<RowCount>) -> Result<Cost, ArchitectureError> {
        let TrialSettings { hyperparameters, geometry, model } = self.settings(params)?;
        let windows = [self.train_windows(rows), self.dataset.validation.windows.len()];
        Ok(cost(hyperparameters.architecture, geometry, &model, windows))
    }

    /// Returns the settings of a trial with these parameters.
    ///
    /// # Errors
    /// [`ArchitectureError`] for parameters that do not define a model.
    pub fn settings(&self, params: &Params) -> Result<TrialSettings, ArchitectureError> {
        let (inputs, classes) = (self.dataset.inputs()?, self.dataset.preparation.classes);
        let settings = TrialSettings::new(params, &self.ladder, inputs, classes)?;
        let (context, longest) = (settings.geometry.context, self.dataset.context);
        if context > longest {
            return Err(ArchitectureError::LongContext { context, longest });
        }
        Ok(settings)
    }

    /// Returns the data set as a trial scales it.
    fn scaled_for(&self, model: &ModelSpec) -> &'a Dataset {
        match (model.normalize, self.unscaled) {
            (Normalize::Revin | Normalize::None, Some(unscaled)) => unscaled,
            _ => self.dataset,
        }
    }

    /// Returns the description of a trial's checkpoint before the training begins.
    pub(crate) fn description(&self, trial: &TrialSpec) -> Result<Description, ObjectiveError> {
        let TrialSettings { model, .. } = self.settings(&trial.params).map_err(|e| invalid(&e))?;
        Ok(Description::new(trial, &model, self.scaled_for(&model)))
    }

    /// Trains one trial and returns the model.
    ///
    /// # Errors
    /// [`ObjectiveError`] if the trial has no value.
    pub fn fit(&self, trial: &TrialSpec, reporter: &dyn Reporter) -> Result<Fitted, ObjectiveError> {
        let training = self.begin(trial, reporter)?;
        let plan = training.plan.clone();
        match training.finish() {
            Ok(trained) => Ok(self.fitted(&plan, trained)),
            Err(TrainError::Objective(error)) => Err(error),
            Err(TrainError::Checkpoint(_)) => unreachable!("no checkpoints are written"),
        }
    }

    /// Trains one trial with a checkpoint at `path` and resumes it from there if it was interrupted.
    ///
    /// If the checkpoint shows that the trial has ended, it is only read. With `restart` an existing file is
    /// ignored and replaced.
    ///
    /// # Errors
    /// [`CheckpointError`] for a file that cannot be read, belongs to another trial, or cannot be written;
    /// [`ObjectiveError`] if the trial has no value. An interrupted trial is saved before the error is
    /// returned.
    pub fn fit_with_checkpoint(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
        path: &Path,
        restart: bool,
    ) -> Result<Fitted, TrainError> {
        let description = self.description(trial)?;
        let mut old = match Reader::open(path) {
            _ if restart => None,
            Err(CheckpointError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                None
            }
            opened => Some(opened?),
        };
        if let Some(old) = &old {
            let differences = old.description.differences(&description);
            if !differences.is_empty() {
                return Err(CheckpointError::Differs { path: path.to_owned(), differences }.into());
            }
        }
        check_writable(path)?;
        let mut training = self.begin(trial, reporter)?.saving(path, description, true);
        let plan = training.plan.clone();
        if let Some(old) = &mut old {
            match (&old.description.progress, old.description.best.clone()) {
                (None, Some(epoch)) => {
                    let fitted = self.fitted(&plan, training.restore_ended(old, epoch)?);
                    return Ok(Fitted { had_finished: true, ..fitted });
                }
                _ => training.resume(old)?,
            }
        }
        Ok(self.fitted(&plan, training.finish()?))
    }

    /// Fits a calibration of a trained model on the validation part, keeps it in the checkpoint at `path`,
    /// and returns it with the predictions for the test part.
    ///
    /// # Errors
    /// [`CalibrateError`] if the probabilities cannot be calibrated or the checkpoint not be written.
    pub fn calibrate(
        &self,
        fitted: &Fitted,
        method: CalibrationMethod,
        path: &Path,
    ) -> Result<Calibrated, CalibrateError> {
        let model = &fitted.settings.model;
        method.check(model.task)?;
        let dataset = self.scaled_for(model);
        let preparation = &dataset.preparation;
        let validation = &dataset.validation;
        let targets: Vec<f32> = validation.windows.iter().map(|window| window.target).collect();
        let logits = fitted.logits(dataset, validation);
        let calibration = calibration::fit(method, &logits, &targets, preparation.classes)?;
        Checkpoint::load(path)?.calibrate(path, Some(calibration.clone()))?;
        let logits = fitted.logits(dataset, &dataset.test);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        outputs(&logits, model.task, preparation, &mut before);
        calibration.apply(&logits, preparation.classes, &mut after);
        let test = [before, after].map(|outputs| predictions(model.task, &dataset.test, outputs));
        Ok(Calibrated { calibration, rows: targets.len(), test })
    }

    /// Prepares a checkpoint's model, read from `path`, for permutations of its inputs on a part of the rows.
    ///
    /// # Errors
    /// [`CheckpointError`] if it holds no model or was trained on other data.
    pub fn explainer<'c>(
        &self,
        path: &Path,
        checkpoint: &'c Checkpoint,
        part: ScoredPart,
    ) -> Result<Explainer<'c>, CheckpointError>
    where
        'a: 'c,
    {
        let dataset = self.scaled_for(&checkpoint.description.model);
        let part = match part {
            ScoredPart::Validation => &dataset.validation,
            ScoredPart::Test => &dataset.test,
        };
        Explainer::new(path, checkpoint, dataset, part)
    }

    /// Removes the calibration from a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`] if the file cannot be read or written.
    pub fn remove_calibration(path: &Path) -> Result<(), CheckpointError> {
        Checkpoint::load(path)?.calibrate(path, None)
    }

    fn train_part(&self, trial: &TrialSpec) -> Cow<'a, SplitPart> {
        self.dataset.train_part(trial.budget.train.as_ref().map(|part| part.rows))
    }

    fn begin<'t>(
        &'t self,
        trial: &'t TrialSpec,
        reporter: &'t dyn Reporter,
    ) -> Result<Training<'t>, ObjectiveError> {
        let TrialSettings { hyperparameters, geometry, model } =
            self.settings(&trial.params).map_err(|e| invalid(&e))?;
        self.check_memory(trial)?;
        let dataset = self.scaled_for(&model);
        let train = self.train_part(trial);
        let validation = &dataset.validation;
        if train.windows.is_empty() || validation.windows.is_empty() {
            return Err(failed("the training or the validation part has no windows", String::new()));
        }
        if let Some(leak) = dataset.leak() {
            return Err(failed("the parts of the data share rows", leak));
        }
        let weights = hyperparameters.architecture.model_size(geometry).total;
        let capacity = model.batch_size(weights).clamp(1, train.windows.len());
        let plan = Plan {
            hyperparameters,
            geometry,
            settings: model,
            capacity,
            seed: trial.seed,
            series: &dataset.values,
            class_weights: train.class_weights(dataset.preparation.classes),
        };
        let trainee = match &self.device {
            None => plan.on_cpu(),
            Some(device) => device.open(&plan).map_err(|e| device_failure(&e))?,
        };
        Ok(Training::new(dataset, train, trial, reporter, plan, trainee))
    }

    /// Returns the outcome of a fitted trial, on the part that the objective scores.
    fn scored_outcome(&self, trial: &TrialSpec, fitted: Fitted) -> Result<ObjectiveOutcome, ObjectiveError> {
        if self.judge == Judge::Validation {
            return Ok(fitted.outcome);
        }
        let dataset = self.scaled_for(&fitted.settings.model);
        let scored = fitted.scored(dataset, &dataset.test);
        let mut outcome = fitted.outcome;
        let train = self.train_part(trial);
        let metrics = scored.metrics(train.prior());
        let name = self.ladder.task.metric().as_str();
        let value = metrics.get(name).copied();
        let rows = if self.judge == Judge::Era { "the era" } else { "the test part" };
        let undefined = || failed(&format!("`{name}` is undefined on {rows}"), String::new());
        if self.judge == Judge::Era {
            outcome.metrics.extend(metrics);
            outcome.metrics.extend(scored.of_epoch(&train));
        } else {
            outcome.metrics.insert(Retraining::VALIDATION.into(), outcome.value());
            outcome.metrics.extend(metrics.into_iter().map(|(name, value)| (format!("test_{name}"), value)));
        }
        outcome.values = vec![value.ok_or_else(undefined)?];
        outcome.predictions = Some(scored.into_predictions());
        Ok(outcome)
    }

    fn check_memory(&self, trial: &TrialSpec) -> Result<(), ObjectiveError> {
        if self.device.is_some() {
            // A device has its own memory.
            return Ok(());
        }
        let rows = trial.budget.train.as_ref().map(|part| part.rows);
        let needed = self.cost(&trial.params, rows).map_err(|e| invalid(&e))?.memory_bytes;
        match memory::available() {
            Some(available) if needed > available => Err(failed(
                "the trial does not fit into memory",
                format!("it needs {} MiB, but only {} MiB are available", needed >> 20, available >> 20),
            )),
            _ => Ok(()),
        }
    }

    fn fitted(&self, plan: &Plan<'_>, trained: Trained) -> Fitted {
        let Trained { epoch, weights, predictions, epochs, windows } = trained;
        let architecture = plan.hyperparameters.architecture;
        let per_epoch = cost(architecture, plan.geometry, &plan.settings, [windows, 0]).flops_per_epoch;
        let cost = TrainingCost {
            train_rows: Some(windows as u64),
            tokens: epochs.map(|epochs| epochs * windows as u64),
            flops: epochs.map(|epochs| epochs as f64 * per_epoch as f64),
            seconds: None,
            precision: self.products().map(|(precision, _)| precision),
        };
        let outcome = ObjectiveOutcome {
            constraints: Constraints::default(),
            values: vec![epoch.value],
            best_step: Some(epoch.step),
            metrics: epoch.metrics,
            size: Some(architecture.model_size(plan.geometry)),
            predictions: Some(predictions),
            cost,
            checkpoint: None,
        };
        Fitted {
            outcome,
            had_finished: false,
            weights,
            settings: TrialSettings {
                hyperparameters: plan.hyperparameters,
                geometry: plan.geometry,
                model: plan.settings.clone(),
            },
            capacity: plan.capacity,
            class_weights: plan.class_weights.clone(),
        }
    }

    /// Evaluates a trial with a checkpoint that only saves time: if it cannot be read or written or belongs
    /// to another trial, the trial is trained without it.
    fn evaluate_at(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
        path: &Path,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        let begin = || -> Result<Training<'_>, ObjectiveError> {
            let description = self.description(trial)?;
            Ok(self.begin(trial, reporter)?.saving(path, description, false))
        };
        let mut training = begin()?;
        if let Ok(mut old) = Reader::open(path)
            && training.is_of(&old.description)
        {
            match training.resume(&mut old) {
                Err(TrainError::Checkpoint(_)) => {
                    drop(training);
                    training = begin()?;
                }
                Err(TrainError::Objective(error)) => return Err(error),
                Ok(()) => {}
            }
        }
        let plan = training.plan.clone();
        let outcome = match training.finish() {
            Ok(trained) => self.scored_outcome(trial, self.fitted(&plan, trained)),
            Err(TrainError::Objective(error)) => Err(error),
            Err(TrainError::Checkpoint(_)) => unreachable!("these checkpoints are not essential"),
        };
        if !matches!(outcome, Err(ObjectiveError::Interrupted)) {
            // A leftover file is useless but harmless.
            let _ = std::fs::remove_file(path);
            // Fails, as intended, while other trials of the study have files in the folder.
            let _ = path.parent().map(std::fs::remove_dir);
        }
        outcome
    }
}

impl Objective for PatchTstObjective<'_> {
    fn evaluate(
        &self,
        trial: &TrialSpec,
        reporter: &dyn Reporter,
    ) -> Result<ObjectiveOutcome, ObjectiveError> {
        match self.files(trial) {
            None => self.fit(trial, reporter).and_then(|fitted| self.scored_outcome(trial, fitted)),
            Some(folder) => {
                let file = format!("{:016x}.safetensors", trial.seed);
                self.evaluate_at(trial, reporter, &folder.join(file))
            }
        }
    }

    fn model_size(&self, params: &Params) -> Option<ModelSize> {
        let settings = self.settings(params).ok()?;
        Some(settings.architecture().model_size(settings.geometry))
    }
}

impl Fitted {
    /// Returns the predictions for the windows of a part, such as the test part, with the best epoch's
    /// weights. The result is `None` if the label is not binary.
    pub fn score(&self, dataset: &Dataset, part: &SplitPart) -> Option<ValidationScores> {
        match self.scored(dataset, part).into_predictions() {
            Predictions::Binary(scores) => Some(scores),
            Predictions::Other(_) => None,
        }
    }

    /// Returns the logits for the windows of a part with the best epoch's weights, by the CPU.
    fn logits(&self, dataset: &Dataset, part: &SplitPart) -> Vec<f32> {
        let TrialSettings { hyperparameters, geometry, ref model } = self.settings;
        let (capacity, architecture) = (self.capacity, hyperparameters.architecture);
        let mut network = Network::new(architecture, geometry, model, capacity, self.weights.clone());
        let starts: Vec<usize> = part.windows.iter().map(|w| w.last + 1 - geometry.context).collect();
        let mut logits = Vec::with_capacity(starts.len() * network.outputs());
        for starts in starts.chunks(capacity) {
            logits.extend_from_slice(network.series_logits(&dataset.values, starts));
        }
        logits
    }

    fn scored(&self, dataset: &Dataset, part: &SplitPart) -> Scored {
        let TrialSettings { hyperparameters, geometry, ref model } = self.settings;
        let (capacity, series, architecture) =
            (self.capacity, &dataset.values[..], hyperparameters.architecture);
        let mut network = Network::new(architecture, geometry, model, capacity, self.weights.clone());
        let (settings, class_weights) = (model.clone(), self.class_weights.clone());
        let plan = Plan { hyperparameters, geometry, settings, capacity, seed: 0, series, class_weights };
        let scored = score(&plan, dataset, part, |starts, to| {
            to.extend_from_slice(network.series_logits(series, starts));
            Ok(())
        });
        scored.expect("the CPU does not fail")
    }
}

fn invalid(error: &ArchitectureError) -> ObjectiveError {
    ObjectiveError::Failed(Failure { reason: error.to_string(), detail: error.hint().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use allometry_core::{EpochReport, Signal, SizeBudget, StudyIdentity, TrialNumber};

    use super::*;
    use crate::data::{Preparation, Window};

    struct SilentReporter;

    impl Reporter for SilentReporter {
        fn report(&self, _: &EpochReport) -> Signal {
            Signal::Continue
        }

        fn interrupted(&self) -> bool {
            false
        }
    }

    fn alternating(windows: std::ops::Range<usize>) -> SplitPart {
        let window = |last: usize| Window { last, row: last as u64, target: (last % 2) as f32 };
        SplitPart { windows: windows.map(window).collect() }
    }

    #[test]
    fn a_checkpoint_written_on_the_way_leaves_no_trace_in_the_finished_one() {
        let dataset = Dataset {
            panel: None,
            feature_names: vec!["x".into()],
            values: (0..80).map(|row| (row as f32).sin()).collect(),
            context: 8,
            targets: Vec::new(),
            train: alternating(7..40),
            validation: alternating(48..60),
            test: alternating(68..80),
            preparation: Preparation::default(),
        };
        let spec = ModelSpec { epochs: 3, patience: 3, ..ModelSpec::new(8, 4, 4) };
        let mut params: Params = [("d_model", 4i64), ("n_layers", 1), ("n_heads", 1)].into_iter().collect();
        params.insert("learning_rate", 1e-3);
        let budget = SizeBudget::nominal("tiny");
        let (number, first_attempt) = (TrialNumber(0), TrialNumber(0));
        let trial =
            TrialSpec { study: StudyIdentity::default(), budget, number, first_attempt, params, seed: 3 };
        let objective = PatchTstObjective::new(&dataset, spec.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let paths = ["at-once", "on-the-way"].map(|name| folder.path().join(name));
        for (path, each) in paths.iter().zip([false, true]) {
            let description = Description::new(&trial, &spec, &dataset);
            let training = objective.begin(&trial, &SilentReporter).unwrap().saving(path, description, true);
            let training = if each { training.saving_each_step() } else { training };
            training.finish().unwrap();
        }
        Checkpoint::load(&paths[1]).unwrap();
        let [at_once, on_the_way] = paths.map(|path| std::fs::read(path).unwrap());
        assert!(at_once == on_the_way, "the same bytes");
    }
}
