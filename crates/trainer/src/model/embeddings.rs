//! Learned vectors of categories: a table for each column, with a row of weights for each category.

use allometry_ladder::CategorySpec;

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

/// Error: too many columns have learned vectors, or the vectors are too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most 8 columns of categories may have an `embedding`, of 1 to 1024 numbers each")]
pub struct EmbeddingError;

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
    /// [`EmbeddingError`] for too many columns or too long vectors.
    pub fn new(given: impl IntoIterator<Item = CategoryEmbedding>) -> Result<Self, EmbeddingError> {
        let mut all = Self::NONE;
        for column in given {
            let place = all.columns.get_mut(all.count).ok_or(EmbeddingError)?;
            if !(1..=CategorySpec::LONGEST_EMBEDDING).contains(&column.size) {
                return Err(EmbeddingError);
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
