//! Whether a model has stopped telling rows apart.

use allometry_core::CollapsedTo;

/// Share of the targets' deviation below which predictions count as constant (docs/methods/collapse.md).
const CONSTANT: f64 = 0.02;

/// Share of the targets' deviation within which a constant prediction counts as the prior.
const PRIOR: f64 = 0.1;

/// One number that is predicted of every row: the probability of a class, or the number itself.
#[derive(Debug)]
pub(crate) struct Column {
    /// What is predicted of each row.
    pub(crate) predicted: Vec<f64>,
    /// What is true of it.
    pub(crate) truth: Vec<f64>,
    /// Mean of what is true of the training windows.
    pub(crate) prior: f64,
}

/// What a model predicts of all rows; `None` where in some column its predictions deviate by 2% of what is true or more, and
/// where what is true is the same for all rows.
pub(crate) fn collapsed_to(columns: &[Column]) -> Option<CollapsedTo> {
    let told: Vec<(f64, f64, f64)> = columns
        .iter()
        .map(|column| {
            let (mean, deviation) = moments(&column.predicted);
            let (_, wanted) = moments(&column.truth);
            (mean - column.prior, deviation, wanted)
        })
        .filter(|(.., wanted)| *wanted > 0.0)
        .collect();
    if told.is_empty() || !told.iter().all(|(_, deviation, wanted)| *deviation < CONSTANT * wanted) {
        return None;
    }
    let is_prior = told.iter().all(|(distance, _, wanted)| distance.abs() < PRIOR * wanted);
    Some(if is_prior { CollapsedTo::Prior } else { CollapsedTo::Elsewhere })
}

/// Mean and population standard deviation.
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
        // The truth deviates by 0.5, so that constant is below 0.01 and the prior within 0.05.
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
