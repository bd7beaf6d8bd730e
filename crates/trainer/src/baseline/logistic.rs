//! Logistic regression on single rows, fitted by Newton's method.

use allometry_core::cholesky::Cholesky;

use super::rows::{Rows, best_candidate, linear};
use super::targets::Targets;

/// Values of scikit-learn's `C` to try. `C` is the reciprocal of the weight of half the squared norm
/// relative to the sum of log losses. The first value is used if none can be tried.
const CANDIDATE_STRENGTHS: [f64; 5] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4];
const MAX_ITERATIONS: usize = 100;
const MAX_HALVINGS: usize = 40;

/// Predictions of the baseline, and its regularisation.
pub(super) struct Prediction {
    /// Probabilities for the validation windows, a column per class if there are several.
    pub(super) scores: Vec<f32>,
    /// Chosen `C`.
    pub(super) strength: f64,
}

/// Fits standardised rows and predicts the validation rows. For several classes, each has a model of its own
/// against the rest; their probabilities are divided by their sum.
pub(super) fn predict(rows: &Rows, targets: Targets<'_>) -> Prediction {
    let strength = choose(rows, targets);
    let scores = scores(&rows.train, targets, rows.features, strength, &rows.validation);
    Prediction { scores, strength }
}

/// Returns the `C` with the lowest log loss on the last fifth of the windows, after fitting those before
/// except for a context in between.
fn choose(rows: &Rows, targets: Targets<'_>) -> f64 {
    let (train, features) = (&rows.train, rows.features);
    let [fitted, compared] = rows.held_out;
    let (learned, judged) = (targets.part(0..fitted), targets.part(compared..targets.rows()));
    if !learned.vary() || judged.rows() == 0 {
        return CANDIDATE_STRENGTHS[0];
    }
    let log_loss = |strength: f64| {
        let (known, asked) = (&train[..fitted * features], &train[compared * features..]);
        judged.loss(&scores(known, learned, features, strength, asked))
    };
    best_candidate(&CANDIDATE_STRENGTHS, log_loss)
}

/// Returns the probabilities for `asked` rows of models fitted to `known` rows.
fn scores(known: &[f32], targets: Targets<'_>, features: usize, strength: f64, asked: &[f32]) -> Vec<f32> {
    let (labels, classes) = match targets {
        Targets::Binary(labels) => {
            return Logistic::fit(known, labels, features, strength).predict(asked);
        }
        Targets::Classes(labels, classes) => (labels, classes),
        Targets::Numbers(_) => unreachable!("numbers have no probabilities"),
    };
    let mut scores = vec![0.0; asked.len() / features * classes];
    for class in 0..classes {
        let own: Vec<bool> = labels.iter().map(|label| *label == class).collect();
        // A class without rows has no minimum; its probability is 0.
        if own.contains(&true) {
            let of_class = Logistic::fit(known, &own, features, strength).predict(asked);
            for (row, score) in scores.chunks_exact_mut(classes).zip(of_class) {
                row[class] = score;
            }
        }
    }
    for row in scores.chunks_exact_mut(classes) {
        let sum: f32 = row.iter().sum();
        let divided = |score: f32| if sum > 0.0 { score / sum } else { 1.0 / classes as f32 };
        for score in row.iter_mut() {
            *score = divided(*score);
        }
    }
    scores
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
        linear(&self.weights, row)
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

    #[derive(Deserialize)]
    struct Several {
        name: String,
        features: usize,
        classes: usize,
        values: Vec<f32>,
        labels: Vec<usize>,
        strength: f64,
        asked: Vec<f32>,
        probabilities: Vec<f32>,
    }

    #[test]
    fn classes_against_the_rest_agree_with_scikit_learn() {
        let text = include_str!("../../tests/oracle/one_against_rest.json");
        let cases: Vec<Several> = serde_json::from_str(text).expect("oracle is valid");
        for case in &cases {
            let targets = Targets::Classes(&case.labels, case.classes);
            let ours = scores(&case.values, targets, case.features, case.strength, &case.asked);
            assert_eq!(ours.len(), case.probabilities.len(), "{}", case.name);
            for (ours, theirs) in ours.iter().zip(&case.probabilities) {
                assert!((ours - theirs).abs() < 1e-5, "{}: {ours}, scikit-learn {theirs}", case.name);
            }
        }
        assert_eq!(cases.len(), 2);
    }

    #[test]
    fn a_class_without_rows_has_no_probability() {
        let ours = scores(&[0.0, 1.0, 2.0, 3.0], Targets::Classes(&[0, 0, 2, 2], 3), 1, 1.0, &[0.5, 2.5]);
        assert_eq!((ours[1], ours[4]), (0.0, 0.0));
        assert!(ours[0] > ours[2] && ours[3] < ours[5], "{ours:?}");
    }

    #[test]
    fn fitting_extreme_values_terminates() {
        let model = Logistic::fit(&[1e30, -1e30, 1e30, -1e30], &[true, false, true, false], 1, 1.0);
        assert!(model.weights.iter().all(|w| w.is_finite()));
    }
}
