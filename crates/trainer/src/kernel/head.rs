//! Last layer: a linear map of each window's input to the outputs.

use super::lanes::sums;
use super::{Isa, Kernel, Real, multiply_add};

/// Computes the outputs of each window.
pub(crate) struct Head<'a, T> {
    /// Input of the head, `windows x inputs`.
    pub(crate) inputs: &'a [T],
    /// Weights, `outputs x inputs`.
    pub(crate) weights: &'a [T],
    /// Bias per output.
    pub(crate) bias: &'a [T],
    /// Logits, `windows x outputs`.
    pub(crate) logits: &'a mut [T],
}

impl<T: Real> Kernel for Head<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let outputs = self.bias.len();
        let width = self.weights.len() / outputs;
        for (inputs, logits) in self.inputs.chunks_exact(width).zip(self.logits.chunks_exact_mut(outputs)) {
            let rows = self.weights.chunks_exact(width).zip(self.bias);
            for (logit, (weights, &bias)) in logits.iter_mut().zip(rows) {
                *logit = sums([inputs, weights], |[x, w]| [x * w])[0] + bias;
            }
        }
    }
}

/// Computes the gradients of the head's weights and of its input.
pub(crate) struct HeadBackward<'a, T> {
    /// Input of the head, `windows x inputs`.
    pub(crate) inputs: &'a [T],
    /// Number of outputs.
    pub(crate) outputs: usize,
    /// Weights, `outputs x inputs`.
    pub(crate) weights: &'a [T],
    /// Gradient of the logits, `windows x outputs`.
    pub(crate) d_logits: &'a [T],
    /// Gradient of the weights, added to.
    pub(crate) d_weights: &'a mut [T],
    /// Gradient of the input, overwritten.
    pub(crate) d_inputs: &'a mut [T],
}

impl<T: Real> Kernel for HeadBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let outputs = self.outputs;
        let width = self.weights.len() / outputs;
        let windows = self.inputs.chunks_exact(width).zip(self.d_inputs.chunks_exact_mut(width));
        for ((inputs, d_inputs), d_logits) in windows.zip(self.d_logits.chunks_exact(outputs)) {
            d_inputs.fill(T::ZERO);
            let rows = self.weights.chunks_exact(width).zip(self.d_weights.chunks_exact_mut(width));
            for ((weights, d_weights), &d_logit) in rows.zip(d_logits) {
                for i in 0..width {
                    d_weights[i] = multiply_add::<I, T>(d_logit, inputs[i], d_weights[i]);
                    d_inputs[i] = multiply_add::<I, T>(d_logit, weights[i], d_inputs[i]);
                }
            }
        }
    }
}
