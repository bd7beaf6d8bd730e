//! Time order of stored predictions.

/// Source of the time order of stored predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// Predictions are stored in time order, as by the built-in trainer, which predicts consecutive windows.
    Stored,
    /// A program's predictions are sorted by their row numbers.
    #[default]
    RowNumbers,
}

/// How stored predictions follow each other in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// Number of rows that a label looks ahead, at least 1.
    pub horizon: u64,
    /// Source of the time order of the rows.
    pub order: RowOrder,
}
