//! How stored predictions follow each other in time.

/// What orders stored predictions in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// They are stored in time order: the built-in trainer predicts windows as they follow each other.
    Stored,
    /// The numbers of the rows: a program's predictions are put in ascending order of them.
    #[default]
    RowNumbers,
}

/// How stored predictions follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// Rows that a label looks ahead, at least 1.
    pub horizon: u64,
    /// What orders the rows in time.
    pub order: RowOrder,
}
