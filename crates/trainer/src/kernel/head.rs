//! The last layer: a window's normalised patches times one vector of weights, plus a bias.

use super::lanes::sum_over;
use super::{Isa, Kernel, Real, multiply_add};

/// One logit per window.
pub(crate) struct Head<'a, T> {
    /// Normalised stream, `windows x (patches * width)`.
    pub(crate) normed: &'a [T],
    /// Weights, `patches * width`.
    pub(crate) weights: &'a [T],
    /// The bias.
    pub(crate) bias: T,
    /// Logits, one per window.
    pub(crate) logits: &'a mut [T],
}

impl<T: Real> Kernel for Head<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.weights.len();
        for (normed, logit) in self.normed.chunks_exact(width).zip(self.logits) {
            *logit = sum_over(width, |i| normed[i] * self.weights[i]) + self.bias;
        }
    }
}

/// Gradients of the head's weights and of its input.
pub(crate) struct HeadBackward<'a, T> {
    /// Normalised stream, `windows x (patches * width)`.
    pub(crate) normed: &'a [T],
    /// Weights, `patches * width`.
    pub(crate) weights: &'a [T],
    /// Gradient of the logits, one per window.
    pub(crate) d_logits: &'a [T],
    /// Gradient of the weights, added to.
    pub(crate) d_weights: &'a mut [T],
    /// Gradient of the normalised stream, overwritten.
    pub(crate) d_normed: &'a mut [T],
}

impl<T: Real> Kernel for HeadBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.weights.len();
        let d_weights = &mut self.d_weights[..width];
        let windows = self.normed.chunks_exact(width).zip(self.d_normed.chunks_exact_mut(width));
        for ((normed, d_normed), &d_logit) in windows.zip(self.d_logits) {
            for i in 0..width {
                d_weights[i] = multiply_add::<I, T>(d_logit, normed[i], d_weights[i]);
                d_normed[i] = d_logit * self.weights[i];
            }
        }
    }
}
