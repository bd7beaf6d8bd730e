//! The report of a program: JSON lines, `allometry.trial/1`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use allometry_core::{
    Constraints, ModelSize, Predictions, TrainingCost, TrialNumber, ValidationOutputs, ValidationScores,
};
use allometry_store::json;
use serde_json::{Map, Value};

/// Largest number of bytes of a line, which suffices for the scores of some million rows.
const LONGEST_LINE: usize = 256 << 20;

/// The content of one line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Step(i64, f64, BTreeMap<String, f64>),
    Metrics(BTreeMap<String, f64>),
    Constraints(Constraints),
    Predictions(Predictions),
    Final(Final),
}

/// The last line, with the value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Final {
    /// Values of the objectives; at least that of the first.
    pub(super) values: Vec<f64>,
    pub(super) constraints: Constraints,
    pub(super) size: Option<ModelSize>,
    pub(super) best_step: Option<i64>,
    pub(super) cost: TrainingCost,
    /// Where the program left the model.
    pub(super) checkpoint: Option<String>,
}

impl Final {
    /// A final line with only a value.
    pub(super) fn of(value: f64) -> Self {
        Self {
            values: vec![value],
            constraints: Constraints::default(),
            size: None,
            best_step: None,
            cost: TrainingCost::default(),
            checkpoint: None,
        }
    }
}

/// A line that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of its report {problem}")]
pub(super) struct LineError {
    line: usize,
    problem: String,
}

/// Reads a growing report.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    /// Bytes of an incomplete line.
    pending: Vec<u8>,
    /// Number of lines read.
    line: usize,
    number: TrialNumber,
}

impl Reader {
    pub(super) fn open(path: &Path, number: TrialNumber) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, pending: Vec::new(), line: 0, number })
    }

    /// The lines that were completed since the last call; with `all` also an incomplete last line, for a
    /// program that has ended.
    ///
    /// # Errors
    /// [`LineError`] for the first invalid line.
    pub(super) fn read(&mut self, all: bool) -> Result<Vec<Line>, LineError> {
        let start = self.pending.len();
        if let Err(error) = self.file.read_to_end(&mut self.pending) {
            return Err(LineError { line: self.line + 1, problem: format!("cannot be read: {error}") });
        }
        let mut lines = Vec::new();
        let mut begin = 0;
        let mut scan = start;
        while let Some(end) = self.pending[scan..].iter().position(|byte| *byte == b'\n') {
            self.line += 1;
            let bytes = &self.pending[begin..scan + end];
            if bytes.len() > LONGEST_LINE {
                return Err(LineError {
                    line: self.line,
                    problem: format!("is longer than {LONGEST_LINE} bytes"),
                });
            }
            lines.extend(parse(bytes, self.line, self.number)?);
            scan += end + 1;
            begin = scan;
        }
        self.pending.drain(..begin);
        if self.pending.len() > LONGEST_LINE {
            return Err(LineError {
                line: self.line + 1,
                problem: format!("is longer than {LONGEST_LINE} bytes"),
            });
        }
        if all && !self.pending.is_empty() {
            self.line += 1;
            lines.extend(parse(&std::mem::take(&mut self.pending), self.line, self.number)?);
        }
        Ok(lines)
    }
}

fn parse(bytes: &[u8], line: usize, number: TrialNumber) -> Result<Option<Line>, LineError> {
    let error = |problem: String| LineError { line, problem };
    let text = std::str::from_utf8(bytes).map_err(|_| error("is not UTF-8".into()))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value =
        json::parse(text).map_err(|e| error(format!("is not JSON: {} ({})", e.message, shown(text))))?;
    let Value::Object(object) = value else {
        return Err(error(format!("is not an object: {}", shown(text))));
    };
    read(&object, number).map(Some).map_err(|problem| error(format!("{problem}: {}", shown(text))))
}

/// The beginning of a line, for messages.
fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let text = text.trim();
    if text.chars().count() <= LONGEST {
        return text.into();
    }
    format!("{}...", text.chars().take(LONGEST).collect::<String>())
}

fn read(object: &Map<String, Value>, number: TrialNumber) -> Result<Line, String> {
    if let Some(other) = object.get("number").filter(|other| other.as_u64() != Some(number.0)) {
        return Err(format!("belongs to trial {other}, but this is trial {number}"));
    }
    let get = |key: &str| object.get(key).filter(|value| !value.is_null());
    let number_of = |key: &str| match get(key) {
        None => Err(format!("has no `{key}`")),
        Some(value) => json::number(value).ok_or_else(|| format!("has a `{key}` that is not a number")),
    };
    let integer = |key: &str| match get(key) {
        None => Ok(None),
        Some(value) => json::number(value)
            .filter(|x| x.fract() == 0.0 && x.abs() < 9e15)
            .map(|x| Some(x as i64))
            .ok_or_else(|| format!("has a `{key}` that is not a whole number")),
    };
    let count = |key: &str| match integer(key)? {
        Some(count) if count < 0 => Err(format!("has a negative `{key}`")),
        count => Ok(count.map(|count| count as u64)),
    };
    let constraints = get("constraints").map(constraints).transpose()?;
    if get("final").is_some_and(|is_final| *is_final == Value::Bool(true)) {
        let total = count("weights")?;
        let non_embedding = count("non_embedding_weights")?;
        let size = total.map(|total| ModelSize { total, non_embedding: non_embedding.unwrap_or(total) });
        let best_step = integer("best_step")?;
        let values = match get("values") {
            None => vec![number_of("value")?],
            Some(_) if get("value").is_some() => return Err("has both `value` and `values`".into()),
            Some(values) => numbers(values).ok_or("has `values` that are not a list of numbers")?,
        };
        let constraints = constraints.unwrap_or_default();
        let positive = |key: &str| match get(key) {
            None => Ok(None),
            Some(value) => json::number(value)
                .filter(|x| x.is_finite() && *x > 0.0)
                .map(Some)
                .ok_or_else(|| format!("has a `{key}` that is not a positive number")),
        };
        let cost = TrainingCost {
            train_rows: count("train_rows")?,
            tokens: count("tokens")?,
            flops: positive("flops")?,
            seconds: positive("seconds")?,
            precision: None,
        };
        let checkpoint = match get("checkpoint") {
            None => None,
            Some(Value::String(path)) if !path.is_empty() => Some(path.clone()),
            Some(_) => return Err("has a `checkpoint` that is not a text".into()),
        };
        return Ok(Line::Final(Final { values, constraints, size, best_step, cost, checkpoint }));
    }
    let metrics = get("metrics").map(metrics).transpose()?;
    if let Some(step) = integer("step")? {
        return Ok(Line::Step(step, number_of("value")?, metrics.unwrap_or_default()));
    }
    match (get("scores"), get("outputs")) {
        (Some(_), Some(_)) => return Err("has both `scores` and `outputs`".into()),
        (Some(_), None) => return scores(object).map(|scores| Line::Predictions(scores.into())),
        (None, Some(_)) => return outputs(object).map(|outputs| Line::Predictions(outputs.into())),
        (None, None) => {}
    }
    match (constraints, metrics) {
        (Some(_), Some(_)) => {
            Err("has both `constraints` and `metrics`: write them on separate lines".into())
        }
        (Some(constraints), None) => Ok(Line::Constraints(constraints)),
        (None, Some(metrics)) => Ok(Line::Metrics(metrics)),
        (None, None) => {
            Err("has neither `step`, `metrics`, `constraints`, `scores`, `outputs` nor `final`".into())
        }
    }
}

/// The numbers of a list; `None` where it is empty or has other values.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    let numbers: Vec<f64> = value.as_array()?.iter().map(json::number).collect::<Option<_>>()?;
    Some(numbers).filter(|numbers| !numbers.is_empty())
}

/// The constraints of a list of numbers, or of numbers by name. A number above 0 violates the constraint.
fn constraints(value: &Value) -> Result<Constraints, String> {
    let number = |value: &Value| json::number(value).filter(|number| !number.is_nan());
    let none = "has `constraints` that are not numbers";
    match value {
        Value::Array(values) => {
            let listed = values.iter().map(number).collect::<Option<_>>().ok_or(none)?;
            Ok(Constraints { listed, ..Constraints::default() })
        }
        Value::Object(values) => {
            let named = values.iter().map(|(name, value)| Some((name.clone(), number(value)?)));
            Ok(Constraints { named: named.collect::<Option<_>>().ok_or(none)?, ..Constraints::default() })
        }
        _ => Err("has `constraints` that are neither a list nor an object".into()),
    }
}

fn metrics(value: &Value) -> Result<BTreeMap<String, f64>, String> {
    let Value::Object(object) = value else { return Err("has `metrics` that are not an object".into()) };
    let numbers = object.iter().map(|(name, value)| {
        let number =
            json::number(value).ok_or_else(|| format!("has a metric `{name}` that is not a number"))?;
        Ok((name.clone(), number))
    });
    numbers.collect()
}

fn list<'o>(object: &'o Map<String, Value>, key: &str) -> Result<&'o Vec<Value>, String> {
    match object.get(key) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(format!("has no list `{key}`")),
    }
}

/// The numbers of the predicted rows; from 0 where the line has none.
fn rows(object: &Map<String, Value>, predicted: usize) -> Result<Vec<u64>, String> {
    if object.get("rows").is_none_or(Value::is_null) {
        return Ok((0..predicted as u64).collect());
    }
    let rows = list(object, "rows")?.iter().map(Value::as_u64).collect::<Option<_>>();
    rows.ok_or_else(|| "has `rows` that are not whole numbers".into())
}

fn scores(object: &Map<String, Value>) -> Result<ValidationScores, String> {
    let (scores, labels) = (list(object, "scores")?, list(object, "labels")?);
    let rows = rows(object, scores.len())?;
    if scores.len() != labels.len() || scores.len() != rows.len() {
        return Err(format!("has {} scores, {} labels and {} rows", scores.len(), labels.len(), rows.len()));
    }
    let probability =
        |value: &Value| json::number(value).filter(|p| (0.0..=1.0).contains(p)).map(|p| p as f32);
    let label = |value: &Value| match json::number(value) {
        _ if value.is_boolean() => value.as_bool(),
        Some(0.0) => Some(false),
        Some(1.0) => Some(true),
        _ => None,
    };
    Ok(ValidationScores {
        rows,
        labels: labels.iter().map(label).collect::<Option<_>>().ok_or("has labels other than 0 and 1")?,
        scores: scores
            .iter()
            .map(probability)
            .collect::<Option<_>>()
            .ok_or("has scores that are not probabilities from 0 to 1")?,
    })
}

/// Predictions of classes, as a list of probabilities for each row, or of numbers, one for each row.
fn outputs(object: &Map<String, Value>) -> Result<ValidationOutputs, String> {
    let (outputs, targets) = (list(object, "outputs")?, list(object, "targets")?);
    let rows = rows(object, outputs.len())?;
    if outputs.len() != targets.len() || outputs.len() != rows.len() {
        let (outputs, targets, rows) = (outputs.len(), targets.len(), rows.len());
        return Err(format!("has {outputs} outputs, {targets} targets and {rows} rows"));
    }
    // A number is treated as a row of one number.
    let of_row = |output: &'_ Value| output.as_array().map_or(1, Vec::len);
    let width = outputs.first().map_or(0, of_row);
    if width == 0 {
        return Err("has `outputs` without numbers".into());
    }
    if let Some(other) = outputs.iter().map(of_row).find(|other| *other != width) {
        return Err(format!("has `outputs` with {width} and with {other} numbers per row"));
    }
    let single = |value: &Value| json::number(value).map(|x| x as f32).filter(|x| x.is_finite());
    let numbers =
        outputs.iter().flat_map(|output| output.as_array().map_or(std::slice::from_ref(output), |row| row));
    let numbers: Option<Vec<f32>> = numbers.map(single).collect();
    let numbers = numbers.ok_or("has `outputs` that are not finite numbers")?;
    if width > 1 && !numbers.iter().all(|p| (0.0..=1.0).contains(p)) {
        return Err("has `outputs` of several numbers per row that are not probabilities from 0 to 1".into());
    }
    let targets: Option<Vec<f32>> = targets.iter().map(single).collect();
    let targets = targets.ok_or("has `targets` that are not finite numbers")?;
    if width > 1 && !targets.iter().all(|t| t.fract() == 0.0 && (0.0..width as f32).contains(t)) {
        return Err(format!("has `targets` that are not classes from 0 to {}", width - 1));
    }
    Ok(ValidationOutputs { rows, targets, outputs: numbers })
}

#[cfg(test)]
mod tests;
