//! The finished folds of an interrupted trial, in a file beside the checkpoint of its current fold.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use allometry_core::{
    Constraints, ModelSize, ObjectiveOutcome, Precision, Predictions, TrainingCost, ValidationOutputs,
    ValidationScores,
};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Description, replace};

/// The finished folds of a trial. The file only saves time: one that cannot be read or written, or that
/// belongs to another trial, is as good as none.
pub(super) struct Done {
    path: Option<PathBuf>,
    folds: Vec<DoneFold>,
}

/// Result of a finished fold. Floating-point numbers are stored by their bits, so that a resumed trial has
/// the bytes of an uninterrupted one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DoneFold {
    description: Description,
    value: u64,
    metrics: BTreeMap<String, u64>,
    size: Option<ModelSize>,
    train_rows: Option<u64>,
    tokens: Option<u64>,
    flops: Option<u64>,
    precision: Option<Precision>,
    predictions: Option<Stored>,
}

/// Predictions with the bits of their numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    Binary { rows: Vec<u64>, labels: Vec<bool>, scores: Vec<u32> },
    Other { rows: Vec<u64>, targets: Vec<u32>, outputs: Vec<u32> },
}

impl Done {
    /// Reads the finished folds of a trial from its file, if it has one.
    pub(super) fn open(path: Option<PathBuf>) -> Self {
        let text = path.as_ref().and_then(|path| std::fs::read(path).ok());
        let folds = text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { path, folds }
    }

    /// Returns the result of the fold at this place, if it is that of the training with this description.
    pub(super) fn fold(&self, place: usize, training: &Description) -> Option<ObjectiveOutcome> {
        let done = self.folds.get(place)?;
        let is_same =
            done.description.program == training.program && done.description.differences(training).is_empty();
        is_same.then(|| done.outcome())
    }

    /// Adds the result of the fold at this place, which replaces all later ones.
    pub(super) fn push(&mut self, place: usize, fold: DoneFold) {
        let Some(path) = &self.path else { return };
        self.folds.truncate(place);
        self.folds.push(fold);
        let write = |part: &std::path::Path| {
            let text = serde_json::to_vec(&self.folds).map_err(io::Error::other)?;
            std::fs::write(part, text)
        };
        let _ = replace(path, write);
    }

    /// Removes the file, and its folder if that is empty.
    pub(super) fn remove(self) {
        if let Some(path) = self.path {
            let _ = std::fs::remove_file(&path);
            let _ = path.parent().map(std::fs::remove_dir);
        }
    }
}

impl DoneFold {
    pub(super) fn new(description: Description, outcome: &ObjectiveOutcome) -> Self {
        let TrainingCost { train_rows, tokens, flops, precision, .. } = outcome.cost;
        Self {
            description,
            value: outcome.value().to_bits(),
            metrics: outcome.metrics.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect(),
            size: outcome.size,
            train_rows,
            tokens,
            flops: flops.map(f64::to_bits),
            precision,
            predictions: outcome.predictions.as_ref().map(Stored::from),
        }
    }

    fn outcome(&self) -> ObjectiveOutcome {
        let metrics = self.metrics.iter().map(|(name, bits)| (name.clone(), f64::from_bits(*bits)));
        ObjectiveOutcome {
            values: vec![f64::from_bits(self.value)],
            constraints: Constraints::default(),
            best_step: None,
            metrics: metrics.collect(),
            size: self.size,
            predictions: self.predictions.as_ref().map(Predictions::from),
            cost: TrainingCost {
                train_rows: self.train_rows,
                tokens: self.tokens,
                flops: self.flops.map(f64::from_bits),
                seconds: None,
                precision: self.precision,
            },
            checkpoint: None,
        }
    }
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn numbers(bits: &[u32]) -> Vec<f32> {
    bits.iter().map(|bits| f32::from_bits(*bits)).collect()
}

impl From<&Predictions> for Stored {
    fn from(predictions: &Predictions) -> Self {
        match predictions {
            Predictions::Binary(ValidationScores { rows, labels, scores }) => {
                Self::Binary { rows: rows.clone(), labels: labels.clone(), scores: bits(scores) }
            }
            Predictions::Other(ValidationOutputs { rows, targets, outputs }) => {
                Self::Other { rows: rows.clone(), targets: bits(targets), outputs: bits(outputs) }
            }
        }
    }
}

impl From<&Stored> for Predictions {
    fn from(stored: &Stored) -> Self {
        match stored {
            Stored::Binary { rows, labels, scores } => Self::Binary(ValidationScores {
                rows: rows.clone(),
                labels: labels.clone(),
                scores: numbers(scores),
            }),
            Stored::Other { rows, targets, outputs } => Self::Other(ValidationOutputs {
                rows: rows.clone(),
                targets: numbers(targets),
                outputs: numbers(outputs),
            }),
        }
    }
}
