//! The values of a table, one at a time.

use crate::data::time::Time;

/// One value of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::data) enum Value<'a> {
    /// Nothing.
    Missing,
    /// A number or a boolean; may be no finite one.
    Number(f64),
    /// Text that is no number.
    Text(&'a str),
    /// A date or a time of a typed column.
    Time(Time),
}

/// Looks at the values of a table as a reader comes by them: column by column in some formats, row by row in
/// others, but each column's in the order of its rows.
pub(in crate::data) trait Visitor {
    /// Takes in the next value of a column. `place` is what [`Format::location`](super::Format::location)
    /// makes a location of.
    fn value(&mut self, column: usize, place: u64, value: Value<'_>);

    /// Counts rows whose values have been handed over.
    fn rows(&mut self, more: u64);
}
