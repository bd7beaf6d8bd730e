//! Losses that training minimises. They take logits: the sigmoid is part of the loss, so it cannot be
//! applied twice.

use allometry_ladder::{LossKind, ModelSpec, Task};

use crate::kernel::Real;

/// A loss with its settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Loss {
    /// Binary cross-entropy. The positive term is multiplied by `weight`, the terms of positive and
    /// negative labels by `(1 - p)^gamma` with the probability `p` of the label (Lin et al. 2017), and
    /// labels are moved by `smoothing / 2` towards each other.
    Binary {
        /// Weight of positive windows; 1 for no weighting.
        weight: f64,
        /// Focusing exponent; 0 for none.
        gamma: f64,
        /// Label smoothing; 0 for none.
        smoothing: f64,
    },
    /// Mean of `log(1 + exp(z_negative - z_positive))` over all pairs of a positive and a negative window,
    /// a convex surrogate of 1 - AUC that is consistent with it (Gao & Zhou 2015).
    SoftAuc,
    /// Cross-entropy over the softmax of the outputs, with label smoothing (Szegedy et al. 2016). The loss of
    /// a window is multiplied by the weight of its class.
    Classes {
        /// Weight of each class; empty for no weighting.
        weights: Vec<f64>,
        /// Label smoothing; 0 for none.
        smoothing: f64,
    },
    /// Mean squared difference.
    Squared,
}

impl Loss {
    /// Returns the loss that a ladder asks for. `class_weights` are those of a weighted loss, of which the
    /// ladder can give that of positive windows.
    pub(crate) fn new(spec: &ModelSpec, class_weights: &[f64]) -> Self {
        let smoothing = spec.label_smoothing;
        match (spec.task, spec.loss) {
            (Task::Classes, LossKind::Weighted) => Self::Classes { weights: class_weights.into(), smoothing },
            (Task::Classes, _) => Self::Classes { weights: Vec::new(), smoothing },
            (Task::Regression, _) => Self::Squared,
            (Task::Binary, LossKind::SoftAuc) => Self::SoftAuc,
            (Task::Binary, LossKind::Bce) => Self::Binary { weight: 1.0, gamma: 0.0, smoothing },
            (Task::Binary, LossKind::Focal) => {
                Self::Binary { weight: 1.0, gamma: spec.focal_gamma, smoothing }
            }
            (Task::Binary, LossKind::Weighted) => {
                let counted = class_weights.get(1).copied().unwrap_or(1.0);
                Self::Binary { weight: spec.positive_weight.unwrap_or(counted), gamma: 0.0, smoothing }
            }
        }
    }

    /// Returns the mean loss over the windows, with `logits.len() / targets.len()` outputs each, and writes
    /// its gradient with respect to every logit to `d_logits`.
    pub(crate) fn evaluate<T: Real>(&self, logits: &[T], targets: &[f32], d_logits: &mut [T]) -> f64 {
        let share = 1.0 / targets.len() as f64;
        match *self {
            Self::Binary { weight, gamma, smoothing } => {
                let mut total = 0.0;
                for ((logit, &target), d) in logits.iter().zip(targets).zip(d_logits) {
                    let y = f64::from(target) * (1.0 - smoothing) + 0.5 * smoothing;
                    let (loss, slope) = binary(logit.to_f64(), y, weight, gamma);
                    total += loss;
                    *d = T::from_f64(slope * share);
                }
                total * share
            }
            Self::SoftAuc => soft_auc(logits, targets, d_logits),
            Self::Classes { ref weights, smoothing } => {
                let outputs = logits.len() / targets.len();
                let mut total = 0.0;
                let rows = logits.chunks_exact(outputs).zip(d_logits.chunks_exact_mut(outputs));
                for ((logits, d), &target) in rows.zip(targets) {
                    let weight = weights.get(target as usize).copied().unwrap_or(1.0);
                    total += weight * classes(logits, target as usize, smoothing, weight * share, d);
                }
                total * share
            }
            Self::Squared => {
                let mut total = 0.0;
                for ((logit, &target), d) in logits.iter().zip(targets).zip(d_logits) {
                    let difference = logit.to_f64() - f64::from(target);
                    total += difference * difference;
                    *d = T::from_f64(2.0 * difference * share);
                }
                total * share
            }
        }
    }
}

/// Returns the loss of one window and its derivative with respect to the logit `z`, for a label `y` in
/// `[0, 1]`.
fn binary(z: f64, y: f64, weight: f64, gamma: f64) -> (f64, f64) {
    // -log p and -log (1 - p), computed without overflow and without loss of digits.
    let (positive, negative) = (softplus(-z), softplus(z));
    let p = probability(z);
    let q = probability(-z);
    if gamma == 0.0 {
        return (weight * y * positive + (1.0 - y) * negative, (1.0 - y) * p - weight * y * q);
    }
    let (hard, easy) = (q.powf(gamma), p.powf(gamma));
    let loss = weight * y * hard * positive + (1.0 - y) * easy * negative;
    let rising = -hard * (gamma * p * positive + q);
    let falling = easy * (gamma * q * negative + p);
    (loss, weight * y * rising + (1.0 - y) * falling)
}

fn soft_auc<T: Real>(logits: &[T], targets: &[f32], d_logits: &mut [T]) -> f64 {
    let positives = targets.iter().filter(|t| **t > 0.5).count();
    let pairs = positives * (targets.len() - positives);
    d_logits[..targets.len()].fill(T::ZERO);
    let mut slopes = vec![0.0; targets.len()];
    let mut total = 0.0;
    for (i, _) in targets.iter().enumerate().filter(|(_, t)| **t > 0.5) {
        for (j, _) in targets.iter().enumerate().filter(|(_, t)| **t <= 0.5) {
            let difference = logits[j].to_f64() - logits[i].to_f64();
            total += softplus(difference);
            let slope = probability(difference);
            slopes[j] += slope;
            slopes[i] -= slope;
        }
    }
    // A batch of one class has no pairs.
    let share = 1.0 / pairs.max(1) as f64;
    for (d, slope) in d_logits.iter_mut().zip(slopes) {
        *d = T::from_f64(slope * share);
    }
    total * share
}

/// Returns the loss of one window, and writes `share` of its gradient to `d`.
fn classes<T: Real>(logits: &[T], target: usize, smoothing: f64, share: f64, d: &mut [T]) -> f64 {
    let highest = logits.iter().map(|z| z.to_f64()).fold(f64::NEG_INFINITY, |a, z| if z > a { z } else { a });
    let sum: f64 = logits.iter().map(|z| (z.to_f64() - highest).exp()).sum();
    let log_sum = highest + sum.ln();
    let even = smoothing / logits.len() as f64;
    let mut loss = 0.0;
    for (k, (z, d)) in logits.iter().zip(d).enumerate() {
        let label_share = even + if k == target { 1.0 - smoothing } else { 0.0 };
        loss += label_share * (log_sum - z.to_f64());
        *d = T::from_f64(((z.to_f64() - log_sum).exp() - label_share) * share);
    }
    loss
}

/// Returns `log(1 + e^x)`.
fn softplus(x: f64) -> f64 {
    // Not `x.max(0.0)`, which would turn NaN into 0.
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + (-x.abs()).exp().ln_1p()
}

/// Returns the logistic function.
pub(crate) fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
