//! Reader of numbers from some columns of a file of runs.

use std::path::Path;

use allometry_core::SizeBudget;
use serde_json::Value;

use super::error::Problem;
use super::note::listed;
use super::{ImportError, csv, json, text, typing};
use crate::json::number as json_number;
use crate::sqlite::is_database;

/// Reads the columns `names` of a table divided by commas, semicolons, tabs, bars or blanks, or of a list of
/// JSON objects, also compressed with gzip. Missing values are NaN.
///
/// # Errors
/// [`ImportError`] if the file cannot be read, lacks a column or has something else than a number in one,
/// with its place.
pub fn read_numbers(path: &Path, names: &[&str]) -> Result<Vec<Vec<f64>>, ImportError> {
    let unreadable = |source| ImportError::Read { path: path.to_path_buf(), source };
    if is_database(path).map_err(unreadable)? {
        return Err(Problem::new("its content", "it is a database, not a table of runs")
            .hint("leave --value out to fit laws to the studies of a database")
            .in_file(path));
    }
    let (text, _) = text::read(path)?;
    let columns = match text.trim_start().chars().next() {
        None => return Err(ImportError::Empty { path: path.to_path_buf() }),
        Some('[' | '{') => of_json(&text, names),
        Some(_) => csv::numbers::read(&text, names),
    };
    columns.map_err(|problem| problem.in_file(path))
}

fn of_json(text: &str, names: &[&str]) -> Result<Vec<Vec<f64>>, Problem> {
    let rows = json::rows(text)?;
    if let Some(place) = rows.iter().position(|row| !row.is_object()) {
        return Err(Problem::new(format!("element {place}"), "expected an object, with a field per column"));
    }
    let column = |name: &&str| {
        if !rows.iter().any(|row| row.get(*name).is_some()) {
            let fields = rows.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys());
            return Err(missing_column("its elements", name, fields.map(String::as_str)));
        }
        let of_row = |(place, row): (usize, &Value)| {
            let text = match row.get(*name) {
                None | Some(Value::Null) => String::new(),
                Some(value) => json_number(value).map_or_else(|| cell(value), |number| format!("{number:?}")),
            };
            Cell { text, place: format!("element {place}, field `{name}`") }
        };
        numbers(&rows.iter().enumerate().map(of_row).collect::<Vec<Cell>>())
    };
    names.iter().map(column).collect()
}

/// Returns a value as the text of a cell.
fn cell(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A cell of a column of numbers.
pub(super) struct Cell {
    pub(super) text: String,
    /// Its place in the file.
    pub(super) place: String,
}

impl Cell {
    fn is_missing(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || typing::is_missing(text)
    }

    fn problem(&self, message: String) -> Problem {
        Problem::new(self.place.clone(), message)
    }
}

/// Marks that people write between thousands, apart from commas and points, which may be decimal marks: the
/// apostrophe, the low line, and blanks of all widths.
const THOUSANDS: [char; 7] = ['\'', '\u{2019}', '_', ' ', '\u{a0}', '\u{2009}', '\u{202f}'];

/// Returns the numbers of a column; NaN for a missing value. The cells may have units, such as `70M` and
/// `1.4B`, if all of them have one, and marks between thousands where no other reading is possible.
///
/// # Errors
/// [`Problem`] of a cell that is no number, and of a column of which some cells have units.
pub(super) fn numbers(column: &[Cell]) -> Result<Vec<f64>, Problem> {
    let known = || column.iter().filter(|cell| !cell.is_missing());
    // Two groups of three digits can only be thousands; one may be a decimal comma.
    let has_commas =
        known().any(|cell| cell.text.matches(',').count() > 1 && ungrouped(&cell.text, ',').is_some());
    let plain = |text: &str| {
        let text = text.trim();
        let marks = THOUSANDS.iter().chain(has_commas.then_some(&','));
        let grouped = || marks.clone().find_map(|mark| ungrouped(text, *mark));
        text.parse::<f64>().ok().or_else(grouped)
    };
    let with_unit = known().find(|cell| plain(&cell.text).is_none() && of_unit(&cell.text).is_some());
    let without = known().find(|cell| plain(&cell.text).is_some_and(|number| number != 0.0));
    if let (Some(one), Some(other)) = (with_unit, without) {
        let (text, of_other) = (one.text.trim(), other.text.trim());
        let message = format!("`{text}` has a unit, but `{of_other}` has none ({})", other.place);
        return Err(one.problem(message).hint("write all of them in digits, or all with their unit"));
    }
    let number = |cell: &Cell| {
        if cell.is_missing() {
            return Ok(f64::NAN);
        }
        plain(&cell.text).or_else(|| of_unit(&cell.text)).ok_or_else(|| {
            let text = cell.text.trim();
            cell.problem(format!("expected a number, found `{text}`")).hint(number_hint(text))
        })
    };
    column.iter().map(number).collect()
}

/// Returns the number in a text in which `mark` separates thousands; `None` for any other text.
fn ungrouped(text: &str, mark: char) -> Option<f64> {
    let whole = text.trim().split('.').next()?;
    let mut groups = whole.split(mark);
    let first = groups.next()?.trim_start_matches(['+', '-']);
    let is_digits = |group: &str| !group.is_empty() && group.chars().all(|c| c.is_ascii_digit());
    let is_grouped =
        whole.contains(mark) && first.len() <= 3 && groups.all(|one| one.len() == 3 && is_digits(one));
    (is_grouped && is_digits(first)).then(|| text.trim().replace(mark, "").parse().ok()).flatten()
}

/// Returns the number in a text such as `70M` or `1.4 B`.
fn of_unit(text: &str) -> Option<f64> {
    let text = text.trim();
    let factor = match text.chars().next_back()?.to_ascii_lowercase() {
        'k' => 1e3,
        'm' => 1e6,
        'b' | 'g' => 1e9,
        't' => 1e12,
        _ => return None,
    };
    let number: f64 = text[..text.len() - 1].trim_end().parse().ok()?;
    number.is_finite().then_some(number * factor)
}

/// Returns advice for a cell that is no number.
pub fn number_hint(cell: &str) -> String {
    if let Some(weights) = SizeBudget::nominal(cell).nominal_weights() {
        return format!("write all sizes in digits, in one unit: {weights}");
    }
    if let Some(percent) = cell.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok()) {
        return format!("write a share as a number: {}", percent / 100.0);
    }
    if cell.replace([',', '.'], "").parse::<f64>().is_ok() {
        return "write numbers without separators of thousands, and with a decimal point".into();
    }
    if cell.starts_with(|first: char| first.is_ascii_digit()) {
        return "write it in digits, such as 1400000 or 1.4e6, or all sizes with a unit, such as 1.4M".into();
    }
    "correct the value; leave the cell of a missing one empty".into()
}

/// Returns the problem of a column that a table does not have.
pub(super) fn missing_column<'a>(place: &str, name: &str, columns: impl Iterator<Item = &'a str>) -> Problem {
    let columns: Vec<String> = columns.map(str::to_owned).collect();
    Problem::new(place, format!("there is no column `{name}`"))
        .hint(format!("its columns are {}", listed(&columns)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read_numbers;

    fn of_text(name: &str, text: &str) -> Result<Vec<Vec<f64>>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        read_numbers(&path, &["n", "loss"]).map_err(|error| {
            let text = error.to_string().replace(&format!("{}{}", folder.path().display(), '/'), "");
            format!("{text}; {}", error.hint().unwrap_or_default())
        })
    }

    #[test]
    fn missing_values_are_nan() {
        for text in [
            "n,loss,extra\n1,2.5,x\n2,,\n3,NA,y\n",
            r#"[{"n": 1, "loss": 2.5}, {"n": 2}, {"n": "3", "loss": null}]"#,
            r#"{"n": {"0": 1, "1": 2, "2": 3}, "loss": {"0": 2.5, "1": NaN, "2": null}}"#,
        ] {
            let columns = of_text("t", text).expect("a table");
            assert_eq!((&columns[0][..], columns[1][0]), (&[1.0, 2.0, 3.0][..], 2.5), "{text}");
            assert!(columns[1][1..].iter().all(|loss| loss.is_nan()), "{text}");
        }
    }

    /// Shapes of published tables of runs: units in names of models, thousands, comments.
    #[test]
    fn published_tables_are_read() {
        for text in [
            "n,loss\n70M,2.5\n1.4B,2\n",
            "n;loss\n70 m;2,5\n1.4 G;2\n",
            "# runs of a paper\n\nn,loss\n# small ones\n70000000,2.5\n1.4e9,2\n",
            "# n,loss\n7e7,2.5\n1.4e9,2\n",
            "n,loss\n\"70,000,000\",2.5\n\"1,400,000,000\",2\n",
            "n\tloss\n70,000,000\t2.5\n1,400,000,000\t2\n",
            r#"[{"n": "70M", "loss": 2.5}, {"n": "1.4B", "loss": 2}]"#,
            "# runs; all of them\nn,loss\n70000000,2.5\n1.4e9,2\n",
            "# runs\n# of a paper, in tabs\nn\tloss\n7e7\t2.5\n1.4e9\t2\n",
            "sep=;\r\nn;loss\r\n7e7;2,5\r\n1,4e9;2\r\n",
            "\"sep=,\"\nn,loss\n7e7,2.5\n1.4e9,2\n",
            "n;loss\n70.000.000;2,5\n1.400.000.000;2\n",
            "n,loss\n70'000'000,2.5\n1_400_000_000,2\n",
            "n,loss\n70\u{202f}000\u{202f}000,2.5\n1 400 000 000,2\n",
            "  n  loss\n 7e7   2.5\n1.4e9   2\n",
            "# n loss\n7.0e+07 2.5e+00\n1.4e+09 2.0e+00\n",
        ] {
            assert_eq!(of_text("t", text), Ok(vec![vec![7e7, 1.4e9], vec![2.5, 2.0]]), "{text}");
        }
    }

    #[test]
    fn what_is_no_table_of_numbers_is_refused_at_its_place() {
        for (text, expected) in [
            ("", "t is empty; write or copy the file again"),
            ("[1, 2]", "t, element 0: expected an object, with a field per column; "),
            (
                r#"[{"n": 1, "loss": true}]"#,
                "t, element 0, field `loss`: expected a number, found `true`; correct the value; leave the \
                 cell of a missing one empty",
            ),
            (r#"[{"n": 1}]"#, "t, its elements: there is no column `loss`; its columns are `n`"),
            ("3", "t, line 1: there is no column `n`; its columns are `3`"),
            (
                "n;loss\n1.000;2,5\n",
                "t, line 2, column `n`: the points of `1.000` may separate thousands; write numbers without \
                 separators of thousands",
            ),
            (
                "n,loss\n\"1,000\",2.5\n",
                "t, line 2, column `n`: expected a number, found `1,000`; write numbers without separators \
                 of thousands, and with a decimal point",
            ),
            (
                "n,loss\n2M,3.1\n4000000,3\n",
                "t, line 2, column `n`: `2M` has a unit, but `4000000` has none (line 3, column `n`); write \
                 all of them in digits, or all with their unit",
            ),
            (
                "n,loss\n2 million,3\n",
                "t, line 2, column `n`: expected a number, found `2 million`; write it in digits, such as \
                 1400000 or 1.4e6, or all sizes with a unit, such as 1.4M",
            ),
            (
                "n parameters\n2 million\n",
                "t, line 1: there is no column `n`; write a comma, a semicolon, a tab or a bar between the \
                 cells",
            ),
            (
                "# a comment\n\nn,los\n2,3\n",
                "t, line 3: there is no column `loss`; its columns are `n`, `los`",
            ),
            (
                "n,loss\n2,31%\n",
                "t, line 2, column `loss`: expected a number, found `31%`; write a share as a number: 0.31",
            ),
        ] {
            assert_eq!(of_text("t", text).expect_err(text), expected);
        }
        assert!(read_numbers(Path::new("/no/such/file"), &["n"]).is_err());
    }
}
