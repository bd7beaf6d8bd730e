//! End of the patch embedding: bias, position embedding, dropout, first normalisation.

use super::dropout::Dropout;
use super::norm::{RowStatistics, normalise};
use super::{Isa, Kernel, Real};

/// Computes `sum = dropout(embedded + bias + position)` and its normalisation.
pub(crate) struct EmbedNorm<'a, T> {
    /// Product of patches and embedding weights, `rows x width`; overwritten with the sum.
    pub(crate) stream: &'a mut [T],
    /// Bias of the embedding.
    pub(crate) bias: &'a [T],
    /// Position embedding, `patches x width`. Row number `r` has position `r % patches`.
    pub(crate) positions: &'a [T],
    /// Dropout mask of the sum.
    pub(crate) dropout: Dropout<T>,
    /// Number of the first of the rows, on which the mask and the position depend.
    pub(crate) first_row: usize,
    /// Gain of the normalisation; its length is the width.
    pub(crate) gain: &'a [T],
    /// Shift of the normalisation.
    pub(crate) shift: &'a [T],
    /// Normalised stream, `rows x width`.
    pub(crate) normed: &'a mut [T],
    /// Statistics per row.
    pub(crate) statistics: &'a mut [RowStatistics<T>],
}

impl<T: Real> Kernel for EmbedNorm<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.gain.len();
        let bias = &self.bias[..width];
        let patches = self.positions.len() / width;
        let positions = self.positions.chunks_exact(width).cycle().skip(self.first_row % patches);
        let rows = self
            .stream
            .chunks_exact_mut(width)
            .zip(self.normed.chunks_exact_mut(width))
            .zip(positions)
            .zip(self.statistics);
        for (row, (((stream, normed), position), statistics)) in rows.enumerate() {
            for i in 0..width {
                stream[i] = stream[i] + bias[i] + position[i];
            }
            if !self.dropout.is_off() {
                let first = ((self.first_row + row) * width) as u32;
                for i in 0..width {
                    stream[i] *= self.dropout.factor(first.wrapping_add(i as u32));
                }
            }
            *statistics = normalise::<I, T>(stream, self.gain, self.shift, normed);
        }
    }
}

/// Computes the gradient of the position embedding from that of the embedded patches.
pub(crate) struct EmbedBackward<'a, T> {
    /// Gradient of the embedding's product after dropout, `rows x width`.
    pub(crate) d_embedded: &'a [T],
    /// Gradient of the position embedding, `patches x width`, added to.
    pub(crate) d_positions: &'a mut [T],
}

impl<T: Real> Kernel for EmbedBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for window in self.d_embedded.chunks_exact(self.d_positions.len()) {
            for (d, &g) in self.d_positions.iter_mut().zip(window) {
                *d += g;
            }
        }
    }
}
