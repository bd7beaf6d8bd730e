//! Multi-head attention over the few patches of a window, with its own loops: products of 9 x 12 x 9
//! numbers are too small for a general matrix product.
//!
//! Columns of a head are read in whole chunks, past the end of the head if its width is not a multiple of
//! the chunk. The results of the surplus lanes go to the columns of the next head, which is written later,
//! or to the slack at the end of a row of scratch. Therefore `qkv` and `d_mixed` must be [`SLACK`] longer
//! than their rows.

use super::dropout::Dropout;
use super::lanes::{self, Chunk, LANES, padded};
use super::{Isa, Kernel, Real, multiply_add};

/// Number of values that must follow the last row of `qkv` and `d_mixed`.
pub(crate) const SLACK: usize = LANES;

/// Shape of the attention of one layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionShape {
    /// Number of patches of a window.
    pub(crate) patches: usize,
    /// Width of the residual stream.
    pub(crate) width: usize,
    /// Number of heads, a divisor of the width.
    pub(crate) heads: usize,
    /// Factor of the products of queries and keys.
    pub(crate) scale: f64,
}

impl AttentionShape {
    /// Returns the number of columns of a head.
    fn head_width(self) -> usize {
        self.width / self.heads
    }

    /// Returns the number of stored probabilities per head and window: a row per query, padded to whole
    /// chunks of keys.
    fn head_probabilities(self) -> usize {
        self.patches * padded(self.patches)
    }

    /// Returns the number of stored probabilities per window.
    pub(crate) fn window_probabilities(self) -> usize {
        self.heads * self.head_probabilities()
    }

    /// Returns the number of scratch values that both kernels need.
    pub(crate) fn scratch(self) -> usize {
        self.head_width() * padded(self.patches)
            + 2 * self.head_probabilities()
            + 3 * self.patches * (self.width + SLACK)
    }

    /// Splits scratch into a transposed head, two tables of probabilities for one head, and three tables of
    /// rows with slack.
    #[inline(always)]
    fn split<T>(self, scratch: &mut [T]) -> (&mut [T], [&mut [T]; 2], [&mut [T]; 3]) {
        let rows = self.patches * (self.width + SLACK);
        let (transposed, rest) = scratch.split_at_mut(self.head_width() * padded(self.patches));
        let (first, rest) = rest.split_at_mut(self.head_probabilities());
        let (second, rest) = rest.split_at_mut(self.head_probabilities());
        let (a, rest) = rest.split_at_mut(rows);
        let (b, rest) = rest.split_at_mut(rows);
        (transposed, [first, second], [a, b, &mut rest[..rows]])
    }
}

/// Computes `mixed = dropout(softmax(scale q k')) v` for every window and head.
pub(crate) struct Attention<'a, T> {
    /// Shape of the layer.
    pub(crate) shape: AttentionShape,
    /// Queries, keys and values without their bias, `rows x (3 width)` and slack. The bias is added in
    /// place.
    pub(crate) qkv: &'a mut [T],
    /// Bias of queries, keys and values.
    pub(crate) bias: &'a [T],
    /// Dropout mask of the probabilities.
    pub(crate) dropout: Dropout<T>,
    /// Number of the first of the windows, on which the mask depends.
    pub(crate) first_window: usize,
    /// Probabilities before dropout, for the backward pass.
    pub(crate) probabilities: &'a mut [T],
    /// Result, `rows x width`. Its length determines the number of windows.
    pub(crate) mixed: &'a mut [T],
    /// Scratch of [`AttentionShape::scratch`] values.
    pub(crate) scratch: &'a mut [T],
}

impl<T: Real> Kernel for Attention<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let AttentionShape { patches, width, heads, .. } = self.shape;
        let head_width = self.shape.head_width();
        let (row, lanes) = (3 * width, padded(patches));
        let out_row = width + SLACK;
        let scale = T::from_f64(self.shape.scale);
        let (transposed, [masked, _], [out, _, _]) = self.shape.split(self.scratch);
        transposed.fill(T::ZERO);
        let tables = self.probabilities.chunks_exact_mut(self.shape.window_probabilities());
        for (window, (mixed, tables)) in self.mixed.chunks_exact_mut(patches * width).zip(tables).enumerate()
        {
            let first = window * patches * row;
            for values in self.qkv[first..first + patches * row].chunks_exact_mut(row) {
                for (value, &bias) in values.iter_mut().zip(self.bias) {
                    *value += bias;
                }
            }
            let qkv = &self.qkv[first..];
            for (head, table) in tables.chunks_exact_mut(self.shape.head_probabilities()).enumerate() {
                let column = head * head_width;
                transpose(&qkv[width + column..], row, head_width, patches, transposed);
                product::<I, T>(
                    [patches, head_width],
                    Factors { values: &qkv[column..], strides: [row, 1] },
                    Rows { values: transposed, stride: lanes, lanes },
                    table,
                    lanes,
                );
                for scores in table.chunks_exact_mut(lanes) {
                    softmax::<I, T>(scores, patches, scale);
                }
                let weights = if self.dropout.is_off() {
                    &*table
                } else {
                    let position = ((self.first_window + window) * heads + head) * table.len();
                    for (i, (m, &p)) in masked.iter_mut().zip(&*table).enumerate() {
                        *m = p * self.dropout.factor((position as u32).wrapping_add(i as u32));
                    }
                    &*masked
                };
                product::<I, T>(
                    [patches, patches],
                    Factors { values: weights, strides: [lanes, 1] },
                    Rows { values: &qkv[2 * width + column..], stride: row, lanes: padded(head_width) },
                    &mut out[column..],
                    out_row,
                );
            }
            for (mixed, out) in mixed.chunks_exact_mut(width).zip(out.chunks_exact(out_row)) {
                mixed.copy_from_slice(&out[..width]);
            }
        }
    }
}

/// Computes the gradients of [`Attention`].
pub(crate) struct AttentionBackward<'a, T> {
    /// Shape of the layer.
    pub(crate) shape: AttentionShape,
    /// Queries, keys and values after the forward pass, `rows x (3 width)` and slack.
    pub(crate) qkv: &'a [T],
    /// Dropout mask of the probabilities.
    pub(crate) dropout: Dropout<T>,
    /// Number of the first of the windows, on which the mask depends.
    pub(crate) first_window: usize,
    /// Probabilities before dropout.
    pub(crate) probabilities: &'a [T],
    /// Gradient of the result, `rows x width` and slack.
    pub(crate) d_mixed: &'a [T],
    /// Gradient of queries, keys and values, `rows x (3 width)`, overwritten. Its length determines the
    /// number of windows.
    pub(crate) d_qkv: &'a mut [T],
    /// Gradient of their bias, added to.
    pub(crate) d_bias: &'a mut [T],
    /// Scratch of [`AttentionShape::scratch`] values.
    pub(crate) scratch: &'a mut [T],
}

impl<T: Real> Kernel for AttentionBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let AttentionShape { patches, width, heads, .. } = self.shape;
        let head_width = self.shape.head_width();
        let (row, lanes) = (3 * width, padded(patches));
        let out_row = width + SLACK;
        let scale = T::from_f64(self.shape.scale);
        let (transposed, [masked, d_scores], [d_query, d_key, d_value]) = self.shape.split(self.scratch);
        transposed.fill(T::ZERO);
        let head_lanes = padded(head_width);
        let tables = self.probabilities.chunks_exact(self.shape.window_probabilities());
        for (window, (d_qkv, tables)) in self.d_qkv.chunks_exact_mut(patches * row).zip(tables).enumerate() {
            let qkv = &self.qkv[window * patches * row..];
            let d_mixed = &self.d_mixed[window * patches * width..];
            for (head, table) in tables.chunks_exact(self.shape.head_probabilities()).enumerate() {
                let column = head * head_width;
                transpose(&qkv[2 * width + column..], row, head_width, patches, transposed);
                product::<I, T>(
                    [patches, head_width],
                    Factors { values: &d_mixed[column..], strides: [width, 1] },
                    Rows { values: transposed, stride: lanes, lanes },
                    d_scores,
                    lanes,
                );
                let weights = if self.dropout.is_off() {
                    table
                } else {
                    let position = ((self.first_window + window) * heads + head) * table.len();
                    for (i, (m, &p)) in masked.iter_mut().zip(table).enumerate() {
                        let factor = self.dropout.factor((position as u32).wrapping_add(i as u32));
                        *m = p * factor;
                        d_scores[i] *= factor;
                    }
                    &*masked
                };
                for (d, p) in d_scores.chunks_exact_mut(lanes).zip(table.chunks_exact(lanes)) {
                    softmax_backward(d, p, scale);
                }
                product::<I, T>(
                    [patches, patches],
                    Factors { values: d_scores, strides: [lanes, 1] },
                    Rows { values: &qkv[width + column..], stride: row, lanes: head_lanes },
                    &mut d_query[column..],
                    out_row,
                );
                product::<I, T>(
                    [patches, patches],
                    Factors { values: d_scores, strides: [1, lanes] },
                    Rows { values: &qkv[column..], stride: row, lanes: head_lanes },
                    &mut d_key[column..],
                    out_row,
                );
                product::<I, T>(
                    [patches, patches],
                    Factors { values: weights, strides: [1, lanes] },
                    Rows { values: &d_mixed[column..], stride: width, lanes: head_lanes },
                    &mut d_value[column..],
                    out_row,
                );
            }
            for (patch, d_qkv) in d_qkv.chunks_exact_mut(row).enumerate() {
                let parts = d_qkv.chunks_exact_mut(width).zip(self.d_bias.chunks_exact_mut(width));
                for ((d, d_bias), from) in parts.zip([&*d_query, &*d_key, &*d_value]) {
                    let from = &from[patch * out_row..][..width];
                    for i in 0..width {
                        d[i] = from[i];
                        d_bias[i] += from[i];
                    }
                }
            }
        }
    }
}

/// Transposes a head's columns of `patches` rows into rows of keys. Lanes beyond the last patch are
/// unchanged.
#[inline(always)]
fn transpose<T: Real>(from: &[T], stride: usize, columns: usize, patches: usize, to: &mut [T]) {
    let lanes = padded(patches);
    for patch in 0..patches {
        let row = &from[patch * stride..][..columns];
        for (column, &value) in row.iter().enumerate() {
            to[column * lanes + patch] = value;
        }
    }
}

/// Computes the softmax of `scale * scores` over the first `patches` lanes and sets the others to 0.
#[inline(always)]
fn softmax<I: Isa, T: Real>(scores: &mut [T], patches: usize, scale: T) {
    let (chunks, _) = scores.as_chunks_mut::<LANES>();
    let mut highest = [T::NEG_INFINITY; LANES];
    for (c, chunk) in chunks.iter_mut().enumerate() {
        for (lane, (value, highest)) in chunk.iter_mut().zip(&mut highest).enumerate() {
            let score = if c * LANES + lane < patches { *value * scale } else { T::NEG_INFINITY };
            *value = score;
            *highest = if score > *highest { score } else { *highest };
        }
    }
    let highest = lanes::largest(highest);
    let mut total = [T::ZERO; LANES];
    for (c, chunk) in chunks.iter_mut().enumerate() {
        for (lane, (value, total)) in chunk.iter_mut().zip(&mut total).enumerate() {
            let e = (*value - highest).exponential::<I>();
            let e = if c * LANES + lane < patches { e } else { T::ZERO };
            *value = e;
            *total += e;
        }
    }
    let inverse = T::ONE / lanes::sum(total);
    for value in chunks.as_flattened_mut() {
        *value *= inverse;
    }
}

/// Converts the gradient of a row of probabilities to that of the unscaled scores.
#[inline(always)]
fn softmax_backward<T: Real>(d: &mut [T], p: &[T], scale: T) {
    let (d, _) = d.as_chunks_mut::<LANES>();
    let (p, _) = p.as_chunks::<LANES>();
    let mut total = [T::ZERO; LANES];
    for (d, p) in d.iter().zip(p) {
        for lane in 0..LANES {
            total[lane] += d[lane] * p[lane];
        }
    }
    let total = lanes::sum(total);
    for (d, p) in d.iter_mut().zip(p) {
        for lane in 0..LANES {
            d[lane] = (d[lane] - total) * p[lane] * scale;
        }
    }
}

/// Left factor of [`product`]: the number for row `r` and step `k` is at `r * strides[0] + k * strides[1]`.
#[derive(Clone, Copy)]
struct Factors<'a, T> {
    values: &'a [T],
    strides: [usize; 2],
}

/// Right factor of [`product`]: row `k` starts at `k * stride` and has `lanes` numbers, a multiple of
/// [`LANES`].
#[derive(Clone, Copy)]
struct Rows<'a, T> {
    values: &'a [T],
    stride: usize,
    lanes: usize,
}

/// Computes `out[r] = sum over k of a[r, k] * b[k]`, with `b.lanes` numbers per row. `rows` and `depth` are
/// at least 1.
#[inline(always)]
fn product<I: Isa, T: Real>(
    [rows, depth]: [usize; 2],
    a: Factors<'_, T>,
    b: Rows<'_, T>,
    out: &mut [T],
    out_stride: usize,
) {
    assert!((rows - 1) * a.strides[0] + (depth - 1) * a.strides[1] < a.values.len());
    assert!((depth - 1) * b.stride + b.lanes <= b.values.len() && b.lanes.is_multiple_of(LANES));
    assert!((rows - 1) * out_stride + b.lanes <= out.len());
    let mut column = 0;
    while column < b.lanes {
        let mut row = 0;
        while row + 3 <= rows {
            // SAFETY: the assertions above bound every index for rows below `rows` and columns below
            // `b.lanes`.
            unsafe { block::<I, T, 3>(row, column, depth, a, b, out, out_stride) };
            row += 3;
        }
        while row < rows {
            // SAFETY: as above.
            unsafe { block::<I, T, 1>(row, column, depth, a, b, out, out_stride) };
            row += 1;
        }
        column += LANES;
    }
}

/// Computes rows `row..row + R` and lanes `column..column + LANES` of [`product`].
///
/// # Safety
/// `row + R` must be at most the number of rows, and `column + LANES` at most the number of lanes, for
/// which [`product`] has checked the three slices.
#[inline(always)]
unsafe fn block<I: Isa, T: Real, const R: usize>(
    row: usize,
    column: usize,
    depth: usize,
    a: Factors<'_, T>,
    b: Rows<'_, T>,
    out: &mut [T],
    out_stride: usize,
) {
    let mut totals = [[T::ZERO; LANES]; R];
    for k in 0..depth {
        // SAFETY: k < depth, and the caller guarantees the row and the column.
        let numbers = unsafe { *b.values.as_ptr().add(k * b.stride + column).cast::<Chunk<T>>() };
        for (r, total) in totals.iter_mut().enumerate() {
            // SAFETY: as above.
            let factor = unsafe { *a.values.get_unchecked((row + r) * a.strides[0] + k * a.strides[1]) };
            for lane in 0..LANES {
                total[lane] = multiply_add::<I, T>(factor, numbers[lane], total[lane]);
            }
        }
    }
    for (r, total) in totals.into_iter().enumerate() {
        // SAFETY: as above.
        unsafe { *out.as_mut_ptr().add((row + r) * out_stride + column).cast::<Chunk<T>>() = total };
    }
}
