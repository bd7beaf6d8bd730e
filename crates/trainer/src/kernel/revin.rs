//! Reversible instance normalisation without its affine part (Kim et al. 2022). A classifier never reverses
//! it.

use super::{Isa, Kernel, Real};

/// Added to the variance, as in the paper's code.
const EPSILON: f64 = 1e-5;

/// Scales each feature of one window by the window's own mean and standard deviation (over `n`).
///
/// Differences from the first row are averaged: a mean of the values themselves would lose the digits of a
/// feature whose level is far above its deviation, and depend on the order of the sum.
pub(crate) struct Revin<'a, T> {
    /// Window, `context x features`.
    pub(crate) window: &'a [f32],
    /// Buffer for mean and reciprocal standard deviation of each feature, twice the number of features.
    pub(crate) statistics: &'a mut [T],
    /// Scaled window, as long as `window`.
    pub(crate) out: &'a mut [T],
}

impl<T: Real> Kernel for Revin<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let features = self.statistics.len() / 2;
        let (mean, inverse) = self.statistics.split_at_mut(features);
        let rows = T::ONE / T::from_f64((self.window.len() / features) as f64);
        let number = |x: f32| T::from_f64(f64::from(x));
        let rows_out = self.out.chunks_exact_mut(features);
        for (out, row) in rows_out.zip(self.window.chunks_exact(features)) {
            for ((o, &x), &first) in out.iter_mut().zip(row).zip(self.window) {
                *o = number(x) - number(first);
            }
        }
        mean.fill(T::ZERO);
        inverse.fill(T::ZERO);
        for row in self.out.chunks_exact(features) {
            for (m, &x) in mean.iter_mut().zip(row) {
                *m += x;
            }
        }
        for m in &mut *mean {
            *m *= rows;
        }
        for row in self.out.chunks_exact(features) {
            for ((v, &m), &x) in inverse.iter_mut().zip(&*mean).zip(row) {
                *v += (x - m) * (x - m);
            }
        }
        for v in &mut *inverse {
            *v = T::ONE / (*v * rows + T::from_f64(EPSILON)).sqrt();
        }
        for row in self.out.chunks_exact_mut(features) {
            for ((o, &m), &i) in row.iter_mut().zip(&*mean).zip(&*inverse) {
                *o = (*o - m) * i;
            }
        }
    }
}
