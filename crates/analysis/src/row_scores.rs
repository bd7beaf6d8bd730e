//! A trial's predictions on the validation rows, for any task.

use crate::eras::EraPlaces;
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

impl Predicted<'_> {
    fn influence(self) -> Option<Influence> {
        match self {
            Predicted::Binary(predictions) => influence::auc(predictions.labels, predictions.scores),
            Predicted::Other(outputs, metric) => outputs.influence(metric),
        }
    }
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
    /// Over eras it is the mean of the metric on each.
    pub(crate) fn influence(&self) -> Option<Influence> {
        let Some(places) = self.era_places() else { return self.predicted.influence() };
        let of_era = |(_, rows): (usize, Vec<usize>)| {
            let own = self.on_rows(&rows, |part| part.predicted.influence())?;
            Some((rows, own))
        };
        let eras: Vec<(Vec<usize>, Influence)> =
            places.rows_of_each().into_iter().map(of_era).collect::<Option<_>>()?;
        Some(places.mean(&eras))
    }

    /// Returns the era of each row; `None` without eras, and for rows outside of them, such as test rows.
    pub(crate) fn era_places(&self) -> Option<EraPlaces> {
        self.series.eras?.places(self.row_numbers()).filter(|_| self.rows() > 0)
    }

    /// Returns these predictions with the metric of all their rows.
    pub(crate) fn without_eras(self) -> Self {
        Self { series: Series { eras: None, ..self.series }, ..self }
    }

    /// Returns what `evaluate` makes of the predictions of the rows at some places alone.
    pub(crate) fn on_rows<T>(&self, places: &[usize], evaluate: impl FnOnce(RowScores<'_>) -> T) -> T {
        let series = self.series;
        match self.predicted {
            Predicted::Binary(Scores { rows, labels, scores }) => {
                let rows: Vec<u64> = places.iter().map(|place| rows[*place]).collect();
                let labels: Vec<bool> = places.iter().map(|place| labels[*place]).collect();
                let scores: Vec<f32> = places.iter().map(|place| scores[*place]).collect();
                let predicted = Predicted::Binary(Scores { rows: &rows, labels: &labels, scores: &scores });
                evaluate(RowScores { predicted, series })
            }
            Predicted::Other(Outputs { rows, targets, outputs }, metric) => {
                let width = outputs.len() / rows.len().max(1);
                let rows: Vec<u64> = places.iter().map(|place| rows[*place]).collect();
                let targets: Vec<f32> = places.iter().map(|place| targets[*place]).collect();
                let outputs = places.iter().flat_map(|place| &outputs[place * width..(place + 1) * width]);
                let outputs: Vec<f32> = outputs.copied().collect();
                let own = Outputs { rows: &rows, targets: &targets, outputs: &outputs };
                evaluate(RowScores { predicted: Predicted::Other(own, metric), series })
            }
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
