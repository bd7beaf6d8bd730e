//! What the trials of a study predict of each validation row where there are several classes, or numbers.

use std::collections::BTreeMap;

use allometry_core::{TrialNumber, ValidationOutputs};

use crate::stats::influence::{Influence, RowMetric};

/// Predictions of a study's trials of the same validation rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StudyOutputs {
    rows: Vec<u64>,
    targets: Vec<f32>,
    trials: BTreeMap<TrialNumber, Vec<f32>>,
}

impl StudyOutputs {
    /// Keeps the predictions of a trial. Returns `false`, and keeps nothing, where they are of other rows
    /// than those kept before, not the same number for each row, or not all finite.
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

    /// Predictions of a trial, where they were kept.
    pub(crate) fn of(&self, trial: TrialNumber) -> Option<Outputs<'_>> {
        let outputs = self.trials.get(&trial)?;
        Some(Outputs { rows: &self.rows, targets: &self.targets, outputs })
    }

    /// Predictions of the first trial that has any: they tell the rows.
    pub(crate) fn first(&self) -> Option<Outputs<'_>> {
        self.of(*self.trials.keys().next()?)
    }
}

/// Predictions of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outputs<'a> {
    /// Row of the table that each prediction is for.
    pub rows: &'a [u64],
    /// Class from 0, or number, of each row.
    pub targets: &'a [f32],
    /// Probability of each class, row after row, or one predicted number a row; finite.
    pub outputs: &'a [f32],
}

impl<'a> From<&'a ValidationOutputs> for Outputs<'a> {
    fn from(outputs: &'a ValidationOutputs) -> Self {
        Self { rows: &outputs.rows, targets: &outputs.targets, outputs: &outputs.outputs }
    }
}

impl Outputs<'_> {
    /// Whether both are of the same rows with the same targets.
    pub fn same_rows(&self, other: &Outputs<'_>) -> bool {
        self.rows == other.rows && self.targets == other.targets
    }

    /// Metrics that such predictions have: those of classes or of numbers, the trial's value first.
    pub fn metrics(&self) -> &'static [RowMetric] {
        if self.outputs.len() > self.rows.len() {
            &[RowMetric::MacroAuc, RowMetric::LogLoss, RowMetric::Accuracy]
        } else {
            &[RowMetric::R2, RowMetric::Mse, RowMetric::Mae]
        }
    }

    /// A metric and what each row contributes to it; see [`RowMetric::influence`].
    pub fn influence(&self, metric: RowMetric) -> Option<Influence> {
        metric.influence(self.targets, self.outputs)
    }
}
