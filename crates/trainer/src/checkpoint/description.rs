//! Description of a checkpoint, stored as JSON beside its tensors.

use std::collections::BTreeMap;

use allometry_core::{EpochReport, Params, TrialSpec};
use allometry_ladder::ModelSpec;
use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::data::{Dataset, Preparation, SplitPart};
use crate::hyperparameters::Hyperparameters;
use crate::learner::Count;
use crate::model::{ArchitectureError, Geometry};
use crate::stopping::Stopping;

/// Name and version of the format of models that programs from before the second version apply as well.
pub const SCHEMA: &str = "allometry.checkpoint/1";

/// Name and version of the format of models with a calibration or with learned vectors of categories, which
/// those programs would leave out.
pub const SCHEMA_2: &str = "allometry.checkpoint/2";

/// Description of a checkpoint, sufficient to rebuild the model, to prepare a table for it, and to continue
/// training.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    /// Name and version of the format, [`SCHEMA`] or [`SCHEMA_2`].
    pub schema: String,
    /// Version of the program that wrote the checkpoint.
    pub program: String,
    /// Label of the size budget.
    pub budget: String,
    /// Configuration of the trial.
    pub params: Params,
    /// Seed of everything random in the training.
    pub seed: u64,
    /// Settings of the trial: those of the ladder's table `[model]`, with its own values.
    pub model: ModelSpec,
    /// Features of a row and their preparation.
    pub data: DataDescription,
    /// Epoch whose weights are stored, or `None` before the end of the first.
    pub best: Option<Epoch>,
    /// Calibration of the probabilities, if they are calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Progress of the training, or `None` after its end.
    pub(crate) progress: Option<Progress>,
}

/// Description of the rows that a model takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataDescription {
    /// Names of the features, in the order of their columns in a window.
    pub features: Vec<String>,
    /// Conversion of a table's rows to values.
    pub preparation: Preparation,
    /// Hash of the training and validation windows, so that training never continues with others.
    pub fingerprint: String,
}

/// Results of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Epoch, from 1.
    pub step: i64,
    /// Objective value after the epoch.
    pub value: f64,
    /// Every metric by name.
    pub metrics: BTreeMap<String, f64>,
}

/// Progress of a training between two batches.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Number of updates and batches so far.
    pub(crate) count: Count,
    /// Number of epochs whose final weights are kept for averaging.
    pub(crate) ends: usize,
    /// Number of steps in the current epoch.
    pub(crate) steps: usize,
    /// Sum of the training loss over the windows of those steps.
    pub(crate) loss: f64,
    /// Largest gradient norm of those steps.
    pub(crate) largest_norm: f64,
    /// State of early stopping.
    pub(crate) stopping: Stopping,
    /// Finished epochs.
    pub(crate) history: Vec<Epoch>,
}

impl Description {
    /// Creates the description of a trial that has not started.
    pub(crate) fn new(trial: &TrialSpec, model: &ModelSpec, dataset: &Dataset) -> Self {
        Self {
            schema: SCHEMA.into(),
            program: env!("CARGO_PKG_VERSION").into(),
            budget: trial.budget.label.clone(),
            params: trial.params.clone(),
            seed: trial.seed,
            model: model.clone(),
            data: DataDescription::new(dataset),
            best: None,
            calibration: None,
            progress: None,
        }
    }

    /// Returns the version of the format that a reader must know.
    pub(super) fn needed_schema(&self) -> &'static str {
        let has_vectors = self.data.preparation.with_vectors().len() > 0;
        if self.calibration.is_some() || has_vectors { SCHEMA_2 } else { SCHEMA }
    }

    /// Returns the hyperparameters and the shape of the windows.
    ///
    /// # Errors
    /// [`ArchitectureError`] if they do not define a model.
    pub(crate) fn shape(&self) -> Result<(Hyperparameters, Geometry), ArchitectureError> {
        let DataDescription { features, preparation, .. } = &self.data;
        let inputs = preparation.inputs(features.len())?;
        let geometry = Geometry::new(inputs, preparation.classes, &self.model)?;
        Ok((Hyperparameters::from_params(&self.params)?, geometry))
    }

    /// Returns the differences to the trial of `other`, or nothing if both give the same bytes.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                differences.push(format!("{what} was {ours}, is {theirs}"));
            }
        };
        compare("the configuration", self.params.to_string(), other.params.to_string());
        compare("the seed", self.seed.to_string(), other.seed.to_string());
        let settings = |d: &Self| match serde_json::to_value(&d.model) {
            Ok(serde_json::Value::Object(settings)) => settings,
            _ => serde_json::Map::new(),
        };
        let (ours, theirs) = (settings(self), settings(other));
        let keys: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        for key in keys {
            let shown = |settings: &serde_json::Map<String, serde_json::Value>| {
                settings.get(key).map_or_else(|| "not given".to_owned(), ToString::to_string)
            };
            compare(&format!("model.{key}"), shown(&ours), shown(&theirs));
        }
        if differences.is_empty() || self.data.features != other.data.features {
            differences.extend(self.data.differences_to(&other.data));
        }
        differences
    }
}

impl DataDescription {
    /// Describes the rows of a data set.
    pub(crate) fn new(dataset: &Dataset) -> Self {
        Self {
            features: dataset.feature_names.clone(),
            preparation: dataset.preparation.clone(),
            fingerprint: fingerprint(dataset),
        }
    }

    /// Returns the differences to the rows of a data set.
    pub(crate) fn differences(&self, dataset: &Dataset) -> Vec<String> {
        self.differences_to(&Self::new(dataset))
    }

    fn differences_to(&self, other: &Self) -> Vec<String> {
        if self.features != other.features {
            let [ours, theirs] = [self, other].map(|data| data.features.join(", "));
            return vec![format!("the features were {ours}, are {theirs}")];
        }
        if self == other { Vec::new() } else { vec!["the table has changed".into()] }
    }
}

impl Progress {
    /// Returns the progress before the first batch.
    pub(crate) fn new(model: &ModelSpec) -> Self {
        let direction = model.monitored().direction();
        let stopping = Stopping::new(model.patience, model.minimum_gain, direction);
        Self {
            count: Count::default(),
            ends: 0,
            steps: 0,
            loss: 0.0,
            largest_norm: 0.0,
            stopping,
            history: Vec::new(),
        }
    }
}

impl From<&EpochReport> for Epoch {
    fn from(report: &EpochReport) -> Self {
        Self { step: report.step, value: report.value, metrics: report.metrics.clone() }
    }
}

impl From<&Epoch> for EpochReport {
    fn from(epoch: &Epoch) -> Self {
        Self { step: epoch.step, value: epoch.value, metrics: epoch.metrics.clone() }
    }
}

/// Returns an FNV-1a hash of the bits of all values, and of the positions and targets of training and
/// validation windows.
fn fingerprint(dataset: &Dataset) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    for value in &dataset.values {
        add(u64::from(value.to_bits()));
    }
    for SplitPart { windows } in [&dataset.train, &dataset.validation] {
        add(windows.len() as u64);
        for w in windows {
            add(((w.last as u64) << 32) | u64::from(w.target.to_bits()));
        }
    }
    format!("{hash:016x}")
}
