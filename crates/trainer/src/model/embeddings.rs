//! Learned vectors of categories: a table for each column, with a row of weights for each category.

use allometry_ladder::CategorySpec;

use crate::kernel::Real;

use super::architecture::ArchitectureError;
use super::layout::Span;

/// A column of categories with a learned vector for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CategoryEmbedding {
    /// Number of categories.
    pub categories: usize,
    /// Number of values of a vector.
    pub size: usize,
}

/// The columns of categories with learned vectors. They are the last columns of a row.
///
/// A row has the number of its category, from 1; 0 stands for a category that the training part lacks, whose
/// vector is 0 and no weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Embeddings {
    columns: [CategoryEmbedding; CategorySpec::MOST_EMBEDDED],
    count: usize,
}

/// Size of a row of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Inputs {
    /// Number of columns, of which one with learned vectors has one.
    pub features: usize,
    /// The columns with learned vectors, the last of them.
    pub embeddings: Embeddings,
}

impl From<usize> for Inputs {
    /// Returns rows of this many numbers.
    fn from(features: usize) -> Self {
        Self { features, embeddings: Embeddings::NONE }
    }
}

impl Embeddings {
    /// No column with learned vectors.
    pub const NONE: Self = Self {
        columns: [CategoryEmbedding { categories: 0, size: 0 }; CategorySpec::MOST_EMBEDDED],
        count: 0,
    };

    /// Returns columns with learned vectors.
    ///
    /// # Errors
    /// [`ArchitectureError::Embeddings`] for too many columns or too long vectors.
    pub fn new(given: impl IntoIterator<Item = CategoryEmbedding>) -> Result<Self, ArchitectureError> {
        let mut all = Self::NONE;
        for column in given {
            let place = all.columns.get_mut(all.count).ok_or(ArchitectureError::Embeddings)?;
            if !(1..=CategorySpec::LONGEST_EMBEDDING).contains(&column.size) {
                return Err(ArchitectureError::Embeddings);
            }
            *place = column;
            all.count += 1;
        }
        Ok(all)
    }

    /// Returns the columns.
    pub fn columns(&self) -> &[CategoryEmbedding] {
        &self.columns[..self.count]
    }

    /// Returns the number of columns.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of values of the vectors of a row together.
    pub fn values(&self) -> usize {
        self.columns().iter().map(|column| column.size).sum()
    }
}

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
