//! Reader of comma-separated values with a header line.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord};

use super::columns::{self, Column, ColumnKind, LabelColumns, Wanted};
use super::error::{DataError, Location};
use super::rows::{Places, Rows, Targets};
use super::time::Time;
use super::value::{EMPTY, Value, Visitor};

/// Reads the wanted columns of a CSV file.
///
/// A column is numeric if its first non-empty field is a number or a boolean. Text further down is then an
/// error, and not a reason to skip the column.
pub(super) fn read(wanted: Wanted<'_>) -> Result<Rows, DataError> {
    let path = wanted.path;
    let columns = scan(path)?;
    let selection = columns::select(wanted, &columns)?;
    let names = columns.into_iter().map(|c| c.name).collect();
    let mut rows =
        Rows::new(names, selection.clone(), wanted.task, Places::Bytes(path.to_owned(), Vec::new()));

    rows.time_texts = wanted.keeps_times.then(Vec::new);

    let mut records = Records::open(path)?;
    while records.next()? {
        let row = rows.len();
        if let Places::Bytes(_, starts) = &mut rows.places {
            starts.push(records.start());
        }
        // Errors of the other columns name the series.
        if let Some(column) = selection.series {
            rows.push_series(path, row, name(&records.record[column]))?;
        }
        for &column in &selection.features {
            let value = records.number(&rows, column)?;
            let value = rows.number(row, column, value);
            rows.values.push(value);
        }
        for (place, &column) in selection.categorical.iter().enumerate() {
            rows.push_category(path, place, name(&records.record[column]))?;
        }
        if let Some(column) = selection.time {
            let text = &records.record[column];
            rows.push_time(path, row, Time::parse(text), || quoted(text))?;
            rows.keep_time(text);
        }
        match selection.label {
            LabelColumns::Class(column) => {
                let text = &records.record[column];
                let class = match Cell::parse(text) {
                    Cell::Number(class) => Some(class),
                    Cell::Empty => None,
                    Cell::Text => Some(f64::INFINITY),
                };
                rows.push_class(path, class, || quoted(text))?;
            }
            LabelColumns::Named(column) => {
                rows.push_name(path, name(&records.record[column]))?;
            }
            LabelColumns::Rise { of, over } => {
                let (reached, base) = (records.number(&rows, of)?, records.number(&rows, over)?);
                let (reached, base) = (rows.threshold(row, of, reached), rows.threshold(row, over, base));
                if let Targets::Rise { of, over } = &mut rows.targets {
                    of.push(reached);
                    over.push(base);
                }
            }
            LabelColumns::None => rows.count(1),
        }
    }
    Ok(rows)
}

/// Returns the columns with their kinds, from as few lines as necessary.
pub(super) fn scan(path: &Path) -> Result<Vec<Column>, DataError> {
    let mut records = Records::open(path)?;
    columns::check_names(path, &records.header)?;
    let mut kinds: Vec<Option<ColumnKind>> = vec![None; records.header.len()];
    let mut any = false;
    while kinds.contains(&None) && records.next()? {
        any = true;
        for (kind, text) in kinds.iter_mut().zip(&records.record).filter(|(kind, _)| kind.is_none()) {
            *kind = match Cell::parse(text) {
                Cell::Empty => None,
                Cell::Number(_) => Some(ColumnKind::Numeric),
                Cell::Text => Some(ColumnKind::Other(format!("text such as {}", quoted(text)))),
            };
        }
    }
    if !any {
        return Err(DataError::NoRows { path: path.to_owned() });
    }
    let empty = || ColumnKind::Other(EMPTY.to_owned());
    let columns = records.header.into_iter().zip(kinds);
    Ok(columns.map(|(name, kind)| Column { name, kind: kind.unwrap_or_else(empty) }).collect())
}

/// Passes the values of `wanted` columns to a visitor, row by row. The place of a value is the byte at
/// which its row starts.
pub(super) fn visit(path: &Path, wanted: &[usize], visitor: &mut dyn Visitor) -> Result<(), DataError> {
    let mut records = Records::open(path)?;
    while records.next()? {
        for &column in wanted {
            let text = &records.record[column];
            let value = match Cell::parse(text) {
                Cell::Empty => Value::Missing,
                Cell::Number(number) => Value::Number(number),
                Cell::Text => Value::Text(text.trim()),
            };
            visitor.value(column, records.start(), value);
        }
        visitor.rows(1);
    }
    Ok(())
}

/// Records of a file below its header, read one at a time.
struct Records {
    path: PathBuf,
    reader: csv::Reader<File>,
    header: Vec<String>,
    record: StringRecord,
}

impl Records {
    fn open(path: &Path) -> Result<Self, DataError> {
        let path = path.to_owned();
        let mut reader = ReaderBuilder::new().from_path(&path).map_err(|error| refused(&path, error))?;
        let header = reader.headers().map_err(|error| refused(&path, error))?;
        let header = header.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { path, reader, header, record: StringRecord::new() })
    }

    /// Reads the next record. Returns `false` at the end.
    fn next(&mut self) -> Result<bool, DataError> {
        self.reader.read_record(&mut self.record).map_err(|error| refused(&self.path, error))
    }

    /// Returns the byte at which the record starts.
    fn start(&self) -> u64 {
        self.record.position().map_or(0, Position::byte)
    }

    /// Returns the record's number in a column, or `None` if the field is empty.
    fn number(&self, rows: &Rows, column: usize) -> Result<Option<f64>, DataError> {
        let text = &self.record[column];
        match Cell::parse(text) {
            Cell::Empty => Ok(None),
            Cell::Number(value) => Ok(Some(value)),
            Cell::Text => Err(DataError::NotANumber {
                path: self.path.clone(),
                column: rows.names[column].clone(),
                location: rows.site(rows.len()),
                value: text.to_owned(),
            }),
        }
    }
}

/// Whether a text stands for a missing value.
pub(super) fn is_missing(text: &str) -> bool {
    matches!(text, "" | "NA" | "N/A" | "NULL" | "null" | "None" | "<NA>")
}

/// Returns a field as a name; `None` if it is missing.
fn name(text: &str) -> Option<&str> {
    (!is_missing(text.trim())).then_some(text)
}

/// Value of a field.
enum Cell {
    Empty,
    Number(f64),
    Text,
}

impl Cell {
    fn parse(text: &str) -> Self {
        let text = text.trim();
        match text {
            text if is_missing(text) => Self::Empty,
            text if text.eq_ignore_ascii_case("true") => Self::Number(1.0),
            text if text.eq_ignore_ascii_case("false") => Self::Number(0.0),
            _ => text.parse().map_or(Self::Text, Self::Number),
        }
    }
}

/// Returns a field as shown in messages.
fn quoted(text: &str) -> String {
    if text.trim().is_empty() { "empty".to_owned() } else { format!("`{text}`") }
}

fn refused(path: &Path, error: csv::Error) -> DataError {
    let start = error.position().map_or(0, Position::byte);
    let path = path.to_owned();
    let locate = || Location::of_record(&path, start);
    match error.into_kind() {
        ErrorKind::Io(cause) => DataError::Io { path, cause },
        ErrorKind::Utf8 { .. } => match locate() {
            Ok(location) => DataError::NotText { path, location },
            Err(cause) => DataError::Io { path, cause },
        },
        ErrorKind::UnequalLengths { expected_len: expected, len: found, .. } => match locate() {
            Ok(location) => DataError::RaggedLine { path, location, expected, found },
            Err(cause) => DataError::Io { path, cause },
        },
        other => DataError::Io { path, cause: io::Error::other(format!("{other:?}")) },
    }
}
