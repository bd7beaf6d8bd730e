//! Reader of numbers from some columns of a table.

use super::{DecimalMarks, delimiter, refuse_open_quote, rows};
use crate::import::columns::Column;
use crate::import::error::Problem;
use crate::import::numbers::{Cell, missing_column, numbers};

/// Returns the numbers of the columns `names`; NaN for a missing value. Lines that begin with `#` are
/// comments, unless one holds the names of the columns.
///
/// # Errors
/// [`Problem`] of a malformed row, a missing column and a cell that is no number.
pub(in crate::import) fn read(text: &str, names: &[&str]) -> Result<Vec<Vec<f64>>, Problem> {
    let text = &without_comments(text, names);
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
    let mut columns: Vec<Vec<Cell>> = names.iter().map(|_| Vec::new()).collect();
    for record in records {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let record = if delimiter == b',' { record } else { marks.with_points(line, &record) };
        for ((column, place), name) in columns.iter_mut().zip(&places).zip(names) {
            let text = record.get(*place).unwrap_or_default().to_owned();
            column.push(Cell { text, place: format!("line {line}, column `{name}`") });
        }
    }
    marks.check()?;
    columns.iter().map(|column| numbers(column)).collect()
}

/// Empties the lines of comments, so that the others keep their numbers. A comment with all names is the
/// header, as NumPy writes it.
fn without_comments(text: &str, names: &[&str]) -> String {
    let mut has_header = false;
    let line = |line: &str| {
        let comment = line.strip_prefix('#');
        let is_header = |comment: &&str| {
            let fields: Vec<&str> = comment.split([',', ';', '\t', '|']).map(str::trim).collect();
            !has_header
                && names.iter().all(|name| fields.iter().any(|field| field.trim_matches('"') == *name))
        };
        let kept = match comment {
            None => line.to_owned(),
            Some(comment) => {
                Some(comment).filter(is_header).unwrap_or_default().trim_start_matches(' ').to_owned()
            }
        };
        has_header |= !kept.trim().is_empty();
        kept + "\n"
    };
    text.lines().map(line).collect()
}
