//! The forms of a table that `DataFrame.to_json` writes, as lists of rows.

use serde_json::{Map, Value};

use super::error::Problem;

/// Returns the rows of a table with `orient="split"`, `"table"`, `"index"` or `"columns"`; `None` if the
/// object is not a table.
///
/// # Errors
/// [`Problem`] where the parts of a table do not match.
pub(super) fn rows(fields: &mut Map<String, Value>) -> Result<Option<Vec<Value>>, Problem> {
    if let (Some(Value::Array(columns)), Some(Value::Array(_))) = (fields.get("columns"), fields.get("data"))
    {
        let columns = columns.clone();
        return split(&columns, fields.remove("data")).map(Some);
    }
    if fields.contains_key("schema")
        && let Some(Value::Array(rows)) = fields.get_mut("data")
    {
        return Ok(Some(std::mem::take(rows)));
    }
    if fields.is_empty() || !fields.values().all(Value::is_object) {
        return Ok(None);
    }
    let is_index = |key: &String| key.parse::<u64>().is_ok();
    if fields.keys().all(is_index) {
        return Ok(Some(std::mem::take(fields).into_iter().map(|(_, row)| row).collect()));
    }
    if fields.values().filter_map(Value::as_object).all(|column| column.keys().all(is_index)) {
        return Ok(Some(transposed(fields)));
    }
    Ok(None)
}

/// Returns the rows of a list of cells with a list of column names.
fn split(columns: &[Value], data: Option<Value>) -> Result<Vec<Value>, Problem> {
    let wrong = |row: usize, expected: String| Problem::new(format!("row {row} of `data`"), expected);
    let names: Option<Vec<&str>> = columns.iter().map(Value::as_str).collect();
    let Some(names) = names else {
        return Err(Problem::new("field `columns`", "expected a list of names"));
    };
    let rows = data.and_then(|data| if let Value::Array(rows) = data { Some(rows) } else { None });
    let row = |(place, row): (usize, Value)| {
        let Value::Array(cells) = row else { return Err(wrong(place, "expected a list".into())) };
        if cells.len() != names.len() {
            return Err(wrong(
                place,
                format!("{} cells where there are {} columns", cells.len(), names.len()),
            ));
        }
        Ok(Value::Object(names.iter().map(|name| (*name).to_owned()).zip(cells).collect()))
    };
    rows.unwrap_or_default().into_iter().enumerate().map(row).collect()
}

/// Returns the rows of columns whose cells are keyed by row number.
fn transposed(columns: &mut Map<String, Value>) -> Vec<Value> {
    let mut rows: std::collections::BTreeMap<u64, Map<String, Value>> = std::collections::BTreeMap::new();
    for (name, column) in std::mem::take(columns) {
        let Value::Object(cells) = column else { continue };
        for (row, cell) in cells {
            let Ok(row) = row.parse() else { continue };
            rows.entry(row).or_default().insert(name.clone(), cell);
        }
    }
    rows.into_values().map(Value::Object).collect()
}
