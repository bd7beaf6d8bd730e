//! Reader of tables of trials: Optuna's `trials_dataframe`, and plain tables with a column per parameter.

pub(super) mod numbers;
mod survey;

use std::borrow::Cow;
use std::collections::BTreeMap;

use allometry_core::python::json_float;
use allometry_core::{Distribution, FrozenTrial, ParamValue, Params};
use jiff::Timestamp;
use serde_json::Value;

use super::columns::{Column, Columns, is_prefixed, params_without_sets};
use super::ends::{self, DONE, End, STEP, TRIAL};
use super::error::Problem;
use super::field::{
    COUNTS, DISTRIBUTIONS, OF_THE_SET, STATES, TIMES, Wide, default_state, is_nan, parse_count,
    parse_direction, parse_state, parse_time, read_directions,
};
use super::{
    Roles, Table, empty_params, flat, infeasible, iterations, leading, literal, typing, values_of, wandb,
};
use crate::from_rows::take_user_attribute;
use crate::{distribution, json};

/// Parses a table with a header line. `roles` contains the user's options for columns.
pub(super) fn parse(text: &str, roles: &Roles<'_>) -> Result<Table, Problem> {
    let text = &*without_mark(text);
    let delimiter = delimiter(text);
    refuse_open_quote(text, delimiter)?;
    let (header, records) = rows(text, delimiter)?;
    if header.iter().any(wandb::is_dictionary) {
        return flat::parse(unfolded(&header, records, delimiter)?, roles);
    }
    let names: Vec<&str> = header.iter().collect();
    let columns = Columns::new(&names, roles, "line 1");
    let mut columns = columns.map_err(|problem| header_problem(problem, &header, text))?;
    let has_commas = survey::take(text, delimiter, &header, &mut columns)?;
    let Columns { kinds, metrics, place, notes } = columns;
    let mut sets = Sets::default();
    let iteration = Iteration::new(&header);
    let (mut iterations, mut ends) = (Vec::new(), Vec::new());
    let mut marks = DecimalMarks { header: &header, kinds: &kinds, has_commas: false, grouped: None };
    let mut table = Table { metrics, notes, ..Table::default() };
    let mut said: Option<String> = None;
    for record in records {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let record = if has_commas { marks.with_points(line, &record) } else { record };
        let row = Row { line, columns: &kinds, header: &header, record: &record };
        if table.trials.is_empty() {
            table.directions = row.directions()?;
            leading::move_to_front(&mut table.directions, place);
            said = row.said_directions().map(str::to_owned);
        } else if row.said_directions().is_some_and(|now| said.as_deref().is_some_and(|first| first != now)) {
            let place = format!("line {line}, column `directions`");
            return Err(Problem::new(place, "differs from that of the first trial")
                .hint("the trials of a table are of one study: write one table for each study"));
        }
        let (trial, has_state) = row.trial(table.trials.len() as u64, &mut sets)?;
        table.trials.push(trial);
        let is_open = iteration.as_ref().is_some_and(|columns| columns.is_open(&record));
        ends.push(End { has_state, is_open });
        iterations.extend(iteration.as_ref().and_then(|columns| columns.of(&record)));
    }
    marks.check()?;
    if iterations.len() == table.trials.len() {
        ends = iterations::join(&mut table, &iterations, ends);
    }
    ends::settle(&mut table, &ends);
    typing::remove_missing(&mut table.trials);
    table.notes.extend(empty_params::note(&table.trials, params_without_sets(&kinds)));
    Ok(table)
}

/// Returns the text without the line `sep=;` that tells Excel the delimiter. An empty line takes its place,
/// so that the others keep their numbers.
fn without_mark(text: &str) -> Cow<'_, str> {
    let first = text.split('\n').next().unwrap_or_default();
    let mark = first.trim().trim_matches('"').to_ascii_lowercase();
    let is_mark = mark.strip_prefix("sep=").is_some_and(|delimiter| delimiter.chars().count() <= 1);
    if is_mark { Cow::Owned(text[first.len()..].to_owned()) } else { Cow::Borrowed(text) }
}

/// Returns the first line that is not blank, with its number.
fn first_line(text: &str) -> (usize, &str) {
    (1..).zip(text.lines()).find(|(_, line)| !line.trim().is_empty()).unwrap_or((1, ""))
}

/// Returns the names of the columns, and the rows below them.
fn rows(
    text: &str,
    delimiter: u8,
) -> Result<(csv::StringRecord, impl Iterator<Item = Result<csv::StringRecord, Problem>> + '_), Problem> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let header = without_blanks(reader.headers().map_err(|e| malformed(&e, text))?);
    let mut records = reader.into_records();
    let mut first = records.next().transpose().map_err(|e| malformed(&e, text))?;
    let header = match first.as_ref().and_then(|lower| joined(&header, lower)) {
        Some(joined) => {
            first = None;
            joined
        }
        None => header,
    };
    let records = first.into_iter().map(Ok).chain(records);
    Ok((header, records.map(move |record| record.map_err(|e| malformed(&e, text)))))
}

/// Returns the names of columns without the blanks around them, except in Allometry's own tables, and where
/// blanks alone distinguish the names of two parameters or attributes.
fn without_blanks(header: &csv::StringRecord) -> csv::StringRecord {
    let is_own = header.get(0) == Some("number") && header.iter().next_back() == Some("directions");
    let is_alone = |name: &str| {
        let alike = |other: &str| other != name && other.trim() == name.trim();
        !is_prefixed(name.trim()) || !header.iter().any(alike)
    };
    header.iter().map(|name| if is_own || !is_alone(name) { name } else { name.trim() }).collect()
}

/// Returns the problem of a header in which no column is found, with the advice for a line that is no header.
fn header_problem(problem: Problem, header: &csv::StringRecord, text: &str) -> Problem {
    match no_header_hint(text) {
        Some(hint) if header.len() == 1 || text.trim_start().starts_with('#') => problem.hint(hint),
        _ => problem,
    }
}

/// Returns the advice for a first line that is a comment, or that no delimiter divides.
fn no_header_hint(text: &str) -> Option<&'static str> {
    let first = first_line(text).1.trim();
    if first.starts_with('#') {
        return Some("the first line must contain the names of the columns: remove comments above it");
    }
    let is_divided = first.contains([',', ';', '\t', '|']);
    (!is_divided && first.contains(char::is_whitespace))
        .then_some("write a comma, a semicolon, a tab or a bar between the cells")
}

/// Indices of the columns with the trial and the iteration of a row of Ray Tune.
struct Iteration {
    trial: usize,
    step: usize,
    done: Option<usize>,
}

impl Iteration {
    fn new(header: &csv::StringRecord) -> Option<Self> {
        let place = |wanted: &str| header.iter().position(|name| name == wanted);
        Some(Self { trial: place(TRIAL)?, step: place(STEP)?, done: place(DONE) })
    }

    /// Whether `done` is false.
    fn is_open(&self, record: &csv::StringRecord) -> bool {
        let said = self.done.and_then(|place| record.get(place));
        said.is_some_and(|said| said.trim().eq_ignore_ascii_case("false"))
    }

    fn of(&self, record: &csv::StringRecord) -> Option<(String, i64)> {
        Some((record.get(self.trial)?.trim().to_owned(), record.get(self.step)?.trim().parse().ok()?))
    }
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
    records: impl Iterator<Item = Result<csv::StringRecord, Problem>>,
    delimiter: u8,
) -> Result<Vec<Value>, Problem> {
    let value = |cell: &str| match cell.trim() {
        "" => Value::Null,
        cell if delimiter == b',' => json::parse(&attribute_json(cell)).unwrap_or_else(|_| cell.into()),
        cell => json::parse(&attribute_json(&with_point(cell))).unwrap_or_else(|_| cell.into()),
    };
    let row = |record: Result<csv::StringRecord, Problem>| {
        let record = record?;
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
    for byte in first_line(text).1.bytes() {
        is_quoted ^= byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| *delimiter == byte && !is_quoted) {
            *count += 1;
        }
    }
    // `max_by_key` returns the last maximum; the reversal makes it the first one.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

/// Decimal marks of a table whose delimiter is not a comma.
struct DecimalMarks<'t> {
    header: &'t csv::StringRecord,
    kinds: &'t [Column],
    /// Whether a number has a decimal comma.
    has_commas: bool,
    /// Problem of the first number whose points may separate thousands.
    grouped: Option<Problem>,
}

impl DecimalMarks<'_> {
    /// Returns a row with points for decimal commas.
    fn with_points(&mut self, line: u64, record: &csv::StringRecord) -> csv::StringRecord {
        for ((cell, name), kind) in record.iter().zip(self.header).zip(self.kinds) {
            self.has_commas |= cell.contains(',') && with_point(cell) != cell;
            if self.grouped.is_none() && *kind != Column::Ignored && is_grouped(cell.trim()) {
                let message = format!("the points of `{}` may separate thousands", cell.trim());
                let problem = Problem::new(format!("line {line}, column `{name}`"), message);
                self.grouped = Some(problem.hint("write numbers without separators of thousands"));
            }
        }
        record.iter().map(with_point).collect()
    }

    /// Refuses numbers whose points may separate thousands, if other numbers have decimal commas.
    fn check(self) -> Result<(), Problem> {
        self.grouped.filter(|_| self.has_commas).map_or(Ok(()), Err)
    }
}

/// Whether a number has groups of three digits after points, and perhaps a decimal comma: `1.000`, `1.234,5`.
fn is_grouped(cell: &str) -> bool {
    let (whole, fraction) = cell.split_once(',').unwrap_or((cell, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split('.');
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let others: Vec<&str> = groups.collect();
    is_digits(fraction)
        && (1..=3).contains(&first.len())
        && is_digits(first)
        && first != "0"
        && !others.is_empty()
        && others.iter().all(|group| group.len() == 3 && is_digits(group))
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

fn malformed(error: &csv::Error, text: &str) -> Problem {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Problem::new(format!("line {line}"), format!("{len} fields, but the header has {expected_len}"))
                .hint(
                    no_header_hint(text)
                        .unwrap_or("leave the cell of a missing value empty, but keep its comma"),
                )
        }
        _ => Problem::new(format!("line {line}"), error.to_string()),
    }
}

/// Whether a cell has no value. NaN is a value where numbers are expected.
fn is_missing(column: &Column, cell: &str) -> bool {
    let is_number = matches!(column, Column::Value | Column::LaterValue | Column::Intermediate(_));
    column.has_own_form() && typing::is_missing(cell) && !(is_number && is_nan(cell))
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

    /// Returns the number in a cell.
    fn number(&self, name: &str, cell: &str) -> Result<f64, Problem> {
        cell.parse().map_err(|_| {
            let is_percentage = cell.strip_suffix('%').is_some_and(|x| x.trim().parse::<f64>().is_ok());
            let is_grouped = cell.replace([',', '.'], "").parse::<f64>().is_ok();
            self.wrong(name, "a number", cell).hint(if is_percentage {
                "write percentages as fractions, such as 0.95 for 95%"
            } else if is_grouped {
                "write numbers without separators of thousands, and with a decimal point"
            } else {
                "leave the cell of a missing value empty, or name another column with --metric"
            })
        })
    }

    /// Adds a parameter whose cell is empty, if its recorded distribution contains `None` or the empty text:
    /// pandas writes both as an empty cell. Only a trial that has the parameter has a distribution.
    fn take_empty(&self, trial: &mut FrozenTrial, param: &str, sets: &mut Sets) -> Result<(), Problem> {
        let Some(set) = sets.of(self, param)? else { return Ok(()) };
        let mut choices = [ParamValue::Null, "".into()].into_iter().filter(|choice| set.contains(choice));
        let (Some(value), other) = (choices.next(), choices.next()) else { return Ok(()) };
        if other.is_some() {
            let place = format!("line {}, column of `{param}`", self.line);
            let message = "an empty cell may be `None` or the empty text, which are both choices";
            return Err(Problem::new(place, message).hint("write null or \"\" as the text of the cell"));
        }
        trial.distributions.insert(param.to_owned(), set.clone());
        trial.params.0.insert(param.to_owned(), value);
        Ok(())
    }

    /// Returns the cell with the directions of the study, if the table has one and it is not empty.
    fn said_directions(&self) -> Option<&str> {
        let place = self.columns.iter().position(|column| *column == Column::Directions)?;
        self.record.get(place).map(str::trim).filter(|cell| !cell.is_empty())
    }

    fn directions(&self) -> Result<Vec<allometry_core::Direction>, Problem> {
        let Some(cell) = self.said_directions() else { return Ok(Vec::new()) };
        let directions = match literal::read(cell) {
            Some(list) => read_directions(&list),
            None => cell.split_whitespace().map(parse_direction).collect(),
        };
        directions.ok_or_else(|| self.wrong("directions", "maximize and minimize", cell))
    }

    /// Returns the trial, and whether the row records its state.
    fn trial(&self, index: u64, sets: &mut Sets) -> Result<(FrozenTrial, bool), Problem> {
        let (mut number, mut state, mut value, mut later) = (index, None, None, Vec::new());
        let mut trial = FrozenTrial::new(0, default_state(None), None, Params::default());
        let mut constraints = infeasible::OfRow::default();
        for ((column, name), whole_cell) in self.columns.iter().zip(self.header).zip(self.record) {
            let cell = whole_cell.trim();
            if cell.is_empty() || is_missing(column, cell) {
                match column {
                    Column::LaterValue => later.push(f64::NAN),
                    Column::Param(param) => self.take_empty(&mut trial, param, sets)?,
                    _ => {}
                }
                continue;
            }
            let wrong = |expected: &str| self.wrong(name, expected, cell);
            match column {
                Column::Number => {
                    number = parse_count(cell).ok_or_else(|| wrong("a count from 0").hint(COUNTS))?;
                }
                Column::State => {
                    let read = parse_state(cell);
                    state = Some(read.ok_or_else(|| wrong("the name of a trial's state").hint(STATES))?);
                }
                Column::Value => value = Some(self.number(name, cell)?).filter(|x| !x.is_nan()),
                Column::LaterValue => later.push(self.number(name, cell)?),
                Column::Intermediate(step) => {
                    trial.intermediate.insert(*step, self.number(name, cell)?);
                }
                Column::Metric(attribute) => {
                    take_user_attribute(&mut trial, attribute, &attribute_json(cell))
                        .map_err(|malformed| wrong(&format!("an attribute: {}", malformed.problem)))?;
                }
                Column::Constraints => {
                    let read =
                        json::parse(&attribute_json(cell)).ok().and_then(|all| constraints.take_all(all));
                    read.ok_or_else(|| wrong(infeasible::EXPECTED).hint(infeasible::HINT))?;
                }
                Column::Constraint(constraint) => {
                    constraints.take_one(constraint, json::float(self.number(name, cell)?));
                }
                Column::SystemAttribute(attribute) => {
                    trial.system_attributes.insert(attribute.clone(), attribute_json(cell));
                }
                Column::Param(param) => self.take_param(&mut trial, param, (name, whole_cell), sets)?,
                Column::Started => trial.started = Some(self.time(name, cell)?),
                Column::Completed => trial.completed = Some(self.time(name, cell)?),
                Column::Distribution(_) | Column::Directions | Column::Ignored => {}
            }
        }
        trial.number = allometry_core::TrialNumber(number);
        if later.iter().all(|value: &f64| value.is_nan()) {
            later.clear();
        }
        trial.values = values_of(value, later);
        trial.state = state.unwrap_or_else(|| default_state(value));
        constraints.put(&mut trial);
        Ok((trial, state.is_some()))
    }

    /// Adds the parameter in a cell that is not empty.
    fn take_param(
        &self,
        trial: &mut FrozenTrial,
        param: &str,
        (name, whole_cell): (&str, &str),
        sets: &mut Sets,
    ) -> Result<(), Problem> {
        let cell = whole_cell.trim();
        let value = match sets.of(self, param)? {
            Some(set) => {
                let member = set.read(whole_cell).or_else(|| set.read(cell));
                let value = member
                    .ok_or_else(|| self.wrong(name, &format!("a value of {set}"), cell).hint(OF_THE_SET))?;
                trial.distributions.insert(param.to_owned(), set.clone());
                value
            }
            None if json::is_wide(cell) || cell.parse::<u64>().is_ok_and(|x| x > MOST) => {
                return Err(Wide(cell.to_owned()).within(format!("line {}, column `{name}`", self.line)));
            }
            None => param_value(cell),
        };
        trial.params.0.insert(param.to_owned(), value);
        Ok(())
    }

    /// Returns the time in a cell.
    fn time(&self, name: &str, cell: &str) -> Result<Timestamp, Problem> {
        let wrong = || self.wrong(name, "a date and time", cell);
        parse_time(cell).ok_or_else(|| match cell.parse::<f64>() {
            Ok(_) => wrong().hint(NUMBERS_AS_TIMES),
            Err(_) => wrong().hint(TIMES),
        })
    }
}

/// Advice for a number where a table has times.
const NUMBERS_AS_TIMES: &str = "convert it: `pandas.to_datetime(column, unit=\"ms\")`, or \"s\" for seconds";

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
                    .hint(DISTRIBUTIONS)
            })?;
            self.0.insert(key.clone(), set);
        }
        Ok(self.0.get(&key))
    }
}

/// Returns a cell as the JSON of an attribute: a number, boolean, list or object, in JSON or Python syntax,
/// else a text. A text in quotes is the text inside them if it would have another meaning without them.
pub(crate) fn attribute_json(cell: &str) -> String {
    match json::parse(cell) {
        Ok(value) if !value.is_string() || json::number(&value).is_some() => json::write(&value),
        Ok(Value::String(text)) if needs_quotes(&text) => json::write(&Value::from(text)),
        _ => match (cell, cell.parse()) {
            ("True", _) => "true".into(),
            ("False", _) => "false".into(),
            (_, Ok(number)) if !has_leading_zero(cell) => json_float(number),
            _ if cell.starts_with(['{', '[', '(']) => {
                json::write(&literal::read(cell).unwrap_or_else(|| Value::from(cell)))
            }
            _ => json::write(&Value::from(cell)),
        },
    }
}

/// Whether a text is an attribute of its own kind only in quotes.
fn needs_quotes(text: &str) -> bool {
    text.trim() != text || text.is_empty() || attribute_json(text) != json::write(&Value::from(text))
}

/// Whether a cell is a text of digits, such as the identifier `007`, that no program writes for a number.
fn has_leading_zero(cell: &str) -> bool {
    let digits = cell.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Largest integer of a parameter.
const MOST: u64 = i64::MAX as u64;

/// Returns a cell as the value of a parameter without a recorded distribution.
pub(crate) fn param_value(cell: &str) -> ParamValue {
    match cell {
        "True" | "true" | "TRUE" => return ParamValue::Bool(true),
        "False" | "false" | "FALSE" => return ParamValue::Bool(false),
        _ if has_leading_zero(cell) => return ParamValue::Text(cell.into()),
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
