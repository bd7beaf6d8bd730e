//! Input of the head: the normalised patches or their mean, with dropout.

use super::dropout::Dropout;
use super::{Isa, Kernel, Real};

/// Computes `out = dropout(mean over each group of rows)`. Groups of one row are copied.
pub(crate) struct Pool<'a, T> {
    /// Normalised stream, `rows x width`.
    pub(crate) normed: &'a [T],
    /// Number of rows of a group.
    pub(crate) group: usize,
    /// Number of columns.
    pub(crate) width: usize,
    /// Dropout mask of the result.
    pub(crate) dropout: Dropout<T>,
    /// Result, `(rows / group) x width`, overwritten.
    pub(crate) out: &'a mut [T],
}

impl<T: Real> Kernel for Pool<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.width;
        let share = T::ONE / T::from_f64(self.group as f64);
        let groups = self.normed.chunks_exact(self.group * width).zip(self.out.chunks_exact_mut(width));
        for (g, (rows, out)) in groups.enumerate() {
            out.fill(T::ZERO);
            for row in rows.chunks_exact(width) {
                for (sum, &x) in out.iter_mut().zip(row) {
                    *sum += x;
                }
            }
            for (i, value) in out.iter_mut().enumerate() {
                *value *= share * self.dropout.factor(((g * width) as u32).wrapping_add(i as u32));
            }
        }
    }
}

/// Computes the gradient of a [`Pool`].
pub(crate) struct PoolBackward<'a, T> {
    /// Gradient of the result, `(rows / group) x width`.
    pub(crate) d_out: &'a [T],
    /// Number of rows of a group.
    pub(crate) group: usize,
    /// Number of columns.
    pub(crate) width: usize,
    /// Dropout mask of the result.
    pub(crate) dropout: Dropout<T>,
    /// Gradient of the stream, `rows x width`, overwritten.
    pub(crate) d_normed: &'a mut [T],
}

impl<T: Real> Kernel for PoolBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.width;
        let share = T::ONE / T::from_f64(self.group as f64);
        let groups = self.d_out.chunks_exact(width).zip(self.d_normed.chunks_exact_mut(self.group * width));
        for (g, (d_out, rows)) in groups.enumerate() {
            for row in rows.chunks_exact_mut(width) {
                for (i, (d, &from)) in row.iter_mut().zip(d_out).enumerate() {
                    *d = from * share * self.dropout.factor(((g * width) as u32).wrapping_add(i as u32));
                }
            }
        }
    }
}
