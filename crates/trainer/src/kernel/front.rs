//! Layers with weights before the patches: the affine part of `RevIN`, the feature embedding, and the cut
//! of series into patches with its gradient.

use super::{Isa, Kernel, Real, multiply_add};

/// Computes `out = x * gain + shift` with a gain and a shift per column (Kim et al. 2022, equation 2).
pub(crate) struct Affine<'a, T> {
    /// Input, `rows x columns`.
    pub(crate) x: &'a [T],
    /// Gain per column.
    pub(crate) gain: &'a [T],
    /// Shift per column.
    pub(crate) shift: &'a [T],
    /// Output, `rows x columns`, overwritten.
    pub(crate) out: &'a mut [T],
}

impl<T: Real> Kernel for Affine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let columns = self.gain.len();
        for (x, out) in self.x.chunks_exact(columns).zip(self.out.chunks_exact_mut(columns)) {
            for i in 0..columns {
                out[i] = multiply_add::<I, T>(x[i], self.gain[i], self.shift[i]);
            }
        }
    }
}

/// Computes the gradients of gain and shift of an [`Affine`].
pub(crate) struct AffineBackward<'a, T> {
    /// Input of the layer, `rows x columns`.
    pub(crate) x: &'a [T],
    /// Gradient of rows that begin with the output, `rows x width`.
    pub(crate) d_out: &'a [T],
    /// Number of values of such a row.
    pub(crate) width: usize,
    /// Gradient of the gain, added to.
    pub(crate) d_gain: &'a mut [T],
    /// Gradient of the shift, added to.
    pub(crate) d_shift: &'a mut [T],
}

impl<T: Real> Kernel for AffineBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let columns = self.d_gain.len();
        for (x, d) in self.x.chunks_exact(columns).zip(self.d_out.chunks_exact(self.width)) {
            for i in 0..columns {
                self.d_gain[i] = multiply_add::<I, T>(d[i], x[i], self.d_gain[i]);
                self.d_shift[i] += d[i];
            }
        }
    }
}

/// Adds one row to every row.
pub(crate) struct AddRow<'a, T> {
    /// Rows to change, `rows x columns`.
    pub(crate) values: &'a mut [T],
    /// Row to add, one number per column.
    pub(crate) row: &'a [T],
}

impl<T: Real> Kernel for AddRow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for values in self.values.chunks_exact_mut(self.row.len()) {
            for (value, &more) in values.iter_mut().zip(self.row) {
                *value += more;
            }
        }
    }
}

/// Adds up all rows.
pub(crate) struct SumRows<'a, T> {
    /// Rows to add up, `rows x columns`.
    pub(crate) values: &'a [T],
    /// Sum per column, added to.
    pub(crate) sum: &'a mut [T],
}

impl<T: Real> Kernel for SumRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for values in self.values.chunks_exact(self.sum.len()) {
            for (sum, &value) in self.sum.iter_mut().zip(values) {
                *sum += value;
            }
        }
    }
}

/// How the series of a window are cut into patches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// Number of columns of a row.
    pub(crate) columns: usize,
    /// Number of rows in a patch.
    pub(crate) patch: usize,
    /// Rows from one patch to the next.
    pub(crate) stride: usize,
    /// Number of patches of a window.
    pub(crate) patches: usize,
    /// Whether each column is a series of its own.
    pub(crate) independent: bool,
}

impl Cut {
    /// Writes the patches of one window one after the other: `patches x (patch * columns)`, or
    /// `columns x patches x patch` if the columns are independent.
    pub(crate) fn apply<S: Copy, T>(self, window: &[S], patches: &mut [T], convert: impl Fn(S) -> T) {
        let step = self.stride * self.columns;
        if self.independent {
            for (series, rows) in patches.chunks_exact_mut(self.patches * self.patch).enumerate() {
                for (p, patch) in rows.chunks_exact_mut(self.patch).enumerate() {
                    let values = window[p * step + series..].iter().step_by(self.columns);
                    for (to, &from) in patch.iter_mut().zip(values) {
                        *to = convert(from);
                    }
                }
            }
        } else {
            for (p, patch) in patches.chunks_exact_mut(self.patch * self.columns).enumerate() {
                for (to, &from) in patch.iter_mut().zip(&window[p * step..]) {
                    *to = convert(from);
                }
            }
        }
    }

    /// Adds the gradient of a window's patches to that of its values.
    pub(crate) fn add_back<T: Real>(self, d_patches: &[T], d_window: &mut [T]) {
        let step = self.stride * self.columns;
        if self.independent {
            for (series, rows) in d_patches.chunks_exact(self.patches * self.patch).enumerate() {
                for (p, patch) in rows.chunks_exact(self.patch).enumerate() {
                    let values = d_window[p * step + series..].iter_mut().step_by(self.columns);
                    for (to, &from) in values.zip(patch) {
                        *to += from;
                    }
                }
            }
        } else {
            for (p, patch) in d_patches.chunks_exact(self.patch * self.columns).enumerate() {
                for (to, &from) in d_window[p * step..].iter_mut().zip(patch) {
                    *to += from;
                }
            }
        }
    }
}
