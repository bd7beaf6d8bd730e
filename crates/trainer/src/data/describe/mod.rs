//! Description of a table without a ladder: its columns and its times.

mod column;
mod times;

use std::path::Path;

use super::error::DataError;
use super::format::Format;
use super::value::{Value, Visitor};
pub use column::{ColumnDescription, Distinct, MOST_DISTINCT};
pub use times::{SeriesColumn, TimeDescription, describe_times};

use super::columns::{Column, ColumnKind};
use column::Observer;

/// Description of a table, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDescription {
    /// Number of rows of the file.
    pub rows: u64,
    /// Columns in the file's order.
    pub columns: Vec<ColumnDescription>,
}

impl TableDescription {
    /// Returns the column with that name.
    pub fn column(&self, name: &str) -> Option<&ColumnDescription> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Reads a table once and describes its columns. The memory used depends on the number of columns and not
/// on that of rows.
///
/// # Errors
/// [`DataError`] if the file cannot be read, is not a table, or has no rows.
pub fn describe(path: &Path) -> Result<TableDescription, DataError> {
    let format = Format::of(path)?;
    let columns = format.columns(path)?;
    let mut scan = Scan { rows: 0, observers: columns.iter().map(|_| Observer::default()).collect() };
    let all: Vec<usize> = (0..columns.len()).collect();
    format.visit(path, &all, &mut scan)?;
    if scan.rows == 0 {
        return Err(DataError::NoRows { path: path.to_owned() });
    }
    let Scan { rows, observers } = scan;
    let described = columns.into_iter().zip(observers).map(|(Column { name, kind }, observer)| {
        let found = match kind {
            ColumnKind::Numeric => None,
            ColumnKind::Other(found) => Some(found),
        };
        observer.finish(name, found, |place| format.location(path, place))
    });
    Ok(TableDescription { rows, columns: described.collect() })
}

/// Observers of all columns.
struct Scan {
    rows: u64,
    observers: Vec<Observer>,
}

impl Visitor for Scan {
    fn value(&mut self, column: usize, place: u64, value: Value<'_>) {
        self.observers[column].value(place, value);
    }

    fn rows(&mut self, more: u64) {
        self.rows += more;
    }
}
