//! Layer normalisation fused with what comes before it (bias, dropout, residual sum) and, backwards, with what comes
//! after it in that direction (residual sum, dropout, gradient of the bias).

use super::dropout::Dropout;
use super::lanes::sum_over;
use super::{Isa, Kernel, Real, multiply_add};

/// Added to the variance, as `PyTorch`'s `LayerNorm` does by default.
const EPSILON: f64 = 1e-5;

/// Mean and inverse standard deviation of a row.
pub(crate) type RowStatistics<T> = [T; 2];

/// Normalises one row: `out = (x - mean) / sqrt(variance + epsilon) * gain + shift`.
#[inline(always)]
pub(super) fn normalise<I: Isa, T: Real>(
    x: &[T],
    gain: &[T],
    shift: &[T],
    out: &mut [T],
) -> RowStatistics<T> {
    let width = out.len();
    let (x, gain, shift) = (&x[..width], &gain[..width], &shift[..width]);
    let scale = T::ONE / T::from_f64(width as f64);
    let mean = sum_over(width, |i| x[i]) * scale;
    let variance = sum_over(width, |i| (x[i] - mean) * (x[i] - mean)) * scale;
    let inverse = T::ONE / (variance + T::from_f64(EPSILON)).sqrt();
    for i in 0..width {
        out[i] = multiply_add::<I, T>((x[i] - mean) * inverse, gain[i], shift[i]);
    }
    [mean, inverse]
}

/// `sum = residual + dropout(branch + bias)`, then its normalisation.
pub(crate) struct AddNorm<'a, T> {
    /// Residual stream before, `rows x width`.
    pub(crate) residual: &'a [T],
    /// Output of the branch without its bias, `rows x width`.
    pub(crate) branch: &'a [T],
    /// Bias of the branch.
    pub(crate) bias: &'a [T],
    /// Mask of the branch.
    pub(crate) dropout: Dropout<T>,
    /// Gain of the normalisation; its length is the width.
    pub(crate) gain: &'a [T],
    /// Shift of the normalisation.
    pub(crate) shift: &'a [T],
    /// Residual stream after, `rows x width`.
    pub(crate) sum: &'a mut [T],
    /// Normalised stream, `rows x width`.
    pub(crate) normed: &'a mut [T],
    /// Statistics per row.
    pub(crate) statistics: &'a mut [RowStatistics<T>],
}

impl<T: Real> Kernel for AddNorm<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.gain.len();
        let bias = &self.bias[..width];
        let rows = self
            .sum
            .chunks_exact_mut(width)
            .zip(self.normed.chunks_exact_mut(width))
            .zip(self.residual.chunks_exact(width).zip(self.branch.chunks_exact(width)))
            .zip(self.statistics);
        for (row, (((sum, normed), (residual, branch)), statistics)) in rows.enumerate() {
            if self.dropout.is_off() {
                for i in 0..width {
                    sum[i] = residual[i] + (branch[i] + bias[i]);
                }
            } else {
                let first = (row * width) as u32;
                for i in 0..width {
                    let factor = self.dropout.factor(first.wrapping_add(i as u32));
                    sum[i] = multiply_add::<I, T>(branch[i] + bias[i], factor, residual[i]);
                }
            }
            *statistics = normalise::<I, T>(sum, self.gain, self.shift, normed);
        }
    }
}

/// Gradient through a normalisation: `d_stream += d(normed)/d(sum) d_normed`, and then, for the branch whose output
/// was added to the stream before, `d_branch = dropout(d_stream)` and the gradient of its bias.
pub(crate) struct AddNormBackward<'a, T> {
    /// Residual stream that was normalised, `rows x width`.
    pub(crate) sum: &'a [T],
    /// Its statistics per row.
    pub(crate) statistics: &'a [RowStatistics<T>],
    /// Gain of the normalisation; its length is the width.
    pub(crate) gain: &'a [T],
    /// Gradient of the normalised stream, `rows x width`.
    pub(crate) d_normed: &'a [T],
    /// Gradient of the residual stream, `rows x width`, added to.
    pub(crate) d_stream: &'a mut [T],
    /// Gradients of gain and shift, added to.
    pub(crate) d_gain: &'a mut [T],
    /// See `d_gain`.
    pub(crate) d_shift: &'a mut [T],
    /// Mask of the branch that was added before.
    pub(crate) dropout: Dropout<T>,
    /// Gradient of that branch's output, `rows x width`, overwritten.
    pub(crate) d_branch: &'a mut [T],
    /// Gradient of that branch's bias, added to.
    pub(crate) d_bias: &'a mut [T],
}

impl<T: Real> Kernel for AddNormBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.gain.len();
        let gain = self.gain;
        let (d_gain, d_shift) = (&mut self.d_gain[..width], &mut self.d_shift[..width]);
        let d_bias = &mut self.d_bias[..width];
        let scale = T::ONE / T::from_f64(width as f64);
        let rows = self
            .d_stream
            .chunks_exact_mut(width)
            .zip(self.d_branch.chunks_exact_mut(width))
            .zip(self.sum.chunks_exact(width).zip(self.d_normed.chunks_exact(width)))
            .zip(self.statistics);
        for (row, (((d_stream, d_branch), (sum, d_normed)), &[mean, inverse])) in rows.enumerate() {
            let standard = |i: usize| (sum[i] - mean) * inverse;
            let mean_gradient = sum_over(width, |i| d_normed[i] * gain[i]) * scale;
            let mean_product = sum_over(width, |i| d_normed[i] * gain[i] * standard(i)) * scale;
            let first = (row * width) as u32;
            let off = self.dropout.is_off();
            for i in 0..width {
                let z = standard(i);
                d_gain[i] = multiply_add::<I, T>(d_normed[i], z, d_gain[i]);
                d_shift[i] += d_normed[i];
                let inner = multiply_add::<I, T>(d_normed[i], gain[i], -mean_gradient);
                let inner = multiply_add::<I, T>(-z, mean_product, inner);
                d_stream[i] = multiply_add::<I, T>(inner, inverse, d_stream[i]);
            }
            if off {
                for i in 0..width {
                    d_branch[i] = d_stream[i];
                    d_bias[i] += d_branch[i];
                }
            } else {
                for i in 0..width {
                    d_branch[i] = d_stream[i] * self.dropout.factor(first.wrapping_add(i as u32));
                    d_bias[i] += d_branch[i];
                }
            }
        }
    }
}
