//! Logistic regression on single rows, fitted by Newton's method.

use allometry_core::cholesky::Cholesky;

use super::held_out;
use crate::data::Dataset;
use crate::data::scale::moments;
use crate::metric;

/// Values of scikit-learn's `C` to try. `C` is the reciprocal of the weight of half the squared norm
/// relative to the sum of log losses. The first value is used if none can be tried.
const CANDIDATE_STRENGTHS: [f64; 5] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4];
const MAX_ITERATIONS: usize = 100;
const MAX_HALVINGS: usize = 40;

/// Predictions of the baseline, and its regularisation.
pub(super) struct Prediction {
    /// Probabilities for the validation windows.
    pub(super) scores: Vec<f32>,
    /// Chosen `C`.
    pub(super) strength: f64,
}

/// Fits the last rows of the training windows and predicts the validation windows.
pub(super) fn predict(dataset: &Dataset, [train, validation]: [&[f32]; 2], labels: &[bool]) -> Prediction {
    let features = dataset.features();
    let (mut train, mut validation) = (train.to_vec(), validation.to_vec());
    let scaling = moments(&train, features);
    for values in [&mut train, &mut validation] {
        for row in values.chunks_exact_mut(features) {
            for (value, (mean, deviation)) in row.iter_mut().zip(&scaling) {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
    }
    let strength = choose(&train, labels, features, dataset.context);
    let scores = Logistic::fit(&train, labels, features, strength).predict(&validation);
    Prediction { scores, strength }
}

/// Returns the `C` with the lowest log loss on the last fifth of the windows, after fitting those before
/// except for `embargo` windows in between.
fn choose(values: &[f32], labels: &[bool], features: usize, embargo: usize) -> f64 {
    let [fitted, compared] = held_out(labels.len(), embargo);
    let both_classes = labels[..fitted].contains(&true) && labels[..fitted].contains(&false);
    if !both_classes || compared == labels.len() {
        return CANDIDATE_STRENGTHS[0];
    }
    let log_loss = |strength: f64| {
        let model = Logistic::fit(&values[..fitted * features], &labels[..fitted], features, strength);
        metric::log_loss(&labels[compared..], &model.predict(&values[compared * features..]))
            .unwrap_or(f64::INFINITY)
    };
    let losses = CANDIDATE_STRENGTHS.map(|strength| (strength, log_loss(strength)));
    let best = losses.into_iter().reduce(|best, next| if next.1 < best.1 { next } else { best });
    best.map_or(CANDIDATE_STRENGTHS[0], |(strength, _)| strength)
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
struct Logistic {
    /// One weight per feature, then the intercept, which is not penalised.
    weights: Vec<f64>,
    /// Weight of half the squared norm: 1 / C.
    penalty: f64,
}

impl Logistic {
    /// Minimises `sum(log loss) + |weights|^2 / (2 * strength)` over row-major `values` by Newton's method
    /// with step halving (iteratively reweighted least squares: Hastie, Tibshirani & Friedman 2009, section
    /// 4.4.1), to the precision of `f64`.
    ///
    /// The problem is strictly convex if both classes are present. An iteration takes O(rows * features^2).
    fn fit(values: &[f32], labels: &[bool], features: usize, strength: f64) -> Self {
        let mut model = Self { weights: vec![0.0; features + 1], penalty: 1.0 / strength };
        let mut loss = model.loss(values, labels);
        for _ in 0..MAX_ITERATIONS {
            let (gradient, hessian) = model.derivatives(values, labels);
            let Some(factor) = Cholesky::new(hessian, gradient.len()) else { break };
            let step = factor.solve(&gradient);
            // Half of this is the decrease predicted by the quadratic model.
            let decrement: f64 = gradient.iter().zip(&step).map(|(g, s)| g * s).sum();
            let Some((next, lower)) = model.descend(&step, loss, values, labels) else {
                break;
            };
            (model, loss) = (next, lower);
            if decrement <= f64::EPSILON * loss.max(1.0) * 1e-3 {
                break;
            }
        }
        model
    }

    /// Returns the model after the longest of the steps 1, 1/2, 1/4, ... that does not raise the loss, or
    /// `None` if rounding leaves none.
    fn descend(&self, step: &[f64], loss: f64, values: &[f32], labels: &[bool]) -> Option<(Self, f64)> {
        (0..MAX_HALVINGS).find_map(|halvings| {
            let length = 0.5_f64.powi(halvings as i32);
            let weights = self.weights.iter().zip(step).map(|(w, s)| w - length * s).collect();
            let next = Self { weights, ..*self };
            let lower = next.loss(values, labels);
            (lower <= loss).then_some((next, lower))
        })
    }

    /// Returns the probabilities for rows.
    fn predict(&self, values: &[f32]) -> Vec<f32> {
        values.chunks_exact(self.weights.len() - 1).map(|row| sigmoid(self.logit(row)) as f32).collect()
    }

    fn logit(&self, row: &[f32]) -> f64 {
        let (intercept, weights) = self.weights.split_last().expect("there is an intercept");
        intercept + weights.iter().zip(row).map(|(w, &x)| w * f64::from(x)).sum::<f64>()
    }

    fn loss(&self, values: &[f32], labels: &[bool]) -> f64 {
        let features = self.weights.len() - 1;
        let rows = values.chunks_exact(features).zip(labels);
        let losses: f64 = rows
            .map(|(row, &label)| {
                let logit = self.logit(row);
                let margin = if label { logit } else { -logit };
                // ln(1 + exp(-margin)) without overflow.
                (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
            })
            .sum();
        losses + self.penalty / 2.0 * self.weights[..features].iter().map(|w| w * w).sum::<f64>()
    }

    /// Returns the gradient and the lower triangle of the Hessian.
    fn derivatives(&self, values: &[f32], labels: &[bool]) -> (Vec<f64>, Vec<f64>) {
        let size = self.weights.len();
        let features = size - 1;
        let mut gradient: Vec<f64> = self.weights.iter().map(|w| self.penalty * w).collect();
        gradient[features] = 0.0;
        let mut hessian = vec![0.0; size * size];
        for feature in 0..features {
            hessian[feature * size + feature] = self.penalty;
        }
        let mut x = vec![1.0; size];
        for (row, &label) in values.chunks_exact(features).zip(labels) {
            for (x, &value) in x.iter_mut().zip(row) {
                *x = f64::from(value);
            }
            let p = sigmoid(self.logit(row));
            let residual = p - f64::from(u8::from(label));
            let curvature = p * (1.0 - p);
            for i in 0..size {
                gradient[i] += residual * x[i];
                let scaled = curvature * x[i];
                for (h, x) in hessian[i * size..=i * size + i].iter_mut().zip(&x) {
                    *h += scaled * x;
                }
            }
        }
        (gradient, hessian)
    }
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
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
        labels: Vec<u8>,
        strength: f64,
        weights: Vec<f64>,
    }

    #[test]
    fn weights_agree_with_scikit_learn() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/oracle/logistic.json")).expect("oracle is valid");
        for case in &cases {
            let labels: Vec<bool> = case.labels.iter().map(|&l| l == 1).collect();
            let model = Logistic::fit(&case.values, &labels, case.features, case.strength);
            for (weight, expected) in model.weights.iter().zip(&case.weights) {
                assert!((weight - expected).abs() < 1e-5, "{}: {weight} {expected}", case.name);
            }
            let (gradient, _) = model.derivatives(&case.values, &labels);
            assert!(gradient.iter().all(|g| g.abs() < 1e-6), "{}: {gradient:?}", case.name);
        }
        assert_eq!(cases.len(), 6);
    }

    #[test]
    fn fitting_extreme_values_terminates() {
        let model = Logistic::fit(&[1e30, -1e30, 1e30, -1e30], &[true, false, true, false], 1, 1.0);
        assert!(model.weights.iter().all(|w| w.is_finite()));
    }
}
