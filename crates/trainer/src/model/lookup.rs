//! Vectors of the categories of rows, and the gradient of their tables.

use crate::kernel::Real;

use super::embeddings::Embeddings;
use super::layout::Span;

/// The tables of a model, and the categories of rows.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) embeddings: &'a Embeddings,
    /// Position of each table.
    pub(super) tables: &'a [Span],
    /// Categories of each row, one per column.
    pub(super) codes: &'a [u32],
}

impl Lookup<'_> {
    /// Writes the vectors of each row behind its first `plain` values.
    pub(super) fn apply<T: Real>(self, weights: &[T], plain: usize, rows: &mut [T]) {
        let width = plain + self.embeddings.values();
        let codes = self.codes.chunks_exact(self.embeddings.count());
        for (row, codes) in rows.chunks_exact_mut(width).zip(codes) {
            let mut start = plain;
            for ((column, table), &code) in self.embeddings.columns().iter().zip(self.tables).zip(codes) {
                let vector = &mut row[start..start + column.size];
                match (code as usize).checked_sub(1) {
                    Some(category) => {
                        vector.copy_from_slice(&table.of(weights)[category * column.size..][..column.size]);
                    }
                    None => vector.fill(T::ZERO),
                }
                start += column.size;
            }
        }
    }

    /// Adds the gradient of each row's vectors to that of the tables.
    pub(super) fn add_back<T: Real>(self, d_rows: &[T], plain: usize, gradient: &mut [T]) {
        let width = plain + self.embeddings.values();
        let codes = self.codes.chunks_exact(self.embeddings.count());
        for (d_row, codes) in d_rows.chunks_exact(width).zip(codes) {
            let mut start = plain;
            for ((column, table), &code) in self.embeddings.columns().iter().zip(self.tables).zip(codes) {
                if let Some(category) = (code as usize).checked_sub(1) {
                    let sums = &mut table.of_mut(gradient)[category * column.size..][..column.size];
                    for (sum, &d) in sums.iter_mut().zip(&d_row[start..]) {
                        *sum += d;
                    }
                }
                start += column.size;
            }
        }
    }
}
