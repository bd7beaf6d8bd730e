//! What the trials of a study predict for each validation row.

use std::collections::BTreeMap;

use allometry_core::{TrialNumber, ValidationScores};

use crate::estimate::{Estimate, Method};
use crate::input::{RowOrder, Series};
use crate::options::Options;
use crate::outputs::Outputs;
use crate::rows::{RowErrors, paired};
use crate::stats::influence::{self, Influence, RowMetric};

/// Difference from the AUC of the stored scores up to which a value is that AUC.
const SAME_AUC: f64 = 1e-6;
/// Relative difference from the metric of the stored predictions up to which a value is that metric: they are
/// kept in single precision.
const SAME_METRIC: f64 = 1e-4;

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

/// Scores of one trial, whatever its task, and how their rows follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RowScores<'a> {
    /// The predictions.
    pub(crate) predicted: Predicted<'a>,
    /// How they follow each other.
    pub(crate) series: Series,
}

/// Scores of one trial by task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Predicted<'a> {
    /// Of a binary label; the metric is their AUC.
    Binary(Scores<'a>),
    /// Of classes or numbers, with the ladder's metric.
    Other(Outputs<'a>, RowMetric),
}

impl RowScores<'_> {
    /// Whether both are of the same rows, with the same truth and metric.
    pub(crate) fn same_rows(&self, other: &Self) -> bool {
        match (self.predicted, other.predicted) {
            (Predicted::Binary(a), Predicted::Binary(b)) => a.same_rows(&b),
            (Predicted::Other(a, metric), Predicted::Other(b, other)) => a.same_rows(&b) && metric == other,
            _ => false,
        }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        match self.predicted {
            Predicted::Binary(predictions) => predictions.labels.len(),
            Predicted::Other(outputs, _) => outputs.targets.len(),
        }
    }

    /// Whether the metric is an AUC, whose intervals end at 0 and 1.
    pub(crate) fn measures_auc(&self) -> bool {
        matches!(self.predicted, Predicted::Binary(_) | Predicted::Other(_, RowMetric::MacroAuc))
    }

    /// The metric and each row's influence on it, in the order in which they are stored; `None` where the
    /// metric is undefined.
    pub(crate) fn influence(&self) -> Option<Influence> {
        match self.predicted {
            Predicted::Binary(predictions) => influence::auc(predictions.labels, predictions.scores),
            Predicted::Other(outputs, metric) => outputs.influence(metric),
        }
    }

    /// Whether the predictions have that value of the metric, but for rounding.
    pub(crate) fn have_value(&self, influence: &Influence, value: f64) -> bool {
        let tolerance = match self.predicted {
            Predicted::Binary(_) => SAME_AUC,
            Predicted::Other(..) => SAME_METRIC * value.abs().max(1.0),
        };
        (influence.value - value).abs() <= tolerance
    }

    /// The places of the rows in time order; `None` where nothing tells it.
    ///
    /// Rows that are sorted by their class or target cannot be in time order, and neither can rows that share
    /// a number.
    pub(crate) fn time_order(&self) -> Option<Vec<usize>> {
        let (rows, sorted) = match self.predicted {
            Predicted::Binary(one) => (one.rows, is_sorted(one.labels)),
            Predicted::Other(one, _) => (one.rows, is_sorted(one.targets)),
        };
        if sorted {
            return None;
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if self.series.order == RowOrder::RowNumbers {
            order.sort_by_key(|&place| rows[place]);
            if order.windows(2).any(|pair| rows[pair[0]] == rows[pair[1]]) {
                return None;
            }
        }
        Some(order)
    }

    /// A trial's value with the error that these predictions give it, where they have that value and give it
    /// an error.
    pub(crate) fn estimate(&self, value: f64, options: &Options) -> Option<Estimate> {
        let errors = RowErrors::new(&[*self]).ok()?;
        if !self.have_value(&errors.influences()[0], value) {
            return None;
        }
        let error = errors.of_sum(&[1.0]).ok()?;
        Estimate::of_rows(value, &error, Method::Rows, self.measures_auc(), options)
    }
}

/// Gain in AUC of the second of two models over the first on the same rows, with its error over new rows
/// (`DeLong` et al. 1988, the rows in time order); `None` where the rows are not the same or the difference
/// has no error.
pub fn paired_gain(
    first: &Scores<'_>,
    second: &Scores<'_>,
    series: Series,
    options: &Options,
) -> Option<Estimate> {
    let of = |predictions| RowScores { predicted: Predicted::Binary(predictions), series };
    paired(&of(*first), &of(*second), options)
}

/// Whether values rise or fall throughout.
fn is_sorted<T: PartialOrd>(values: &[T]) -> bool {
    values.is_sorted() || values.is_sorted_by(|a, b| a >= b)
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
