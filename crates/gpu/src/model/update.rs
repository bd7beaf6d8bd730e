//! `AdamW` (Loshchilov & Hutter 2019) on the flat weights of several models, each with its own step and
//! rates.

use burn_tensor::Tensor;

use super::floats;
use super::weights::sum_of_rows;

/// Exponential decay of the first moment.
const BETA1: f64 = 0.9;
/// Exponential decay of the second moment.
const BETA2: f64 = 0.999;
/// Added to the root of the second moment.
const EPSILON: f64 = 1e-8;

/// Settings of an update that differ between models.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    /// Factor that clips the gradient.
    pub(crate) clip: f64,
    /// Learning rate of this step.
    pub(crate) learning_rate: f64,
    /// Decoupled weight decay.
    pub(crate) weight_decay: f64,
    /// Number of this update, from 1.
    pub(crate) step: u64,
}

/// Returns weights and moments after one update; all are `models x weights`.
pub(crate) fn adamw(state: [Tensor<2>; 3], gradient: Tensor<2>, rates: &[Rates]) -> [Tensor<2>; 3] {
    let [weights, first, second] = state;
    let device = weights.device();
    let column = |of: &dyn Fn(&Rates) -> f64| {
        floats(rates.iter().map(|r| of(r) as f32).collect(), [rates.len(), 1], &device)
    };
    let power = |r: &Rates| r.step.min(1 << 30) as i32;
    let step_size = column(&|r| r.learning_rate / (1.0 - BETA1.powi(power(r))));
    let correction = column(&|r| 1.0 / (1.0 - BETA2.powi(power(r))).sqrt());
    let decay = column(&|r| 1.0 - r.learning_rate * r.weight_decay);
    let gradient = gradient * column(&|r| r.clip);
    let first = (gradient.clone() - first.clone()) * (1.0 - BETA1) + first;
    let second = gradient.square() * (1.0 - BETA2) + second * BETA2;
    let denominator = second.clone().sqrt() * correction + EPSILON;
    let weights = weights * decay - first.clone() * step_size / denominator;
    [weights, first, second]
}

/// Returns the sum of squares of each model's numbers, `models x 1`.
pub(crate) fn sums_of_squares(values: Tensor<2>) -> Tensor<2> {
    let [models, numbers] = values.dims();
    sum_of_rows(values.square().reshape([models, numbers, 1])).reshape([models, 1])
}
