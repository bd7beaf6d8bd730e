//! Ridge regression on single rows (Hoerl & Kennard 1970), by the normal equations.

use allometry_core::cholesky::Cholesky;

use super::rows::{Rows, best_candidate, linear};
use super::targets::Targets;

/// Values of scikit-learn's `alpha` to try: the weight of the squared norm relative to the sum of squared
/// errors. The first value is used if none can be tried.
const CANDIDATE_PENALTIES: [f64; 7] = [1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4];

/// Predictions of the baseline, and its penalty.
pub(super) struct Prediction {
    /// Numbers for the validation windows.
    pub(super) numbers: Vec<f32>,
    /// Chosen `alpha`.
    pub(super) penalty: f64,
}

/// Sums over rows, from which the weights for every penalty follow.
struct Normal {
    /// Lower triangle of the sums of products of the features and the constant 1, which comes last.
    products: Vec<f64>,
    /// Sums of the products with the targets.
    with_targets: Vec<f64>,
}

/// Fits standardised rows and predicts the validation rows. `alpha` is the one with the lowest squared error
/// on the last fifth of the training windows, after fitting those before except for a context in between.
pub(super) fn predict(rows: &Rows, targets: &[f64]) -> Prediction {
    let penalty = choose(rows, targets);
    let weights = Normal::of(&rows.train, targets, rows.features).weights(penalty);
    Prediction { numbers: predicted(&weights, &rows.validation), penalty }
}

fn choose(rows: &Rows, targets: &[f64]) -> f64 {
    let [fitted, compared] = rows.held_out;
    if fitted == 0 || compared >= targets.len() {
        return CANDIDATE_PENALTIES[0];
    }
    let normal = Normal::of(&rows.train[..fitted * rows.features], &targets[..fitted], rows.features);
    let (asked, judged) = (&rows.train[compared * rows.features..], Targets::Numbers(&targets[compared..]));
    best_candidate(&CANDIDATE_PENALTIES, |penalty| judged.loss(&predicted(&normal.weights(penalty), asked)))
}

impl Normal {
    fn of(values: &[f32], targets: &[f64], features: usize) -> Self {
        let size = features + 1;
        let mut normal = Self { products: vec![0.0; size * size], with_targets: vec![0.0; size] };
        let mut x = vec![1.0; size];
        for (row, target) in values.chunks_exact(features).zip(targets) {
            for (x, &value) in x.iter_mut().zip(row) {
                *x = f64::from(value);
            }
            for i in 0..size {
                normal.with_targets[i] += x[i] * target;
                for (sum, other) in normal.products[i * size..=i * size + i].iter_mut().zip(&x) {
                    *sum += x[i] * other;
                }
            }
        }
        normal
    }

    /// Returns one weight per feature, then the intercept, which is not penalised; without weights of
    /// features if they are too large for the sums.
    fn weights(&self, penalty: f64) -> Vec<f64> {
        let size = self.with_targets.len();
        let mut products = self.products.clone();
        for feature in 0..size - 1 {
            products[feature * size + feature] += penalty;
        }
        let rows = self.products[size * size - 1];
        Cholesky::new(products, size).map_or_else(
            || {
                let mut mean = vec![0.0; size];
                mean[size - 1] = self.with_targets[size - 1] / rows;
                mean
            },
            |factor| factor.solve(&self.with_targets),
        )
    }
}

fn predicted(weights: &[f64], values: &[f32]) -> Vec<f32> {
    values.chunks_exact(weights.len() - 1).map(|row| linear(weights, row) as f32).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        features: usize,
        values: Vec<f32>,
        targets: Vec<f64>,
        penalty: f64,
        weights: Vec<f64>,
    }

    #[test]
    fn weights_agree_with_scikit_learn() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/oracle/ridge.json")).expect("oracle is valid");
        for case in &cases {
            let weights = Normal::of(&case.values, &case.targets, case.features).weights(case.penalty);
            assert_eq!(weights.len(), case.weights.len(), "{}", case.name);
            for (weight, expected) in weights.iter().zip(&case.weights) {
                assert!((weight - expected).abs() < 1e-8, "{}: {weight} {expected}", case.name);
            }
        }
        assert_eq!(cases.len(), 4);
    }

    #[test]
    fn the_penalty_is_that_of_the_held_out_rows() {
        // Forty features of noise and few rows: the least squares of all of them are worse than the mean.
        let number = |i: usize| ((i as f64 + 1.0) * 12.989_8).sin() * 43_758.545 % 1.0;
        let noise: Vec<f32> = (0..60 * 40).map(|i| number(i) as f32).collect();
        let targets: Vec<f64> = (0..60).map(|i| number(i + 9000)).collect();
        let rows = Rows { train: noise, validation: vec![0.0; 40], features: 40, held_out: [46, 48] };
        assert!(predict(&rows, &targets).penalty >= 1e2);
        // A feature that is the target has the smallest penalty.
        let train: Vec<f32> = targets.iter().map(|t| *t as f32).collect();
        let rows = Rows { train, validation: vec![0.25], features: 1, held_out: [46, 48] };
        let Prediction { numbers, penalty } = predict(&rows, &targets);
        assert!(penalty == 1e-2 && (numbers[0] - 0.25).abs() < 1e-3, "{penalty} {numbers:?}");
    }

    #[test]
    fn values_beyond_the_sums_leave_the_mean() {
        let normal = Normal::of(&[f32::MAX, f32::NAN, 1.0], &[1.0, 2.0, 6.0], 1);
        assert_eq!(normal.weights(1.0), [0.0, 3.0]);
    }
}
