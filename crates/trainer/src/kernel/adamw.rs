//! `AdamW` (Loshchilov & Hutter 2019) on flat buffers in one pass, including gradient clipping.

use super::lanes::sums;
use super::{Isa, Kernel, Real, multiply_add};

/// Exponential decay of the first moment.
const BETA1: f64 = 0.9;
/// Exponential decay of the second moment.
const BETA2: f64 = 0.999;
/// Added to the root of the second moment.
const EPSILON: f64 = 1e-8;

/// One update of every weight, with the semantics of `torch.optim.AdamW`.
pub(crate) struct AdamW<'a, T> {
    /// Weights, updated in place.
    pub(crate) weights: &'a mut [T],
    /// Gradient of the weights.
    pub(crate) gradient: &'a [T],
    /// First moments, updated in place.
    pub(crate) first: &'a mut [T],
    /// Second moments, updated in place.
    pub(crate) second: &'a mut [T],
    /// Factor that clips the gradient, at most 1.
    pub(crate) clip: f64,
    /// Learning rate of this step.
    pub(crate) learning_rate: f64,
    /// Share of each weight that the decoupled weight decay removes in this step.
    pub(crate) decay: f64,
    /// Number of this update, from 1.
    pub(crate) step: u64,
}

impl<T: Real> Kernel for AdamW<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let power = self.step.min(1 << 30) as i32;
        let step_size = T::from_f64(self.learning_rate / (1.0 - BETA1.powi(power)));
        let correction = T::from_f64(1.0 / (1.0 - BETA2.powi(power)).sqrt());
        let decay = T::from_f64(1.0 - self.decay);
        let (clip, epsilon) = (T::from_f64(self.clip), T::from_f64(EPSILON));
        let (one_minus_beta1, beta2) = (T::from_f64(1.0 - BETA1), T::from_f64(BETA2));
        let one_minus_beta2 = T::from_f64(1.0 - BETA2);
        let n = self.weights.len();
        let (gradient, first, second) = (&self.gradient[..n], &mut self.first[..n], &mut self.second[..n]);
        for i in 0..n {
            let g = gradient[i] * clip;
            let m = multiply_add::<I, T>(g - first[i], one_minus_beta1, first[i]);
            let v = multiply_add::<I, T>(g * g, one_minus_beta2, second[i] * beta2);
            first[i] = m;
            second[i] = v;
            let denominator = multiply_add::<I, T>(v.sqrt(), correction, epsilon);
            self.weights[i] = multiply_add::<I, T>(self.weights[i], decay, -(step_size * m / denominator));
        }
    }
}

/// Numbers of a block of a sum of squares.
const BLOCK: usize = 4096;

/// Sum of squares, computed in blocks so that single precision loses no significant digits.
pub(crate) struct SumOfSquares<'a, T> {
    /// Numbers to sum.
    pub(crate) values: &'a [T],
}

impl<T: Real> Kernel for SumOfSquares<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let mut total = 0.0;
        // Memory is read faster in several places at once.
        let (together, rest) = self.values.as_chunks::<{ 4 * BLOCK }>();
        for blocks in together {
            let (a, b) = blocks.split_at(2 * BLOCK);
            let ((a, b), (c, d)) = (a.split_at(BLOCK), b.split_at(BLOCK));
            let squares = sums([a, b, c, d], |[a, b, c, d]| [a * a, b * b, c * c, d * d]);
            for i in 0..squares.len() {
                total += squares[i].to_f64();
            }
        }
        for block in rest.chunks(BLOCK) {
            total += sums([block], |[x]| [x * x])[0].to_f64();
        }
        total
    }
}
