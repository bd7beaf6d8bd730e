//! Shares of the terms of a linear model in its R squared, which add up to it.

use std::ops::Range;

use rand_chacha::rand_core::Rng;

use super::random::shuffle;

/// Number of terms up to which every subset is computed.
pub const MOST_EXACT: usize = 8;
/// Share of a column's own variation that the columns before it must leave; less is rounding error.
const TOLERANCE: f64 = 1e-9;

/// Returns the average gain in R squared from adding each term, over all orders of adding the terms
/// (Lindeman, Merenda & Gold 1980; the Shapley value of R squared). The shares add up to the model's R
/// squared.
///
/// `matrix` holds the centred cross products of the terms' columns and the response, which comes last, row by
/// row. The function visits every subset by depth-first elimination, so that the cost grows with `2^terms`.
/// All shares are 0 for a constant response. At most 20 terms.
pub fn exact(matrix: &[f64], terms: &[Range<usize>]) -> Vec<f64> {
    let size = terms.last().map_or(0, |term| term.end) + 1;
    let mut explained = vec![0.0; 1 << terms.len()];
    let scale: Vec<f64> = (0..size).map(|k| matrix[k * size + k]).collect();
    let mut visit = Visit { size, terms, scale: &scale, explained: &mut explained };
    let mut buffers = vec![vec![0.0; size * size]; terms.len() + 1];
    buffers[0].copy_from_slice(matrix);
    visit.descend(&mut buffers, 0, 0);
    let total = scale[size - 1];
    let count = terms.len();
    if total.is_nan() || total <= 0.0 {
        return vec![0.0; count];
    }
    let mut weights = vec![1.0 / count.max(1) as f64; count];
    for before in 1..count {
        // |S|! (count - 1 - |S|)! / count!
        weights[before] = weights[before - 1] * before as f64 / (count - before) as f64;
    }
    (0..count)
        .map(|term| {
            let mut share = 0.0;
            for subset in (0..explained.len()).filter(|subset| subset & (1 << term) == 0) {
                let gain = explained[subset | (1 << term)] - explained[subset];
                share += weights[subset.count_ones() as usize] * gain;
            }
            share / total
        })
        .collect()
}

struct Visit<'a> {
    size: usize,
    terms: &'a [Range<usize>],
    scale: &'a [f64],
    explained: &'a mut [f64],
}

impl Visit<'_> {
    /// Adds each later term to the subset that is eliminated in the first buffer. Only the upper triangle
    /// from the first remaining column on is updated.
    fn descend(&mut self, buffers: &mut [Vec<f64>], first: usize, subset: usize) {
        let Some((current, rest)) = buffers.split_first_mut() else { return };
        let size = self.size;
        self.explained[subset] = self.scale[size - 1] - current[size * size - 1];
        for term in first..self.terms.len() {
            let columns = self.terms[term].clone();
            for row in columns.start..size {
                let from = row * size + row;
                rest[0][from..(row + 1) * size].copy_from_slice(&current[from..(row + 1) * size]);
            }
            for column in columns {
                eliminate(&mut rest[0], size, column, self.scale[column]);
            }
            self.descend(rest, term + 1, subset | (1 << term));
        }
    }
}

/// Removes what a column explains from all later columns; does nothing for an aliased column.
fn eliminate(matrix: &mut [f64], size: usize, column: usize, scale: f64) {
    let (above, below) = matrix.split_at_mut((column + 1) * size);
    let pivot_row = &above[column * size..];
    let pivot = pivot_row[column];
    if pivot.is_nan() || pivot <= TOLERANCE * scale {
        return;
    }
    for (offset, row) in below.chunks_exact_mut(size).enumerate() {
        let position = column + 1 + offset;
        let factor = pivot_row[position] / pivot;
        if factor != 0.0 {
            for (entry, above) in row[position..].iter_mut().zip(&pivot_row[position..]) {
                *entry -= factor * above;
            }
        }
    }
}

/// Estimates the shares of [`exact`] from `pairs` random orders and their reverses, for more terms than
/// [`MOST_EXACT`].
pub fn sampled(matrix: &[f64], terms: &[Range<usize>], pairs: usize, rng: &mut impl Rng) -> Vec<f64> {
    let size = terms.last().map_or(0, |term| term.end) + 1;
    let total = matrix[size * size - 1];
    let mut shares = vec![0.0; terms.len()];
    if total.is_nan() || total <= 0.0 {
        return shares;
    }
    let mut order: Vec<usize> = (0..terms.len()).collect();
    for _ in 0..pairs {
        shuffle(rng, &mut order);
        for _ in 0..2 {
            order.reverse();
            add_gains(matrix, size, terms, &order, &mut shares);
        }
    }
    for share in &mut shares {
        *share /= total * 2.0 * pairs.max(1) as f64;
    }
    shares
}

fn add_gains(matrix: &[f64], size: usize, terms: &[Range<usize>], order: &[usize], shares: &mut [f64]) {
    let columns: Vec<usize> = order.iter().flat_map(|&term| terms[term].clone()).chain([size - 1]).collect();
    let mut ordered: Vec<f64> = Vec::with_capacity(size * size);
    for &row in &columns {
        ordered.extend(columns.iter().map(|&column| matrix[row * size + column]));
    }
    let scale: Vec<f64> = (0..size).map(|k| ordered[k * size + k]).collect();
    let mut column = 0;
    for &term in order {
        let before = ordered[size * size - 1];
        for _ in terms[term].clone() {
            eliminate(&mut ordered, size, column, scale[column]);
            column += 1;
        }
        shares[term] += before - ordered[size * size - 1];
    }
}
