//! Reader of tables of trials: Optuna's `trials_dataframe`, and plain tables with a column per parameter.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::python::json_float;
use allometry_core::{Distribution, FrozenTrial, ParamValue, Params, TrialNumber};
use serde_json::Value;

use super::columns::{Column, Columns, is_state};
use super::error::Problem;
use super::json::{Wide, default_state, parse_direction, parse_state, parse_time};
use super::note::Note;
use super::unended::{self, DONE, STEP, TRIAL};
use super::{Roles, Table, flat, literal, values_of};
use crate::from_rows::take_user_attribute;
use crate::{distribution, json};

/// Parses a table with a header line. `roles` contains the user's options for columns.
pub(super) fn parse(text: &str, roles: &Roles<'_>) -> Result<Table, Problem> {
    let delimiter = delimiter(text);
    refuse_open_quote(text, delimiter)?;
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::Headers).delimiter(delimiter).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| malformed(&e))?.clone();
    let mut records = reader.records();
    let mut first = records.next().transpose().map_err(|e| malformed(&e))?;
    let header = match first.as_ref().and_then(|lower| joined(&header, lower)) {
        Some(joined) => {
            first = None;
            joined
        }
        None => header,
    };
    if header.iter().any(|name| flat::UNFOLDED.contains(&name)) {
        let records = first.into_iter().map(Ok).chain(records);
        return flat::parse(unfolded(&header, records, delimiter)?, roles);
    }
    let names: Vec<&str> = header.iter().collect();
    let Columns { kinds, metrics, notes } = Columns::new(&names, roles, "line 1")?;
    let mut sets = Sets::default();
    let iteration = Iteration::new(&header);
    let (mut iterations, mut unended) = (Vec::new(), Vec::new());
    let mut table = Table { metrics, notes, ..Table::default() };
    for record in first.into_iter().map(Ok).chain(records) {
        let record = record.map_err(|e| malformed(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        // With another delimiter, a comma in a number is a decimal comma.
        let record = if delimiter == b',' { record } else { record.iter().map(with_point).collect() };
        let row = Row { line, columns: &kinds, header: &header, record: &record };
        if table.trials.is_empty() {
            table.directions = row.directions()?;
        }
        table.trials.push(row.trial(table.trials.len() as u64, &mut sets)?);
        let of_ray = iteration.as_ref().and_then(|columns| columns.of(&record));
        unended.extend(of_ray.as_ref().map(|(_, step)| {
            let is_open = iteration.as_ref().is_some_and(|columns| columns.is_open(&record));
            is_open.then_some(*step)
        }));
        iterations.extend(of_ray);
    }
    if iterations.len() == table.trials.len() {
        let last = join_iterations(&mut table, &iterations, unended);
        unended::fail(&mut table, &last);
    }
    Ok(table)
}

/// Indices of the columns with the trial and the iteration of a row of Ray Tune.
struct Iteration {
    trial: usize,
    step: usize,
    /// Index of `done`, if the table contains no other state of the trials.
    done: Option<usize>,
}

impl Iteration {
    fn new(header: &csv::StringRecord) -> Option<Self> {
        let place = |wanted: &str| header.iter().position(|name| name == wanted);
        let done = place(DONE).filter(|_| !header.iter().any(is_state));
        Some(Self { trial: place(TRIAL)?, step: place(STEP)?, done })
    }

    /// Whether the row is not the last one of its trial.
    fn is_open(&self, record: &csv::StringRecord) -> bool {
        let said = self.done.and_then(|place| record.get(place));
        said.is_some_and(|said| said.trim().eq_ignore_ascii_case("false"))
    }

    fn of(&self, record: &csv::StringRecord) -> Option<(String, i64)> {
        Some((record.get(self.trial)?.trim().to_owned(), record.get(self.step)?.trim().parse().ok()?))
    }
}

/// Merges the rows of each trial: their values become its intermediate values, and the newest one its value.
/// `unended` contains the iterations of rows that did not end their trial; returns those of the newest rows.
fn join_iterations(
    table: &mut Table,
    iterations: &[(String, i64)],
    unended: Vec<Option<i64>>,
) -> Vec<Option<i64>> {
    let ids: BTreeSet<&str> = iterations.iter().map(|(id, _)| id.as_str()).collect();
    if ids.len() == iterations.len() {
        return unended;
    }
    let mut last = Vec::new();
    let rows = std::mem::take(&mut table.trials);
    table.notes.push(Note::Iterations { rows: rows.len(), trials: ids.len() });
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for ((mut row, (id, step)), unended) in rows.into_iter().zip(iterations).zip(unended) {
        let mut intermediate: BTreeMap<i64, f64> =
            row.value().map(|value| (*step, value)).into_iter().collect();
        match places.get(id.as_str()) {
            None => {
                row.number = TrialNumber(table.trials.len() as u64);
                row.intermediate = intermediate;
                places.insert(id, table.trials.len());
                table.trials.push(row);
                last.push(unended);
            }
            Some(place) => {
                let trial = &mut table.trials[*place];
                let is_newest = trial.intermediate.last_key_value().is_none_or(|(last, _)| last < step);
                trial.intermediate.append(&mut intermediate);
                if is_newest {
                    last[*place] = unended;
                    let (number, started) = (trial.number, trial.started);
                    row.intermediate = std::mem::take(&mut trial.intermediate);
                    *trial = FrozenTrial { number, started: started.or(row.started), ..row };
                }
            }
        }
    }
    last
}

/// Refuses a text with an unclosed quote: the rest of the text would be one cell.
fn refuse_open_quote(text: &str, delimiter: u8) -> Result<(), Problem> {
    let (mut line, mut opened, mut at_start) = (1, None, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        line += u64::from(byte == b'\n');
        match (byte, opened) {
            // A doubled quote inside a quoted cell is a literal quote.
            (b'"', Some(_)) if bytes.peek() == Some(&b'"') => drop(bytes.next()),
            (b'"', Some(_)) => opened = None,
            (b'"', None) if at_start => opened = Some(line),
            _ => {}
        }
        at_start = opened.is_none() && (byte == delimiter || byte == b'\n' || byte == b'\r');
    }
    match opened {
        None => Ok(()),
        Some(line) => Err(Problem::new(format!("line {line}"), "an unclosed quote")
            .hint("close it, or double a quote inside a cell")),
    }
}

/// Returns the rows as objects if cells contain dictionaries such as `{'lr': 0.1}`, as pandas writes the
/// results of W&B's API.
fn unfolded(
    header: &csv::StringRecord,
    records: impl Iterator<Item = csv::Result<csv::StringRecord>>,
    delimiter: u8,
) -> Result<Vec<Value>, Problem> {
    let value = |cell: &str| match cell.trim() {
        "" => Value::Null,
        cell if delimiter == b',' => json::parse(&attribute_json(cell)).unwrap_or_else(|_| cell.into()),
        cell => json::parse(&attribute_json(&with_point(cell))).unwrap_or_else(|_| cell.into()),
    };
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(|e| malformed(&e))?;
        let cells = header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), value(cell)));
        Ok(Value::Object(cells.collect()))
    };
    records.map(row).collect()
}

/// Returns the delimiter: the one of comma, semicolon, tab and bar that is most frequent in the header
/// outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut is_quoted = false;
    for byte in text.lines().next().unwrap_or_default().bytes() {
        is_quoted ^= byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| *delimiter == byte && !is_quoted) {
            *count += 1;
        }
    }
    // `max_by_key` returns the last maximum; the reversal makes it the first one.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

/// Replaces the decimal comma of a number by a point; returns other cells unchanged.
fn with_point(cell: &str) -> String {
    let point = cell.replacen(',', ".", 1);
    if point.trim().parse::<f64>().is_ok() { point } else { cell.to_owned() }
}

/// Joins the two header lines that pandas writes for columns with two levels: `params` above `lr` becomes
/// `params_lr`. Returns `None` for a header of one level.
fn joined(upper: &csv::StringRecord, lower: &csv::StringRecord) -> Option<csv::StringRecord> {
    let levels = ["params", "values", "user_attrs", "system_attrs", "distributions", "intermediate_values"];
    let is_group = |name: &str| levels.contains(&name);
    // The level below a single `value` has a name if the study names its metric.
    let fits = |upper: &str, lower: &str| upper == "value" || is_group(upper) != lower.is_empty();
    if upper.len() != lower.len() || !upper.iter().any(is_group) {
        return None;
    }
    let is_lower = upper.iter().zip(lower).all(|(upper, lower)| fits(upper, lower.trim()));
    let join = |(upper, lower): (&str, &str)| match lower.trim() {
        "" => upper.to_owned(),
        lower => format!("{upper}_{lower}"),
    };
    is_lower.then(|| upper.iter().zip(lower).map(join).collect())
}

fn malformed(error: &csv::Error) -> Problem {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Problem::new(format!("line {line}"), format!("{len} fields, but the header has {expected_len}"))
                .hint("leave the cell of a missing value empty, but keep its comma")
        }
        _ => Problem::new(format!("line {line}"), error.to_string()),
    }
}

/// Cache of parsed distributions by parameter and text.
#[derive(Default)]
struct Sets(BTreeMap<(String, String), Distribution>);

/// A line below the header.
struct Row<'a> {
    line: u64,
    columns: &'a [Column],
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    fn wrong(&self, name: &str, expected: &str, cell: &str) -> Problem {
        Problem::new(
            format!("line {}, column `{name}`", self.line),
            format!("expected {expected}, found `{cell}`"),
        )
    }

    fn directions(&self) -> Result<Vec<allometry_core::Direction>, Problem> {
        let Some(place) = self.columns.iter().position(|column| *column == Column::Directions) else {
            return Ok(Vec::new());
        };
        let cell = self.record.get(place).unwrap_or_default();
        let directions = cell.split_whitespace().map(parse_direction).collect::<Option<_>>();
        directions.ok_or_else(|| self.wrong("directions", "maximize and minimize", cell))
    }

    fn trial(&self, index: u64, sets: &mut Sets) -> Result<FrozenTrial, Problem> {
        let (mut number, mut state, mut value, mut later) = (index, None, None, Vec::new());
        let mut trial = FrozenTrial::new(0, default_state(None), None, Params::default());
        for ((column, name), whole_cell) in self.columns.iter().zip(self.header).zip(self.record) {
            let cell = whole_cell.trim();
            if cell.is_empty() {
                match column {
                    Column::LaterValue => later.push(f64::NAN),
                    // pandas writes Python's `None` as an empty cell: only a trial that has the parameter has
                    // a distribution.
                    Column::Param(param) => {
                        if let Some(set) = sets.of(self, param)?.filter(|set| set.contains(&ParamValue::Null))
                        {
                            trial.distributions.insert(param.clone(), set.clone());
                            trial.params.0.insert(param.clone(), ParamValue::Null);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let wrong = |expected: &str| self.wrong(name, expected, cell);
            match column {
                Column::Number => number = count(cell).ok_or_else(|| wrong("a count from 0"))?,
                Column::State => {
                    state = Some(parse_state(cell).ok_or_else(|| wrong("the name of a trial's state"))?);
                }
                Column::Value => {
                    let x: f64 = cell.parse().map_err(|_| wrong("a number"))?;
                    value = (!x.is_nan()).then_some(x);
                }
                Column::LaterValue => later.push(cell.parse().map_err(|_| wrong("a number"))?),
                Column::Intermediate(step) => {
                    trial.intermediate.insert(*step, cell.parse().map_err(|_| wrong("a number"))?);
                }
                Column::Metric(attribute) => {
                    take_user_attribute(&mut trial, attribute, &attribute_json(cell))
                        .map_err(|malformed| wrong(&format!("an attribute: {}", malformed.problem)))?;
                }
                Column::SystemAttribute(attribute) => {
                    trial.system_attributes.insert(attribute.clone(), attribute_json(cell));
                }
                Column::Param(param) => {
                    let value = match sets.of(self, param)? {
                        Some(set) => {
                            let member = set.read(whole_cell).or_else(|| set.read(cell));
                            let value = member.ok_or_else(|| wrong(&format!("a value of {set}")))?;
                            trial.distributions.insert(param.clone(), set.clone());
                            value
                        }
                        None if json::is_wide(cell) || cell.parse::<u64>().is_ok_and(|x| x > MOST) => {
                            let place = format!("line {}, column `{name}`", self.line);
                            return Err(Wide(cell.to_owned()).within(place));
                        }
                        None => param_value(cell),
                    };
                    trial.params.0.insert(param.clone(), value);
                }
                Column::Started => {
                    trial.started = Some(parse_time(cell).ok_or_else(|| wrong("a date and time"))?);
                }
                Column::Completed => {
                    trial.completed = Some(parse_time(cell).ok_or_else(|| wrong("a date and time"))?);
                }
                Column::Distribution(_) | Column::Directions | Column::Ignored => {}
            }
        }
        trial.number = allometry_core::TrialNumber(number);
        if later.iter().all(|value: &f64| value.is_nan()) {
            later.clear();
        }
        trial.values = values_of(value, later);
        trial.state = state.unwrap_or_else(|| default_state(value));
        Ok(trial)
    }
}

impl Sets {
    /// Returns the distribution that a row records for a parameter, if any.
    fn of(&mut self, row: &Row<'_>, param: &str) -> Result<Option<&Distribution>, Problem> {
        let place =
            row.columns.iter().position(|column| matches!(column, Column::Distribution(of) if of == param));
        let text = place.and_then(|place| row.record.get(place)).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        let key = (param.to_owned(), text.to_owned());
        if !self.0.contains_key(&key) {
            // pandas writes the `repr` of Optuna's distribution.
            let shown = literal::read(text).map(|set| json::write(&set));
            let json = shown.as_deref().unwrap_or(text);
            let read = distribution::refuse_wide_choice(json).and_then(|()| distribution::parse(json));
            let set = read.map_err(|problem| {
                row.wrong(&format!("distributions_{param}"), &format!("a distribution: {problem}"), text)
            })?;
            self.0.insert(key.clone(), set);
        }
        Ok(self.0.get(&key))
    }
}

/// Returns a cell as the JSON of an attribute: a number, boolean, list or object, in JSON or Python syntax,
/// else a text.
fn attribute_json(cell: &str) -> String {
    match json::parse(cell) {
        Ok(value) if !value.is_string() || json::number(&value).is_some() => json::write(&value),
        _ => match (cell, cell.parse()) {
            ("True", _) => "true".into(),
            ("False", _) => "false".into(),
            (_, Ok(number)) => json_float(number),
            _ if cell.starts_with(['{', '[', '(']) => {
                json::write(&literal::read(cell).unwrap_or_else(|| Value::from(cell)))
            }
            _ => json::write(&Value::from(cell)),
        },
    }
}

/// Parses a count, including `3.0` from tables with gaps.
fn count(cell: &str) -> Option<u64> {
    cell.parse().ok().or_else(|| {
        let x: f64 = cell.parse().ok()?;
        (x >= 0.0 && x.fract() == 0.0 && x < 9e15).then_some(x as u64)
    })
}

/// Largest integer of a parameter.
const MOST: u64 = i64::MAX as u64;

/// Returns a cell as the value of a parameter without a recorded distribution.
pub(crate) fn param_value(cell: &str) -> ParamValue {
    match cell {
        "True" | "true" => return ParamValue::Bool(true),
        "False" | "false" => return ParamValue::Bool(false),
        _ => {}
    }
    if let Ok(i) = cell.parse::<i64>() {
        return ParamValue::Int(i);
    }
    // Words such as `inf` and `nan` may be names; a number starts with a digit, a sign or a point.
    let numeric = cell.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    match cell.parse::<f64>() {
        Ok(x) if numeric => ParamValue::Float(x),
        _ => ParamValue::Text(cell.into()),
    }
}
