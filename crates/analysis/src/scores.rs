//! What the trials of a study predict for each validation row.

use std::collections::BTreeMap;

use allometry_core::{TrialNumber, ValidationScores};

use crate::estimate::Estimate;
use crate::options::Options;
use crate::outputs::Outputs;
use crate::stats::influence::{Influence, RowMetric};

/// Predictions of a study's trials on the same validation rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyScores {
    rows: Vec<u64>,
    labels: Vec<bool>,
    trials: BTreeMap<TrialNumber, Vec<f32>>,
}

impl StudyScores {
    /// Keeps the predictions of a trial. Returns `false`, and keeps nothing, where they are of other rows than those kept before,
    /// of another length than the labels, or not all finite.
    pub fn insert(&mut self, trial: TrialNumber, scores: ValidationScores) -> bool {
        let ValidationScores { rows, labels, scores } = scores;
        if scores.len() != labels.len() || scores.iter().any(|score| !score.is_finite()) {
            return false;
        }
        if self.trials.is_empty() {
            (self.rows, self.labels) = (rows, labels);
        } else if self.rows != rows || self.labels != labels {
            return false;
        }
        self.trials.insert(trial, scores);
        true
    }

    /// Predictions of a trial, where they were kept.
    pub fn of(&self, trial: TrialNumber) -> Option<Predictions<'_>> {
        let scores = self.trials.get(&trial)?;
        Some(Predictions { rows: &self.rows, labels: &self.labels, scores })
    }

    /// Predictions of the first trial that has any: they tell the rows.
    pub fn first(&self) -> Option<Predictions<'_>> {
        self.of(*self.trials.keys().next()?)
    }

    /// Whether no trial has any.
    pub fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }
}

/// Those that are of the same rows as the first.
impl FromIterator<(TrialNumber, ValidationScores)> for StudyScores {
    fn from_iter<I: IntoIterator<Item = (TrialNumber, ValidationScores)>>(scores: I) -> Self {
        let mut kept = Self::default();
        for (trial, scores) in scores {
            kept.insert(trial, scores);
        }
        kept
    }
}

/// Predictions of one trial, whatever its task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RowScores<'a> {
    /// Of a binary label; the metric is their AUC.
    Binary(Predictions<'a>),
    /// Of others, with the ladder's metric.
    Other(Outputs<'a>, RowMetric),
}

impl RowScores<'_> {
    /// Whether both say the same of the same rows.
    pub(crate) fn are_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Binary(a), Self::Binary(b)) => a.same_rows(b) && a.scores == b.scores,
            (Self::Other(a, _), Self::Other(b, _)) => a.same_rows(b) && a.outputs == b.outputs,
            _ => false,
        }
    }

    /// Whether both are of the same rows, with the same truth.
    pub(crate) fn same_rows(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Binary(a), Self::Binary(b)) => a.same_rows(b),
            (Self::Other(a, _), Self::Other(b, _)) => a.same_rows(b),
            _ => false,
        }
    }

    /// Of a binary label, the scores in double precision.
    pub(crate) fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Self::Binary(predictions) => Some(predictions.numbers()),
            Self::Other(..) => None,
        }
    }

    /// Of others, the metric and what each row contributes to it.
    pub(crate) fn influence(&self) -> Option<Influence> {
        match self {
            Self::Binary(_) => None,
            Self::Other(outputs, metric) => outputs.influence(*metric),
        }
    }

    /// A trial's value with the error that these predictions give it, where they do.
    pub(crate) fn estimate(&self, value: f64, options: &Options) -> Option<Estimate> {
        match self {
            Self::Binary(predictions) => Estimate::scored_auc(value, predictions, options),
            Self::Other(outputs, metric) => outputs.estimate(value, *metric, options),
        }
    }
}

/// Predictions of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predictions<'a> {
    /// Row of the table that each prediction is for.
    pub rows: &'a [u64],
    /// True class of each row.
    pub labels: &'a [bool],
    /// Predicted probability of class 1, or any score that rises with it; finite.
    pub scores: &'a [f32],
}

impl Predictions<'_> {
    /// Whether both are of the same rows with the same classes.
    pub fn same_rows(&self, other: &Predictions<'_>) -> bool {
        self.rows == other.rows && self.labels == other.labels
    }

    /// The scores in double precision.
    pub fn numbers(&self) -> Vec<f64> {
        self.scores.iter().map(|score| f64::from(*score)).collect()
    }

    /// Rows of each class: positives, negatives.
    pub fn classes(&self) -> (usize, usize) {
        let positives = self.labels.iter().filter(|label| **label).count();
        (positives, self.labels.len() - positives)
    }
}
