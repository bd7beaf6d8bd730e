//! Values of a table, passed to a visitor one at a time.

use super::time::Time;

/// Description of a column of a text file without values.
pub(super) const EMPTY: &str = "nothing";

/// A value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// Missing value.
    Missing,
    /// A number or a boolean; may be infinite or NaN.
    Number(f64),
    /// Text that is not a number.
    Text(&'a str),
    /// A date or a time of a typed column.
    Time(Time),
}

/// Receives the values of a table from a reader: column by column in some formats, row by row in others,
/// but those of each column in the order of its rows.
pub(super) trait Visitor {
    /// Receives the next value of a column. [`Format::location`](super::format::Format::location) converts
    /// `place` to a location.
    fn value(&mut self, column: usize, place: u64, value: Value<'_>);

    /// Counts rows whose values have been passed.
    fn rows(&mut self, more: u64);
}
