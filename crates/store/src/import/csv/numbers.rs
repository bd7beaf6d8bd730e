//! Reader of numbers from some columns of a table.

use std::borrow::Cow;

use super::{DecimalMarks, delimiter, first_line, is_grouped, no_header_hint, refuse_open_quote, rows};
use crate::import::columns::Column;
use crate::import::error::Problem;
use crate::import::numbers::{Cell, missing_column, numbers};

/// Characters that divide the cells of a table.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// Returns the numbers of the columns `names`; NaN for a missing value. Lines that begin with `#` are
/// comments, unless one holds the names of the columns. Where no comma, semicolon, tab or bar divides the
/// header, blanks do.
///
/// # Errors
/// [`Problem`] of a malformed row, a missing column and a cell that is no number.
pub(in crate::import) fn read(text: &str, names: &[&str]) -> Result<Vec<Vec<f64>>, Problem> {
    let text = without_comments(&super::without_mark(text), names);
    let text = &*divided(&text, names);
    let delimiter = delimiter(text);
    refuse_open_quote(text, delimiter)?;
    let (header, records) = rows(text, delimiter)?;
    let place = |name: &&str| {
        let place = header.iter().position(|own| own == *name);
        place.ok_or_else(|| {
            let line = format!("line {}", first_line(text).0);
            let problem = missing_column(&line, name, header.iter());
            match no_header_hint(text) {
                Some(hint) if header.len() == 1 => problem.hint(hint),
                _ => problem,
            }
        })
    };
    let places: Vec<usize> = names.iter().map(place).collect::<Result<_, _>>()?;
    let mut records: Vec<csv::StringRecord> = records.collect::<Result<_, _>>()?;
    for place in &places {
        remove_points(&mut records, *place);
    }
    let kind = |place| if places.contains(&place) { Column::Value } else { Column::Ignored };
    let kinds: Vec<Column> = (0..header.len()).map(kind).collect();
    let mut marks = DecimalMarks { header: &header, kinds: &kinds, has_commas: false, grouped: None };
    let mut columns: Vec<Vec<Cell>> = names.iter().map(|_| Vec::new()).collect();
    for record in records {
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

/// Removes the points between thousands from a column. A number with two points such as `1.400.000` has no
/// other reading.
fn remove_points(records: &mut [csv::StringRecord], place: usize) {
    let cell = |record: &csv::StringRecord| record.get(place).unwrap_or_default().trim().to_owned();
    let mut cells = records.iter().map(cell);
    if !cells.any(|cell| cell.matches('.').count() > 1 && is_grouped(&cell)) {
        return;
    }
    for record in records {
        let without = |(at, cell): (usize, &str)| {
            if at == place && is_grouped(cell.trim()) { cell.replace('.', "") } else { cell.to_owned() }
        };
        let mut plain: csv::StringRecord = record.iter().enumerate().map(without).collect();
        plain.set_position(record.position().cloned());
        *record = plain;
    }
}

/// Returns a table whose cells only blanks divide with tabs between them; any other table unchanged.
fn divided<'t>(text: &'t str, names: &[&str]) -> Cow<'t, str> {
    let header = first_line(text).1;
    let is_divided = header.contains(DELIMITERS) || names.iter().all(|name| *name == header.trim());
    if is_divided || !names.iter().all(|name| header.split_whitespace().any(|field| field == *name)) {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| line.split_whitespace().collect::<Vec<&str>>().join("\t") + "\n";
    Cow::Owned(text.lines().map(line).collect())
}

/// Empties the lines of comments, so that the others keep their numbers. A comment with all names is the
/// header, as NumPy writes it.
fn without_comments(text: &str, names: &[&str]) -> String {
    let mut has_header = false;
    let line = |line: &str| {
        let comment = line.strip_prefix('#');
        let is_header = |comment: &&str| {
            let fields: Vec<&str> = if comment.contains(DELIMITERS) {
                comment.split(DELIMITERS).map(str::trim).collect()
            } else {
                comment.split_whitespace().collect()
            };
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
