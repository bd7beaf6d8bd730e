//! What a program reports: JSON lines, `allometry.trial/1`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use allometry_core::{ModelSize, TrialNumber, ValidationScores};
use allometry_store::json;
use serde_json::{Map, Value};

/// Bytes of one line at most; scores of some million rows fit.
const LONGEST_LINE: usize = 256 << 20;

/// What one line says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Step(i64, f64, BTreeMap<String, f64>),
    Metrics(BTreeMap<String, f64>),
    Scores(ValidationScores),
    Final(Final),
}

/// The last line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Final {
    /// Value of the first objective.
    pub(super) value: f64,
    /// Values of the objectives after it, where the line has them.
    pub(super) further: Vec<f64>,
    pub(super) size: Option<ModelSize>,
    pub(super) best_step: Option<i64>,
}

impl Final {
    /// A value alone.
    pub(super) fn of(value: f64) -> Self {
        Self { value, further: Vec::new(), size: None, best_step: None }
    }
}

/// A line that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of its report {problem}")]
pub(super) struct LineError {
    line: usize,
    problem: String,
}

/// Reads a report as it grows.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    /// Bytes of a line that is not complete.
    pending: Vec<u8>,
    /// Lines read.
    line: usize,
    number: TrialNumber,
}

impl Reader {
    pub(super) fn open(path: &Path, number: TrialNumber) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, pending: Vec::new(), line: 0, number })
    }

    /// The lines that were completed since the last call; with `all` the rest too, as of a program that has ended.
    ///
    /// # Errors
    /// [`LineError`] for the first line that is not understood.
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
            lines.extend(parse(bytes, self.line, self.number)?);
            scan += end + 1;
            begin = scan;
        }
        self.pending.drain(..begin);
        if self.pending.len() > LONGEST_LINE {
            return Err(LineError { line: self.line + 1, problem: "has no end".into() });
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
    let Value::Object(object) = value else { return Err(error(format!("is no object: {}", shown(text)))) };
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
        return Err(format!("is of trial {other}, but this is trial {number}"));
    }
    let get = |key: &str| object.get(key).filter(|value| !value.is_null());
    let number_of = |key: &str| match get(key) {
        None => Err(format!("has no `{key}`")),
        Some(value) => json::number(value).ok_or_else(|| format!("has a `{key}` that is no number")),
    };
    let whole = |key: &str| match get(key) {
        None => Ok(None),
        Some(value) => json::number(value)
            .filter(|x| x.fract() == 0.0 && x.abs() < 9e15)
            .map(|x| Some(x as i64))
            .ok_or_else(|| format!("has a `{key}` that is no whole number")),
    };
    let count = |key: &str| match whole(key)? {
        Some(count) if count < 0 => Err(format!("has a negative `{key}`")),
        count => Ok(count.map(|count| count as u64)),
    };
    if get("final").is_some_and(|is_final| *is_final == Value::Bool(true)) {
        let total = count("weights")?;
        let non_embedding = count("non_embedding_weights")?;
        let size = total.map(|total| ModelSize { total, non_embedding: non_embedding.unwrap_or(total) });
        let best_step = whole("best_step")?;
        let mut values = match get("values") {
            None => vec![number_of("value")?],
            Some(_) if get("value").is_some() => return Err("has both `value` and `values`".into()),
            Some(values) => numbers(values).ok_or("has `values` that are no list of numbers")?,
        };
        let further = values.split_off(1);
        return Ok(Line::Final(Final { value: values[0], further, size, best_step }));
    }
    let metrics = get("metrics").map(metrics).transpose()?;
    if let Some(step) = whole("step")? {
        return Ok(Line::Step(step, number_of("value")?, metrics.unwrap_or_default()));
    }
    if get("scores").is_some() {
        return scores(object).map(Line::Scores);
    }
    metrics.map(Line::Metrics).ok_or_else(|| "has neither `step`, `metrics`, `scores` nor `final`".into())
}

/// At least one number.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    let numbers: Vec<f64> = value.as_array()?.iter().map(json::number).collect::<Option<_>>()?;
    Some(numbers).filter(|numbers| !numbers.is_empty())
}

fn metrics(value: &Value) -> Result<BTreeMap<String, f64>, String> {
    let Value::Object(object) = value else { return Err("has `metrics` that are no object".into()) };
    let numbers = object.iter().map(|(name, value)| {
        let number = json::number(value).ok_or_else(|| format!("has a metric `{name}` that is no number"))?;
        Ok((name.clone(), number))
    });
    numbers.collect()
}

fn scores(object: &Map<String, Value>) -> Result<ValidationScores, String> {
    let list = |key: &str| match object.get(key) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(format!("has no list `{key}`")),
    };
    let (scores, labels) = (list("scores")?, list("labels")?);
    let rows = match object.get("rows") {
        None | Some(Value::Null) => (0..scores.len() as u64).collect(),
        Some(_) => {
            let rows = list("rows")?.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
            rows.ok_or("has `rows` that are no whole numbers")?
        }
    };
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
            .ok_or("has scores that are no probabilities from 0 to 1")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Option<Line>, String> {
        parse(text.as_bytes(), 3, TrialNumber(7)).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_are_what_they_say() {
        let none = BTreeMap::new();
        assert_eq!(line(r#"{"step": 3, "value": 0.71}"#), Ok(Some(Line::Step(3, 0.71, none.clone()))));
        assert_eq!(line("  "), Ok(None));
        assert_eq!(
            line(r#"{"step": 1, "value": Infinity, "metrics": {"loss": 2}}"#),
            Ok(Some(Line::Step(1, f64::INFINITY, BTreeMap::from([("loss".into(), 2.0)]))))
        );
        let Ok(Some(Line::Step(2, nan, _))) = line(r#"{"step": 2.0, "value": NaN}"#) else { panic!() };
        assert!(nan.is_nan());
        assert_eq!(
            line(r#"{"final": true, "value": 0.5, "weights": 12, "number": 7}"#),
            Ok(Some(Line::Final(Final {
                size: Some(ModelSize { total: 12, non_embedding: 12 }),
                ..Final::of(0.5)
            })))
        );
        assert_eq!(
            line(r#"{"final": true, "values": [0.5, 20, Infinity]}"#),
            Ok(Some(Line::Final(Final { further: vec![20.0, f64::INFINITY], ..Final::of(0.5) })))
        );
        assert_eq!(
            line(r#"{"scores": [0.5, 1], "labels": [0, true]}"#),
            Ok(Some(Line::Scores(ValidationScores {
                rows: vec![0, 1],
                labels: vec![false, true],
                scores: vec![0.5, 1.0]
            })))
        );
    }

    #[test]
    fn mistakes_name_the_line_and_what_is_wrong() {
        for (text, problem) in [
            ("{", "is not JSON"),
            ("[1]", "is no object: [1]"),
            ("{}", "has neither"),
            (r#"{"step": 1}"#, "has no `value`"),
            (r#"{"step": 1, "value": null}"#, "has no `value`"),
            (r#"{"step": 1, "value": "high"}"#, "has a `value` that is no number"),
            (r#"{"step": 1.5, "value": 1}"#, "has a `step` that is no whole number"),
            (r#"{"final": true}"#, "has no `value`"),
            (r#"{"final": true, "value": 1, "weights": -1}"#, "has a negative `weights`"),
            (r#"{"final": true, "values": []}"#, "has `values` that are no list of numbers"),
            (r#"{"final": true, "values": [1, "fast"]}"#, "has `values` that are no list of numbers"),
            (r#"{"final": true, "value": 1, "values": [1, 2]}"#, "has both `value` and `values`"),
            (r#"{"step": 1, "value": 1, "number": 8}"#, "is of trial 8, but this is trial 7"),
            (r#"{"metrics": [1]}"#, "has `metrics` that are no object"),
            (r#"{"metrics": {"a": "b"}}"#, "has a metric `a` that is no number"),
            (r#"{"scores": [0.1], "labels": []}"#, "has 1 scores, 0 labels and 1 rows"),
            (r#"{"scores": [1.1], "labels": [0]}"#, "has scores that are no probabilities"),
            (r#"{"scores": [0.1], "labels": [2]}"#, "has labels other than 0 and 1"),
        ] {
            let message = line(text).unwrap_err();
            assert!(message.starts_with("line 3 of its report ") && message.contains(problem), "{message}");
        }
        assert!(parse(&[0xff], 1, TrialNumber(0)).unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn a_line_is_read_when_it_is_complete() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let mut file = File::create(&path).unwrap();
        let mut reader = Reader::open(&path, TrialNumber(0)).unwrap();
        file.write_all(b"{\"step\": 1, \"value\": 1}\n{\"step\": 2,").unwrap();
        assert_eq!(reader.read(false).unwrap().len(), 1);
        assert_eq!(reader.read(false).unwrap(), []);
        file.write_all(b" \"value\": 2}").unwrap();
        assert_eq!(reader.read(false).unwrap(), []);
        assert_eq!(reader.read(true).unwrap(), [Line::Step(2, 2.0, BTreeMap::new())]);
        assert_eq!(reader.read(true).unwrap(), []);
    }
}
