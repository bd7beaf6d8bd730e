//! Calibration of probabilities: maps from a model's logits to probabilities that agree with observed
//! frequencies, fitted on rows that did not train the model.

mod fit;
mod isotonic;
mod platt;

use std::fmt;

use allometry_ladder::{Named, Task};
use serde::{Deserialize, Serialize};

use crate::model::probability;

pub(crate) use fit::fit;

/// Method of calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalibrationMethod {
    /// One factor of all logits (Guo et al. 2017).
    Temperature,
    /// A slope and an intercept of the logit of a binary label (Platt 1999).
    Platt,
    /// A rising piecewise linear function of the logit of a binary label: centred isotonic regression (Oron &
    /// Flournoy 2017).
    Isotonic,
}

/// A fitted map from logits to probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Calibration {
    /// Logits are divided by the temperature.
    Temperature {
        /// The divisor, above 0.
        temperature: f64,
    },
    /// A logit `z` becomes `slope z + intercept`.
    Platt {
        /// The factor of the logit, above 0.
        slope: f64,
        /// The new logit of the logit 0.
        intercept: f64,
    },
    /// The probability is interpolated between knots, and constant outside of them.
    Isotonic {
        /// Logits of the knots, rising.
        logits: Vec<f64>,
        /// Probabilities of the knots, rising.
        probabilities: Vec<f64>,
    },
}

/// Reason why a model is not calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// The model predicts numbers.
    #[error("a model that predicts numbers has no probabilities to calibrate")]
    Numbers,
    /// The method is for binary labels only.
    #[error("{method} calibrates the probability of a binary label, but the label has several classes")]
    SeveralClasses {
        /// The method.
        method: CalibrationMethod,
    },
    /// The validation rows cannot calibrate anything.
    #[error("all {rows} validation rows have the same logits")]
    Constant {
        /// Number of validation rows.
        rows: usize,
    },
    /// The probabilities do not rise with the frequency of the label.
    #[error(
        "on the {rows} validation rows the label is not more frequent where its predicted probability is \
         higher"
    )]
    NoTrend {
        /// Number of validation rows.
        rows: usize,
    },
    /// An infinite temperature would fit best.
    #[error(
        "on the {rows} validation rows equal probabilities of all classes fit better than any temperature"
    )]
    TooHot {
        /// Number of validation rows.
        rows: usize,
    },
    /// A temperature of 0 would fit best.
    #[error("on the {rows} validation rows the model makes no mistake, so that no temperature fits best")]
    Separated {
        /// Number of validation rows.
        rows: usize,
    },
}

impl CalibrationMethod {
    /// All methods by their names.
    pub const NAMED: Named<Self> =
        (&["temperature", "platt", "isotonic"], &[Self::Temperature, Self::Platt, Self::Isotonic]);

    /// Checks that the method applies to the predictions of a task.
    ///
    /// # Errors
    /// [`CalibrationError::Numbers`] or [`CalibrationError::SeveralClasses`].
    pub fn check(self, task: Task) -> Result<(), CalibrationError> {
        match (task, self) {
            (Task::Regression, _) => Err(CalibrationError::Numbers),
            (Task::Classes, Self::Platt | Self::Isotonic) => {
                Err(CalibrationError::SeveralClasses { method: self })
            }
            (Task::Binary, _) | (Task::Classes, Self::Temperature) => Ok(()),
        }
    }
}

impl fmt::Display for CalibrationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Temperature => "temperature",
            Self::Platt => "platt",
            Self::Isotonic => "isotonic",
        })
    }
}

impl CalibrationError {
    /// Returns advice for the user.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Numbers => "leave --calibrate out".into(),
            Self::SeveralClasses { .. } => "--calibrate temperature works for any number of classes".into(),
            Self::Constant { .. } | Self::NoTrend { .. } => {
                "calibration cannot help a model that tells nothing about its validation rows; train \
                 another configuration"
                    .into()
            }
            Self::TooHot { .. } => {
                "the level of the probabilities may be wrong, which --calibrate platt corrects for a binary \
                 label; or the model tells nothing about these rows"
                    .into()
            }
            Self::Separated { .. } => {
                "more validation rows would have mistakes; platt and isotonic also work without".into()
            }
        })
    }
}

impl Calibration {
    /// Returns the method.
    pub fn method(&self) -> CalibrationMethod {
        match self {
            Self::Temperature { .. } => CalibrationMethod::Temperature,
            Self::Platt { .. } => CalibrationMethod::Platt,
            Self::Isotonic { .. } => CalibrationMethod::Isotonic,
        }
    }

    /// Appends the probabilities for the logits of windows, which have one for a binary label and otherwise
    /// one per class.
    pub(crate) fn apply(&self, logits: &[f32], classes: usize, to: &mut Vec<f32>) {
        match self {
            Self::Temperature { temperature } if classes > 0 => {
                for logits in logits.chunks_exact(classes) {
                    softmax(logits, 1.0 / temperature, to);
                }
            }
            Self::Temperature { temperature } => {
                to.extend(logits.iter().map(|&z| probability(f64::from(z) / temperature) as f32));
            }
            Self::Platt { slope, intercept } => {
                to.extend(logits.iter().map(|&z| probability(slope * f64::from(z) + intercept) as f32));
            }
            Self::Isotonic { logits: knots, probabilities } => {
                let of = |&z: &f32| isotonic::interpolated(knots, probabilities, f64::from(z)) as f32;
                to.extend(logits.iter().map(of));
            }
        }
    }

    /// Returns which field of a calibration from a file cannot be right for a model of the task, and why.
    pub(crate) fn problem(&self, task: Task) -> Option<String> {
        if let Err(error) = self.method().check(task) {
            return Some(format!("its description has a calibration, but {error}"));
        }
        let is_positive = |number: f64| number.is_finite() && number > 0.0;
        let (field, wanted) = match self {
            Self::Temperature { temperature } if !is_positive(*temperature) => {
                ("temperature", "must be above 0")
            }
            Self::Platt { slope, .. } if !is_positive(*slope) => ("slope", "must be above 0"),
            Self::Platt { intercept, .. } if !intercept.is_finite() => ("intercept", "must be finite"),
            Self::Isotonic { logits, .. } if !is_rising(logits) => ("logits", "must rise"),
            Self::Isotonic { logits, probabilities }
                if logits.len() != probabilities.len() || !is_rising(probabilities) =>
            {
                ("probabilities", "must rise and be as many as the logits")
            }
            Self::Isotonic { probabilities, .. }
                if !probabilities.iter().all(|p| (0.0..=1.0).contains(p)) =>
            {
                ("probabilities", "must be between 0 and 1")
            }
            _ => return None,
        };
        Some(format!("calibration.{field} of its description {wanted}"))
    }
}

/// Whether there are finite numbers, each larger than the one before.
fn is_rising(numbers: &[f64]) -> bool {
    let is_finite = numbers.iter().all(|number| number.is_finite());
    !numbers.is_empty() && is_finite && numbers.is_sorted_by(|a, b| a < b)
}

/// Appends the softmax of `scale * logits`.
pub(crate) fn softmax(logits: &[f32], scale: f64, to: &mut Vec<f32>) {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let odds = |z: &f32| (scale * f64::from(z - highest)).exp();
    let sum: f64 = logits.iter().map(odds).sum();
    to.extend(logits.iter().map(|z| (odds(z) / sum) as f32));
}

#[cfg(test)]
mod tests;
