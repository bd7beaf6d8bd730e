//! Importance of a model's inputs: the change of a metric when rows get an input from other rows.

use serde::Serialize;

use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::rows::{Dependence, NoRowError};
use crate::series::{RowOrder, Series};
use crate::stats::influence::{Influence, RowMetric};
use crate::stats::moments::{mean, sample_variance};

/// Labelled rows and a fixed model's predictions for them, with which permuted predictions are compared.
#[derive(Debug, Clone)]
pub struct ExplainedRows<'a> {
    metric: RowMetric,
    targets: &'a [f32],
    own: Influence,
    dependence: Dependence,
}

/// Predictions with an input permuted, summed over permutations.
#[derive(Debug)]
pub struct PermutedInput<'r, 'a> {
    explained: &'r ExplainedRows<'a>,
    /// The metric of each permutation.
    values: Vec<f64>,
    /// Sum of the changes of each row's influence: as the row that is predicted, and as the row that gives
    /// the input.
    sums: Vec<f64>,
}

/// Importance of an input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct InputImportance {
    /// How much worse the metric is with the input permuted: its loss for a metric that should be high, its
    /// growth for one that should be low. The error covers new rows and the choice of the permutations.
    pub importance: Estimate,
    /// Standard error from the choice of the permutations alone, which the error of the importance contains.
    pub permutation_error: Option<f64>,
    /// Whether no prediction depends on the input.
    pub is_unused: bool,
}

impl<'a> ExplainedRows<'a> {
    /// Prepares the comparison. `outputs` has one number per class and row, or one per row of a number to
    /// predict; the probabilities of a binary label are those of both classes.
    ///
    /// # Errors
    /// [`NoRowError`].
    pub fn new(
        metric: RowMetric,
        (rows, targets): (&[u64], &'a [f32]),
        outputs: &[f32],
        series: &Series<'_>,
    ) -> Result<Self, NoRowError> {
        let own = metric.influence(targets, outputs).ok_or(NoRowError::Undefined)?;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if series.order == RowOrder::RowNumbers {
            order.sort_by_key(|&place| rows[place]);
        }
        Ok(Self { metric, targets, own, dependence: Dependence::new(rows, series, Some(order))? })
    }

    /// Returns the metric.
    pub fn metric(&self) -> RowMetric {
        self.metric
    }

    /// Returns the metric of the model's own predictions, with its error over rows.
    ///
    /// # Errors
    /// [`NoRowError`] if the rows depend on each other over too long a time.
    pub fn value(&self, options: &Options) -> Result<Estimate, NoRowError> {
        let error = self.dependence.error(&self.own.rows)?;
        let is_auc = self.metric == RowMetric::MacroAuc;
        let estimate = Estimate::of_rows(self.own.value, &error, Method::Rows, is_auc, options);
        Ok(estimate.unwrap_or_else(|| Estimate::observed(self.own.value, options)))
    }

    /// Starts an input without permutations.
    pub fn input(&self) -> PermutedInput<'_, 'a> {
        PermutedInput { explained: self, values: Vec::new(), sums: vec![0.0; self.own.rows.len()] }
    }
}

impl PermutedInput<'_, '_> {
    /// Adds a permutation: row `i` was predicted with the input of row `donors[i]`, and each row gave it
    /// once.
    ///
    /// # Errors
    /// [`NoRowError::Undefined`] if the predictions have no metric.
    pub fn add(&mut self, donors: &[usize], outputs: &[f32]) -> Result<(), NoRowError> {
        let one = self.explained.metric.influence(self.explained.targets, outputs);
        let one = one.ok_or(NoRowError::Undefined)?;
        let own = &self.explained.own.rows;
        for (row, (donor, influence)) in donors.iter().zip(&one.rows).enumerate() {
            // The model's own influences have the mean 0: without them the mean over the rows to which a
            // row gives its input is the same, with less noise.
            let change = influence - own[row];
            self.sums[row] += change;
            self.sums[*donor] += change;
        }
        self.values.push(one.value);
        Ok(())
    }

    /// Returns the importance over the permutations.
    ///
    /// The metric with permuted rows is a function of two samples, the rows that are predicted and the rows
    /// that give the input, so that a row's influence has two parts (Hoeffding 1948). Each is a mean over the
    /// permutations, whose noise thus enters the variance twice, once more than it enters the importance.
    ///
    /// # Errors
    /// [`NoRowError`] without permutations, or if the rows depend on each other over too long a time.
    pub fn importance(&self, options: &Options) -> Result<InputImportance, NoRowError> {
        let own = &self.explained.own;
        let value = mean(self.values.iter().copied()).ok_or(NoRowError::Undefined)?;
        let sign = if self.explained.metric.is_better_high() { -1.0 } else { 1.0 };
        let point = sign * (value - own.value);
        let count = self.values.len() as f64;
        let rows: Vec<f64> = self.sums.iter().map(|sum| sign * sum / count).collect();
        let spread = sample_variance(self.values.iter().copied()).filter(|_| self.values.len() > 1);
        let permutation_error = spread.map(|variance| (variance / count).sqrt());
        let is_unused = self.values.iter().all(|one| *one == own.value) && rows.iter().all(|row| *row == 0.0);
        let error = self.explained.dependence.error(&rows)?;
        let estimate = Estimate::of_rows(point, &error, Method::PairedRows, false, options);
        Ok(InputImportance {
            importance: estimate.unwrap_or_else(|| Estimate::observed(point, options)),
            permutation_error,
            is_unused,
        })
    }
}
