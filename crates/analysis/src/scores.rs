//! Scores of a study's trials on the validation rows, for a binary label.

use std::collections::BTreeMap;

use allometry_core::{TrialNumber, ValidationScores};

/// Scores of a study's trials on common validation rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StudyScores {
    rows: Vec<u64>,
    labels: Vec<bool>,
    trials: BTreeMap<TrialNumber, Vec<f32>>,
}

impl StudyScores {
    /// Stores the predictions of a trial. Returns `false` and stores nothing if they are for other rows than
    /// those stored before, differ in number from the labels, or are not all finite.
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

    /// Returns the scores of a trial, if stored.
    pub(crate) fn of(&self, trial: TrialNumber) -> Option<Scores<'_>> {
        let scores = self.trials.get(&trial)?;
        Some(Scores { rows: &self.rows, labels: &self.labels, scores })
    }

    /// Returns the scores of the first trial that has any; they define the rows.
    pub(crate) fn first(&self) -> Option<Scores<'_>> {
        self.of(*self.trials.keys().next()?)
    }
}

/// Scores of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores<'a> {
    /// Row of the table for each prediction.
    pub rows: &'a [u64],
    /// True class of each row.
    pub labels: &'a [bool],
    /// Predicted probability of class 1, or any score that increases with it; finite.
    pub scores: &'a [f32],
}

impl<'a> From<&'a ValidationScores> for Scores<'a> {
    fn from(scores: &'a ValidationScores) -> Self {
        Self { rows: &scores.rows, labels: &scores.labels, scores: &scores.scores }
    }
}

impl Scores<'_> {
    /// Whether both have equal rows and classes.
    pub fn same_rows(&self, other: &Scores<'_>) -> bool {
        self.rows == other.rows && self.labels == other.labels
    }

    /// Returns the numbers of positive and of negative rows.
    pub fn classes(&self) -> (usize, usize) {
        let positives = self.labels.iter().filter(|label| **label).count();
        (positives, self.labels.len() - positives)
    }
}
