//! What the trials of a study predict for each validation row.

use std::collections::BTreeMap;

use allometry_core::{TrialNumber, ValidationScores};

/// Scores of a study's trials on the same validation rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StudyScores {
    rows: Vec<u64>,
    labels: Vec<bool>,
    trials: BTreeMap<TrialNumber, Vec<f32>>,
}

impl StudyScores {
    /// Keeps the predictions of a trial. Returns `false`, and keeps nothing, where they are of other rows
    /// than those kept before, of another length than the labels, or not all finite.
    pub(crate) fn insert(&mut self, trial: TrialNumber, scores: ValidationScores) -> bool {
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

    /// Scores of a trial, where they were kept.
    pub(crate) fn of(&self, trial: TrialNumber) -> Option<Scores<'_>> {
        let scores = self.trials.get(&trial)?;
        Some(Scores { rows: &self.rows, labels: &self.labels, scores })
    }

    /// Scores of the first trial that has any: they tell the rows.
    pub(crate) fn first(&self) -> Option<Scores<'_>> {
        self.of(*self.trials.keys().next()?)
    }
}

/// Scores of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores<'a> {
    /// Row of the table that each prediction is for.
    pub rows: &'a [u64],
    /// True class of each row.
    pub labels: &'a [bool],
    /// Predicted probability of class 1, or any score that rises with it; finite.
    pub scores: &'a [f32],
}

impl<'a> From<&'a ValidationScores> for Scores<'a> {
    fn from(scores: &'a ValidationScores) -> Self {
        Self { rows: &scores.rows, labels: &scores.labels, scores: &scores.scores }
    }
}

impl Scores<'_> {
    /// Whether both are of the same rows with the same classes.
    pub fn same_rows(&self, other: &Scores<'_>) -> bool {
        self.rows == other.rows && self.labels == other.labels
    }

    /// Rows of each class: positives, negatives.
    pub fn classes(&self) -> (usize, usize) {
        let positives = self.labels.iter().filter(|label| **label).count();
        (positives, self.labels.len() - positives)
    }
}
