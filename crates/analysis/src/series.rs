//! Time order of stored predictions.

use crate::eras::Eras;
use crate::panel::Panel;

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
pub struct Series<'a> {
    /// Number of rows that a label looks ahead, at least 1.
    pub horizon: u64,
    /// Source of the time order of the rows.
    pub order: RowOrder,
    /// Series and time of each row; `None` for rows of one series.
    pub panel: Option<&'a Panel>,
    /// Eras over which a metric is a mean; `None` where it is that of all rows.
    pub eras: Option<&'a Eras>,
}
