//! Predictions of a study's trials on the validation rows, for several classes or for numbers.

use std::collections::BTreeMap;

use allometry_core::{TrialNumber, ValidationOutputs};

use crate::stats::influence::{Influence, RowMetric};

/// Predictions of a study's trials on common validation rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StudyOutputs {
    rows: Vec<u64>,
    targets: Vec<f32>,
    trials: BTreeMap<TrialNumber, Vec<f32>>,
}

impl StudyOutputs {
    /// Stores the predictions of a trial. Returns `false` and stores nothing if they are for other rows than
    /// those stored before, are not equally many for each row, or are not all finite.
    pub(crate) fn insert(&mut self, trial: TrialNumber, outputs: ValidationOutputs) -> bool {
        let ValidationOutputs { rows, targets, outputs } = outputs;
        let is_whole = rows.len() == targets.len() && !rows.is_empty() && outputs.len() % rows.len() == 0;
        if !is_whole || outputs.iter().chain(&targets).any(|value| !value.is_finite()) {
            return false;
        }
        if self.trials.is_empty() {
            (self.rows, self.targets) = (rows, targets);
        } else if self.rows != rows || self.targets != targets {
            return false;
        }
        self.trials.insert(trial, outputs);
        true
    }

    /// Returns the predictions of a trial, if stored.
    pub(crate) fn of(&self, trial: TrialNumber) -> Option<Outputs<'_>> {
        let outputs = self.trials.get(&trial)?;
        Some(Outputs { rows: &self.rows, targets: &self.targets, outputs })
    }

    /// Returns the predictions of the first trial that has any; they define the rows.
    pub(crate) fn first(&self) -> Option<Outputs<'_>> {
        self.of(*self.trials.keys().next()?)
    }
}

/// Predictions of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outputs<'a> {
    /// Row of the table for each prediction.
    pub rows: &'a [u64],
    /// Target of each row: a class from 0, or a number.
    pub targets: &'a [f32],
    /// Probability of each class, row after row, or one predicted number per row; finite.
    pub outputs: &'a [f32],
}

impl<'a> From<&'a ValidationOutputs> for Outputs<'a> {
    fn from(outputs: &'a ValidationOutputs) -> Self {
        Self { rows: &outputs.rows, targets: &outputs.targets, outputs: &outputs.outputs }
    }
}

impl Outputs<'_> {
    /// Whether both have equal rows and targets.
    pub fn same_rows(&self, other: &Outputs<'_>) -> bool {
        self.rows == other.rows && self.targets == other.targets
    }

    /// Returns the metrics of such predictions, for classes or for numbers; the metric of the trial's value
    /// comes first.
    pub fn metrics(&self) -> &'static [RowMetric] {
        if self.outputs.len() > self.rows.len() {
            &[RowMetric::MacroAuc, RowMetric::LogLoss, RowMetric::Accuracy]
        } else {
            &[RowMetric::R2, RowMetric::Mse, RowMetric::Mae]
        }
    }

    /// Returns a metric and each row's contribution to it; see [`RowMetric::influence`].
    pub fn influence(&self, metric: RowMetric) -> Option<Influence> {
        metric.influence(self.targets, self.outputs)
    }
}
