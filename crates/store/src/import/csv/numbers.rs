//! Reader of numbers from some columns of a table.

use super::{DecimalMarks, delimiter, refuse_open_quote, rows};
use crate::import::columns::Column;
use crate::import::error::Problem;
use crate::import::numbers::{missing_column, number};

/// Returns the numbers of the columns `names`; NaN for a missing value.
///
/// # Errors
/// [`Problem`] of a malformed row, a missing column and a cell that is no number.
pub(in crate::import) fn read(text: &str, names: &[&str]) -> Result<Vec<Vec<f64>>, Problem> {
    let delimiter = delimiter(text);
    refuse_open_quote(text, delimiter)?;
    let (header, records) = rows(text, delimiter)?;
    let place = |name: &&str| {
        let place = header.iter().position(|own| own == *name);
        place.ok_or_else(|| missing_column("line 1", name, header.iter()))
    };
    let places: Vec<usize> = names.iter().map(place).collect::<Result<_, _>>()?;
    let kind = |place| if places.contains(&place) { Column::Value } else { Column::Ignored };
    let kinds: Vec<Column> = (0..header.len()).map(kind).collect();
    let mut marks = DecimalMarks { header: &header, kinds: &kinds, has_commas: false, grouped: None };
    let mut columns = vec![Vec::new(); names.len()];
    for record in records {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let record = if delimiter == b',' { record } else { marks.with_points(line, &record) };
        for ((column, place), name) in columns.iter_mut().zip(&places).zip(names) {
            let cell = record.get(*place).unwrap_or_default();
            column.push(number(cell, || format!("line {line}, column `{name}`"))?);
        }
    }
    marks.check()?;
    Ok(columns)
}
