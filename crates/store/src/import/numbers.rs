//! Reader of numbers from some columns of a file of runs.

use std::path::Path;

use allometry_core::SizeBudget;
use serde_json::Value;

use super::error::Problem;
use super::note::listed;
use super::{ImportError, csv, json, text, typing};
use crate::json::number as json_number;
use crate::sqlite::is_database;

/// Reads the columns `names` of a table divided by commas, semicolons, tabs or bars, or of a list of JSON
/// objects, also compressed with gzip. Missing values are NaN.
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
        let value = |(place, row): (usize, &Value)| match row.get(*name) {
            None | Some(Value::Null) => Ok(f64::NAN),
            Some(value) => json_number(value)
                .map_or_else(|| number(&cell(value), || format!("element {place}, field `{name}`")), Ok),
        };
        if !rows.iter().any(|row| row.get(*name).is_some()) {
            let fields = rows.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys());
            return Err(missing_column("its elements", name, fields.map(String::as_str)));
        }
        rows.iter().enumerate().map(value).collect()
    };
    names.iter().map(column).collect()
}

/// Returns a value as the text of a cell.
fn cell(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the number in a cell; NaN for a missing value. `place` returns the place of the cell.
///
/// # Errors
/// [`Problem`] of a cell that is no number.
pub(super) fn number(cell: &str, place: impl Fn() -> String) -> Result<f64, Problem> {
    let cell = cell.trim();
    if cell.is_empty() || typing::is_missing(cell) {
        return Ok(f64::NAN);
    }
    let wrong =
        || Problem::new(place(), format!("expected a number, found `{cell}`")).hint(number_hint(cell));
    cell.parse().map_err(|_| wrong())
}

/// Returns advice for a cell that is no number.
pub fn number_hint(cell: &str) -> String {
    if let Some(weights) = SizeBudget::nominal(cell).nominal_weights() {
        return format!("write all sizes in digits, in one unit: {weights}");
    }
    if cell.replace([',', '.'], "").parse::<f64>().is_ok() {
        return "write numbers without separators of thousands, and with a decimal point".into();
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
        ] {
            assert_eq!(of_text("t", text).expect_err(text), expected);
        }
        assert!(read_numbers(Path::new("/no/such/file"), &["n"]).is_err());
    }
}
