//! Tables of trials: Optuna's `trials_dataframe`, and plain ones with a column per parameter.

use std::collections::BTreeMap;

use allometry_core::python::json_float;
use allometry_core::{Distribution, FrozenTrial, ParamValue, Params};
use serde_json::Value;

use super::Table;
use super::error::Problem;
use super::json::{default_state, parse_direction, parse_state, parse_time};
use crate::assemble::take_user_attribute;
use crate::{distribution, json};

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Number,
    Value,
    /// Of an objective after the first.
    Further,
    State,
    Intermediate(i64),
    Metric(String),
    SystemAttribute(String),
    Param(String),
    /// The set of a parameter, as JSON.
    Set(String),
    Directions,
    Started,
    Completed,
    Ignored,
}

/// Columns that are results in plain tables; every other one is a parameter.
const METRICS: [&str; 12] = [
    "precision",
    "recall",
    "f1",
    "accuracy",
    "loss",
    "log_loss",
    "pred_min",
    "pred_max",
    "pred_mean",
    "pred_sd",
    "zero_recall",
    "duration_sec",
];

/// Columns that say how a trial came about.
const IGNORED: [&str; 5] = ["forced_extreme", "extreme_type", "duration", "index", ""];

/// Names of the objective in plain tables, the likeliest first.
const VALUES: [&str; 9] =
    ["value", "values_0", "auc", "val_auc", "valid_auc", "validation_auc", "objective", "score", "metric"];

/// Parses a table with a header line.
pub(super) fn parse(text: &str) -> Result<Table, Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().map_err(|e| malformed(&e))?.clone();
    let columns = columns(&header)?;
    let mut sets = Sets::default();
    let mut table = Table::default();
    for record in reader.records() {
        let record = record.map_err(|e| malformed(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row { line, columns: &columns, header: &header, record: &record };
        if table.trials.is_empty() {
            table.directions = row.directions()?;
        }
        table.trials.push(row.trial(table.trials.len() as u64, &mut sets)?);
    }
    Ok(table)
}

fn malformed(error: &csv::Error) -> Problem {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Problem::new(format!("line {line}"), format!("{len} fields where the header has {expected_len}"))
                .hint("leave the cell of a missing value empty, but keep its comma")
        }
        _ => Problem::new(format!("line {line}"), error.to_string()),
    }
}

fn columns(header: &csv::StringRecord) -> Result<Vec<Column>, Problem> {
    let from_optuna = header.iter().any(|name| name.starts_with("params_"));
    let known = VALUES.iter().find(|name| header.iter().any(|h| h.eq_ignore_ascii_case(name))).copied();
    // Of several objectives Optuna's table has a column each, named by number or by the user.
    let is_objective = |name: &str| {
        let named = name.strip_prefix("values_");
        named.is_some_and(|rest| from_optuna || rest.parse::<u32>().is_ok())
    };
    let Some(value) = known.or_else(|| header.iter().find(|name| is_objective(name))) else {
        return Err(Problem::new("line 1", "no column holds the objective").hint("name it `value` or `auc`"));
    };
    Ok(header
        .iter()
        .map(|name| match name {
            "number" | "trial" | "trial_number" => Column::Number,
            "state" => Column::State,
            "datetime_start" => Column::Started,
            "datetime_complete" => Column::Completed,
            "directions" if from_optuna => Column::Directions,
            _ if name.eq_ignore_ascii_case(value) => Column::Value,
            _ if is_objective(name) => Column::Further,
            _ if from_optuna => optuna_column(name),
            _ if METRICS.contains(&name) || VALUES.contains(&name) => Column::Metric(name.into()),
            _ if IGNORED.contains(&name) || name.starts_with("Unnamed:") => Column::Ignored,
            _ => Column::Param(name.into()),
        })
        .collect())
}

fn optuna_column(name: &str) -> Column {
    if let Some(param) = name.strip_prefix("params_") {
        Column::Param(param.into())
    } else if let Some(attribute) = name.strip_prefix("user_attrs_") {
        Column::Metric(attribute.into())
    } else if let Some(attribute) = name.strip_prefix("system_attrs_") {
        Column::SystemAttribute(attribute.into())
    } else if let Some(param) = name.strip_prefix("distributions_") {
        Column::Set(param.into())
    } else if let Some(step) = name.strip_prefix("intermediate_values_").and_then(|s| s.parse().ok()) {
        Column::Intermediate(step)
    } else {
        Column::Ignored
    }
}

/// Sets by parameter and text, parsed once.
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
        let (mut number, mut state, mut value) = (index, None, None);
        let mut trial = FrozenTrial::new(0, default_state(None), None, Params::default());
        for ((column, name), whole_cell) in self.columns.iter().zip(self.header).zip(self.record) {
            let cell = whole_cell.trim();
            if cell.is_empty() {
                if *column == Column::Further {
                    trial.further.push(f64::NAN);
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
                Column::Further => trial.further.push(cell.parse().map_err(|_| wrong("a number"))?),
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
                Column::Set(_) | Column::Directions | Column::Ignored => {}
            }
        }
        trial.number = allometry_core::TrialNumber(number);
        trial.value = value;
        if trial.further.iter().all(|value| value.is_nan()) {
            trial.further.clear();
        }
        trial.state = state.unwrap_or_else(|| default_state(value));
        Ok(trial)
    }
}

impl Sets {
    /// The set that a row gives a parameter, if any.
    fn of(&mut self, row: &Row<'_>, param: &str) -> Result<Option<&Distribution>, Problem> {
        let place = row.columns.iter().position(|column| matches!(column, Column::Set(of) if of == param));
        let text = place.and_then(|place| row.record.get(place)).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        let key = (param.to_owned(), text.to_owned());
        if !self.0.contains_key(&key) {
            let set = distribution::parse(text).map_err(|problem| {
                row.wrong(&format!("distributions_{param}"), &format!("a distribution: {problem}"), text)
            })?;
            self.0.insert(key.clone(), set);
        }
        Ok(self.0.get(&key))
    }
}

/// A cell as an attribute: numbers, truth values, lists and objects of JSON as they are, anything else as a text.
fn attribute_json(cell: &str) -> String {
    match json::parse(cell) {
        Ok(value) if !value.is_string() || json::number(&value).is_some() => json::write(&value),
        _ => match (cell, cell.parse()) {
            ("True", _) => "true".into(),
            ("False", _) => "false".into(),
            (_, Ok(number)) => json_float(number),
            _ => json::write(&Value::from(cell)),
        },
    }
}

/// A count, also as tables with gaps print it: `3.0`.
fn count(cell: &str) -> Option<u64> {
    cell.parse().ok().or_else(|| {
        let x: f64 = cell.parse().ok()?;
        (x >= 0.0 && x.fract() == 0.0 && x < 9e15).then_some(x as u64)
    })
}

fn param_value(cell: &str) -> ParamValue {
    match cell {
        "True" | "true" => return ParamValue::Bool(true),
        "False" | "false" => return ParamValue::Bool(false),
        _ => {}
    }
    if let Ok(i) = cell.parse::<i64>() {
        return ParamValue::Int(i);
    }
    // Words such as `inf` or `nan` may be names; numbers begin with a digit, a sign or a point.
    let numeric = cell.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    match cell.parse::<f64>() {
        Ok(x) if numeric => ParamValue::Float(x),
        _ => ParamValue::Text(cell.into()),
    }
}
