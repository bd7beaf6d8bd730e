//! A first pass over a table for what only all its rows tell: decimal commas, and names of trials.

use csv::StringRecord;

use super::{is_missing, rows, with_point};
use crate::import::columns::{Column, Columns, may_be_names, params_without_sets};
use crate::import::error::Problem;
use crate::import::field::parse_count;
use crate::import::note::Note;

/// What the cells of a column look like.
#[derive(Debug, Clone, Copy, Default)]
struct Cells {
    /// A cell is a number with a decimal comma.
    has_commas: bool,
    /// A comma of a cell can only be a decimal one: `0,5`, not `1,234`.
    is_certain: bool,
    /// A cell is no number.
    has_texts: bool,
}

/// Returns whether the numbers of a table have decimal commas: where another delimiter divides its cells, or
/// a column that must contain numbers has one. Columns of trial numbers that contain names are left out.
/// Notes report them, and texts that may be numbers with decimal commas.
///
/// # Errors
/// [`Problem`] of a malformed row.
pub(super) fn take(
    text: &str,
    delimiter: u8,
    header: &StringRecord,
    columns: &mut Columns,
) -> Result<bool, Problem> {
    let may_be_named = |(kind, name): (&Column, &str)| *kind == Column::Number && may_be_names(name);
    let may_have_commas = delimiter == b',' && text.contains('"');
    if !may_have_commas && !columns.kinds.iter().zip(header).any(may_be_named) {
        return Ok(delimiter != b',');
    }
    let mut seen = vec![Cells::default(); header.len()];
    for record in rows(text, delimiter)?.1 {
        for ((kind, cell), seen) in columns.kinds.iter().zip(&record?).zip(&mut seen) {
            let cell = cell.trim();
            if !cell.is_empty() && !is_missing(kind, cell) {
                seen.take(cell);
            }
        }
    }
    let is_named = |place: &usize| {
        columns.kinds[*place] == Column::Number && may_be_names(&header[*place]) && seen[*place].has_texts
    };
    if let Some(place) = (0..header.len()).find(is_named) {
        columns.kinds[place] = Column::Ignored;
        columns.notes.push(Note::NumberedByRow { column: header[place].to_owned() });
    }
    let is_number =
        |kind: &Column| matches!(kind, Column::Value | Column::LaterValue | Column::Intermediate(_));
    let has_commas = columns
        .kinds
        .iter()
        .zip(&seen)
        .any(|(kind, seen)| is_number(kind) && seen.is_certain && may_have_commas);
    if may_have_commas && !has_commas {
        let without_sets: Vec<&str> = params_without_sets(&columns.kinds).collect();
        let is_doubtful = |place: &usize| {
            let is_open = match &columns.kinds[*place] {
                Column::Param(param) => without_sets.contains(&param.as_str()),
                kind => matches!(kind, Column::Metric(_)),
            };
            is_open && seen[*place].has_commas && !seen[*place].has_texts
        };
        let doubtful: Vec<String> =
            (0..header.len()).filter(is_doubtful).map(|place| header[place].to_owned()).collect();
        columns.notes.extend((!doubtful.is_empty()).then_some(Note::DecimalCommas { columns: doubtful }));
    }
    Ok(delimiter != b',' || has_commas)
}

impl Cells {
    fn take(&mut self, cell: &str) {
        let is_decimal = cell.contains(',') && with_point(cell) != cell;
        self.has_commas |= is_decimal;
        self.is_certain |= is_decimal && !may_be_thousands(cell);
        self.has_texts |= !is_decimal && parse_count(cell).is_none() && cell.parse::<f64>().is_err();
    }
}

/// Whether the comma of a number may separate thousands.
fn may_be_thousands(cell: &str) -> bool {
    let digits = cell.trim_start_matches(['-', '+']);
    digits.split_once(',').is_some_and(|(whole, rest)| {
        (1..=3).contains(&whole.len())
            && !whole.starts_with('0')
            && rest.len() == 3
            && rest.bytes().all(|byte| byte.is_ascii_digit())
    })
}
