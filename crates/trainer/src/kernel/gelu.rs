//! The exact GELU (Hendrycks & Gimpel 2016, `x Phi(x)`), fused with bias and dropout.

use super::dropout::Dropout;
use super::{Isa, Kernel, Real, multiply_add};

/// Computes `activated = dropout(gelu(wide + bias))` and its derivative, including dropout, for the
/// backward pass.
pub(crate) struct Gelu<'a, T> {
    /// Input without its bias, `rows x width`; overwritten with the derivative of `activated` with respect
    /// to the input.
    pub(crate) wide: &'a mut [T],
    /// Bias; its length is the width.
    pub(crate) bias: &'a [T],
    /// Dropout mask of the output.
    pub(crate) dropout: Dropout<T>,
    /// Number of the first of the rows, on which the mask depends.
    pub(crate) first_row: usize,
    /// Output, `rows x width`.
    pub(crate) activated: &'a mut [T],
}

impl<T: Real> Kernel for Gelu<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.bias.len();
        let rows = self.wide.chunks_exact_mut(width).zip(self.activated.chunks_exact_mut(width));
        for (row, (wide, activated)) in rows.enumerate() {
            for i in 0..width {
                let x = wide[i] + self.bias[i];
                let (cdf, density) = x.normal::<I>();
                activated[i] = x * cdf;
                wide[i] = multiply_add::<I, T>(x, density, cdf);
            }
            if !self.dropout.is_off() {
                let first = ((self.first_row + row) * width) as u32;
                for i in 0..width {
                    let factor = self.dropout.factor(first.wrapping_add(i as u32));
                    activated[i] *= factor;
                    wide[i] *= factor;
                }
            }
        }
    }
}

/// Computes `gradient *= slope` and the gradient of the bias.
pub(crate) struct GeluBackward<'a, T> {
    /// Gradient of the output, `rows x width`; overwritten with that of the input.
    pub(crate) gradient: &'a mut [T],
    /// Derivative computed by [`Gelu`].
    pub(crate) slope: &'a [T],
    /// Gradient of the bias, added to; its length is the width.
    pub(crate) d_bias: &'a mut [T],
}

impl<T: Real> Kernel for GeluBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.d_bias.len();
        for (gradient, slope) in self.gradient.chunks_exact_mut(width).zip(self.slope.chunks_exact(width)) {
            for i in 0..width {
                gradient[i] *= slope[i];
                self.d_bias[i] += gradient[i];
            }
        }
    }
}
