//! A trial's predictions on the validation rows, for any task.

use crate::outputs::Outputs;
use crate::scores::Scores;
use crate::series::{RowOrder, Series};
use crate::stats::influence::{self, Influence, RowMetric};

/// Largest difference from the AUC of the stored scores at which a value counts as that AUC.
const SAME_AUC: f64 = 1e-6;
/// Largest relative difference from the metric of the stored predictions at which a value counts as that
/// metric; predictions are stored in single precision.
const SAME_METRIC: f64 = 1e-4;

/// Scores of one trial for any task, with the time order of their rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RowScores<'a> {
    /// The predictions.
    pub(crate) predicted: Predicted<'a>,
    /// How the predictions follow each other in time.
    pub(crate) series: Series<'a>,
}

/// Scores of one trial by task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Predicted<'a> {
    /// Predictions for a binary label; the metric is their AUC.
    Binary(Scores<'a>),
    /// Predictions for classes or numbers, with the ladder's metric.
    Other(Outputs<'a>, RowMetric),
}

impl RowScores<'_> {
    /// Whether both have equal rows, targets and metrics.
    pub(crate) fn same_rows(&self, other: &Self) -> bool {
        match (self.predicted, other.predicted) {
            (Predicted::Binary(a), Predicted::Binary(b)) => a.same_rows(&b),
            (Predicted::Other(a, metric), Predicted::Other(b, other)) => a.same_rows(&b) && metric == other,
            _ => false,
        }
    }

    /// Returns the number of rows.
    pub(crate) fn rows(&self) -> usize {
        match self.predicted {
            Predicted::Binary(predictions) => predictions.labels.len(),
            Predicted::Other(outputs, _) => outputs.targets.len(),
        }
    }

    /// Returns the number of each row in its table, in stored order.
    pub(crate) fn row_numbers(&self) -> &[u64] {
        match self.predicted {
            Predicted::Binary(predictions) => predictions.rows,
            Predicted::Other(outputs, _) => outputs.rows,
        }
    }

    /// Whether the metric is an AUC, whose intervals end at 0 and 1.
    pub(crate) fn measures_auc(&self) -> bool {
        matches!(self.predicted, Predicted::Binary(_) | Predicted::Other(_, RowMetric::MacroAuc))
    }

    /// Returns the metric and each row's influence on it, in stored order; `None` if the metric is undefined.
    pub(crate) fn influence(&self) -> Option<Influence> {
        match self.predicted {
            Predicted::Binary(predictions) => influence::auc(predictions.labels, predictions.scores),
            Predicted::Other(outputs, metric) => outputs.influence(metric),
        }
    }

    /// Whether the metric of the predictions equals `value`, up to rounding.
    pub(crate) fn have_value(&self, influence: &Influence, value: f64) -> bool {
        let tolerance = match self.predicted {
            Predicted::Binary(_) => SAME_AUC,
            Predicted::Other(..) => SAME_METRIC * value.abs().max(1.0),
        };
        (influence.value - value).abs() <= tolerance
    }

    /// Returns the positions of the rows in time order; `None` if the order is unknown.
    ///
    /// Rows sorted by their class or target cannot be in time order, and neither can rows with repeated
    /// numbers.
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
}

/// Whether the values never decrease or never increase.
fn is_sorted<T: PartialOrd>(values: &[T]) -> bool {
    values.is_sorted() || values.is_sorted_by(|a, b| a >= b)
}
