//! Detection of models that predict the same for every row.

use allometry_core::CollapsedTo;

/// Ratio of the predictions' standard deviation to that of the targets below which predictions count as
/// constant (docs/methods/collapse.md).
const CONSTANT_RATIO: f64 = 0.02;

/// Distance from the prior, in standard deviations of the targets, within which a constant prediction
/// counts as the prior.
const PRIOR_DISTANCE: f64 = 0.1;

/// Predictions of one output for every row: the probability of a class, or a number.
#[derive(Debug)]
pub(crate) struct Column {
    /// Prediction for each row.
    pub(crate) predicted: Vec<f64>,
    /// Target of each row.
    pub(crate) truth: Vec<f64>,
    /// Mean of the targets of the training windows.
    pub(crate) prior: f64,
}

/// Returns what the predictions have collapsed to.
///
/// The result is `None` if the predictions of some column have a standard deviation of at least 2% of that
/// of its targets. Columns with constant targets are ignored, and the result is also `None` if there are no
/// others.
pub(crate) fn collapsed_to(columns: &[Column]) -> Option<CollapsedTo> {
    let varying: Vec<(f64, f64, f64)> = columns
        .iter()
        .map(|column| {
            let (mean, deviation) = moments(&column.predicted);
            let (_, target_deviation) = moments(&column.truth);
            (mean - column.prior, deviation, target_deviation)
        })
        .filter(|(.., target_deviation)| *target_deviation > 0.0)
        .collect();
    if varying.is_empty()
        || !varying
            .iter()
            .all(|(_, deviation, target_deviation)| *deviation < CONSTANT_RATIO * target_deviation)
    {
        return None;
    }
    let is_prior = varying
        .iter()
        .all(|(distance, _, target_deviation)| distance.abs() < PRIOR_DISTANCE * target_deviation);
    Some(if is_prior { CollapsedTo::Prior } else { CollapsedTo::Elsewhere })
}

/// Returns the mean and the population standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(predicted: [f64; 4], truth: [f64; 4], prior: f64) -> Column {
        Column { predicted: predicted.into(), truth: truth.into(), prior }
    }

    #[test]
    fn constant_predictions_lie_at_the_prior_or_elsewhere() {
        // The truth has a standard deviation of 0.5, so constant means below 0.01, and at the prior within
        // 0.05.
        let of = |predicted, prior| collapsed_to(&[column(predicted, [0.0, 1.0, 0.0, 1.0], prior)]);
        assert_eq!(of([0.5, 0.5, 0.5, 0.5], 0.46), Some(CollapsedTo::Prior));
        assert_eq!(of([0.5, 0.5, 0.5, 0.5], 0.44), Some(CollapsedTo::Elsewhere));
        assert_eq!(of([0.491, 0.509, 0.491, 0.509], 0.5), Some(CollapsedTo::Prior));
        assert_eq!(of([0.489, 0.511, 0.489, 0.511], 0.5), None);
        assert_eq!(of([f64::NAN, 0.5, 0.5, 0.5], 0.5), None);
        assert_eq!(collapsed_to(&[column([0.5; 4], [1.0; 4], 1.0)]), None, "nothing to tell apart");
    }

    #[test]
    fn every_class_must_have_collapsed() {
        let constant = || column([0.3; 4], [0.0, 1.0, 0.0, 0.0], 0.3);
        let telling = || column([0.1, 0.2, 0.6, 0.3], [0.0, 0.0, 1.0, 1.0], 0.4);
        let absent = || column([0.1; 4], [0.0; 4], 0.2);
        assert_eq!(collapsed_to(&[constant(), telling()]), None);
        assert_eq!(collapsed_to(&[constant(), constant(), absent()]), Some(CollapsedTo::Prior));
        assert_eq!(collapsed_to(&[]), None);
    }
}
