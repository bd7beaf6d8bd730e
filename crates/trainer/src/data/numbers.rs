//! Columns of numbers of any table.

use std::path::Path;

use super::columns::Column;
use super::error::{DataError, Role, Site};
use super::format::Format;
use super::value::{Value, Visitor};

/// Reads columns of numbers from a `.csv` or `.parquet` file, in the order of `names`. Missing values are
/// NaN.
///
/// # Errors
/// [`DataError`] if the file cannot be read, lacks a column or holds something else than a number in one,
/// with its place.
pub fn read_numbers(path: &Path, names: &[&str]) -> Result<Vec<Vec<f64>>, DataError> {
    let format = Format::of(path)?;
    let columns = format.columns(path)?;
    let place_of = |name: &&str| {
        let missing = || DataError::MissingColumn {
            path: path.to_owned(),
            column: (*name).to_owned(),
            role: Role::Read,
            columns: columns.iter().map(|column: &Column| column.name.clone()).collect(),
        };
        columns.iter().position(|column| column.name == **name).ok_or_else(missing)
    };
    let wanted: Vec<usize> = names.iter().map(place_of).collect::<Result<_, _>>()?;
    let mut ascending = wanted.clone();
    ascending.sort_unstable();
    ascending.dedup();
    let mut numbers = Numbers { values: vec![Vec::new(); columns.len()], bad: None };
    format.visit(path, &ascending, &mut numbers)?;
    if let Some((column, place, value)) = numbers.bad {
        return Err(DataError::NotANumber {
            path: path.to_owned(),
            location: Site { location: format.location(path, place), series: None },
            column: columns[column].name.clone(),
            value,
        });
    }
    Ok(wanted.iter().map(|column| numbers.values[*column].clone()).collect())
}

/// The values of the visited columns, and the first that is no number.
struct Numbers {
    values: Vec<Vec<f64>>,
    bad: Option<(usize, u64, String)>,
}

impl Visitor for Numbers {
    fn value(&mut self, column: usize, place: u64, value: Value<'_>) {
        let number = match value {
            Value::Number(number) => number,
            Value::Missing => f64::NAN,
            Value::Text(text) => {
                self.bad.get_or_insert_with(|| (column, place, text.to_owned()));
                f64::NAN
            }
            Value::Time(_) => {
                self.bad.get_or_insert_with(|| (column, place, "a time".to_owned()));
                f64::NAN
            }
        };
        self.values[column].push(number);
    }

    fn rows(&mut self, _: u64) {}
}
