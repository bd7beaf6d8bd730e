//! Layer normalisation, fused with the preceding operations (bias, dropout, residual sum) and, in the
//! backward pass, with their gradients.

use super::dropout::Dropout;
use super::lanes::sums;
use super::{Isa, Kernel, Real, multiply_add};

/// Added to the variance, as `PyTorch`'s `LayerNorm` does by default.
const EPSILON: f64 = 1e-5;

/// Mean and reciprocal standard deviation of a row.
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
    let mean = sums([x], |x| x)[0] * scale;
    let variance = sums([x], |[x]| [(x - mean) * (x - mean)])[0] * scale;
    let inverse = T::ONE / (variance + T::from_f64(EPSILON)).sqrt();
    for i in 0..width {
        out[i] = multiply_add::<I, T>((x[i] - mean) * inverse, gain[i], shift[i]);
    }
    [mean, inverse]
}

/// Computes `sum = residual + dropout(branch + bias)` and its normalisation.
pub(crate) struct AddNorm<'a, T> {
    /// Residual stream before the sum, `rows x width`.
    pub(crate) residual: &'a [T],
    /// Output of the branch without its bias, `rows x width`.
    pub(crate) branch: &'a [T],
    /// Bias of the branch.
    pub(crate) bias: &'a [T],
    /// Dropout mask of the branch.
    pub(crate) dropout: Dropout<T>,
    /// Number of the first of the rows, on which the mask depends.
    pub(crate) first_row: usize,
    /// Gain of the normalisation; its length is the width.
    pub(crate) gain: &'a [T],
    /// Shift of the normalisation.
    pub(crate) shift: &'a [T],
    /// Residual stream after the sum, `rows x width`.
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
                let first = ((self.first_row + row) * width) as u32;
                for i in 0..width {
                    let factor = self.dropout.factor(first.wrapping_add(i as u32));
                    sum[i] = multiply_add::<I, T>(branch[i] + bias[i], factor, residual[i]);
                }
            }
            *statistics = normalise::<I, T>(sum, self.gain, self.shift, normed);
        }
    }
}

/// Computes the gradient of a normalisation, `d_stream += d(normed)/d(sum) d_normed`, then that of the
/// branch added before it, `d_branch = dropout(d_stream)`, and of the branch's bias.
pub(crate) struct AddNormBackward<'a, T> {
    /// Residual stream that was normalised, `rows x width`.
    pub(crate) sum: &'a [T],
    /// Statistics per row.
    pub(crate) statistics: &'a [RowStatistics<T>],
    /// Gain of the normalisation; its length is the width.
    pub(crate) gain: &'a [T],
    /// Gradient of the normalised stream, `rows x width`.
    pub(crate) d_normed: &'a [T],
    /// Gradient of the residual stream, `rows x width`, added to.
    pub(crate) d_stream: &'a mut [T],
    /// Gradient of the gain, added to.
    pub(crate) d_gain: &'a mut [T],
    /// Gradient of the shift, added to.
    pub(crate) d_shift: &'a mut [T],
    /// Dropout mask of the branch.
    pub(crate) dropout: Dropout<T>,
    /// Number of the first of the rows, on which the mask depends.
    pub(crate) first_row: usize,
    /// Gradient of the branch's output, `rows x width`, overwritten.
    pub(crate) d_branch: &'a mut [T],
    /// Gradient of the branch's bias, added to.
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
            let standard = |x: T| (x - mean) * inverse;
            let [mean_gradient, mean_product] = sums([d_normed, gain, sum], |[d, gain, x]| {
                let inner = d * gain;
                [inner, inner * standard(x)]
            });
            let (mean_gradient, mean_product) = (mean_gradient * scale, mean_product * scale);
            let first = ((self.first_row + row) * width) as u32;
            let off = self.dropout.is_off();
            for i in 0..width {
                let z = standard(sum[i]);
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
