//! File formats of tables.

use std::path::Path;

use super::columns::{Column, Wanted};
use super::error::{DataError, Location};
use super::rows::Rows;
use super::value::{Value, Visitor};
use super::{read_csv, read_parquet};

/// Reads the wanted columns of a table.
pub(super) fn read(wanted: Wanted<'_>) -> Result<Rows, DataError> {
    let path = wanted.path;
    let format = Format::of(path)?;
    let rows = match format {
        Format::Csv => read_csv::read(wanted),
        Format::Parquet => read_parquet::read(wanted),
    };
    match rows {
        Err(DataError::NotNumericFeatures { path, mut columns, has_series }) => {
            for column in &mut columns {
                column.first = format.first_value(&path, &column.column)?;
            }
            Err(DataError::NotNumericFeatures { path, columns, has_series })
        }
        rows => rows,
    }
}

/// File format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Parquet,
}

impl Format {
    /// Returns the format of a file by the extension of its name.
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(DataError::UnknownFormat { path: path.to_owned() }),
        }
    }

    /// Returns the columns of a table as found by its reader.
    pub(super) fn columns(self, path: &Path) -> Result<Vec<Column>, DataError> {
        match self {
            Self::Csv => read_csv::scan(path),
            Self::Parquet => read_parquet::columns(path),
        }
    }

    /// Passes the values of `columns`, which are ascending indices, to a visitor.
    pub(super) fn visit(
        self,
        path: &Path,
        columns: &[usize],
        visitor: &mut dyn Visitor,
    ) -> Result<(), DataError> {
        match self {
            Self::Csv => read_csv::visit(path, columns, visitor),
            Self::Parquet => read_parquet::visit(path, columns, visitor),
        }
    }

    /// Returns the location of a place, which is the byte at which a line starts or the number of a row.
    pub(super) fn location(self, path: &Path, place: u64) -> Location {
        match self {
            Self::Csv => Location::of_record(path, place).unwrap_or(Location::Row(place)),
            Self::Parquet => Location::Row(place),
        }
    }

    /// Returns the first value of a column with its location; `None` if it has none that can be read.
    fn first_value(self, path: &Path, name: &str) -> Result<Option<(Location, String)>, DataError> {
        let columns = self.columns(path)?;
        let Some(column) = columns.iter().position(|column| column.name == name) else { return Ok(None) };
        let mut first = First(None);
        self.visit(path, &[column], &mut first)?;
        Ok(first.0.map(|(place, value)| (self.location(path, place), value)))
    }
}

/// The first value of a column, for messages.
struct First(Option<(u64, String)>);

impl Visitor for First {
    fn value(&mut self, _: usize, place: u64, value: Value<'_>) {
        if self.0.is_some() {
            return;
        }
        let shown = match value {
            Value::Missing => return,
            Value::Number(number) => number.to_string(),
            Value::Text(text) => format!("`{text}`"),
            Value::Time(_) => "a time".to_owned(),
        };
        self.0 = Some((place, shown));
    }

    fn rows(&mut self, _: u64) {}
}
