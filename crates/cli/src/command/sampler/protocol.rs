//! The lines that `allometry sampler` reads and writes.

use std::collections::BTreeMap;

use allometry_core::{ChoiceOrder, Direction, Distribution, ParamValue, Params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Maximum number of values of an `int` range or a stepped `float` range.
const MOST_LEVELS: f64 = 1e6;

/// A line after the first.
#[derive(Debug)]
pub(super) enum Request {
    /// Asks for the configuration of trial `number`.
    Ask { number: u64 },
    /// Gives the values of trial `number`, one per objective; none if it failed. A constraint above 0 is
    /// broken.
    Tell { number: u64, values: Vec<f64>, constraints: Vec<f64> },
    /// Asks for the recommended configuration, or for the Pareto front if there are several objectives.
    Recommend,
}

/// The answer to a line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Params(Params),
    Front(Vec<Member>),
    Error(String),
}

/// A trial of the Pareto front.
#[derive(Debug, Serialize)]
pub(super) struct Member {
    pub(super) trial: u64,
    pub(super) values: Vec<f64>,
    pub(super) params: Params,
}

/// The error of an invalid line.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("the line is not a JSON object: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "the first line must describe the space: {{\"seed\": 7, \"params\": \
         [{{\"name\": \"lr\", \"type\": \"ordinal\", \"values\": [0.1, 0.2]}}]}}"
    )]
    NoSpace,
    #[error("the space has already been described")]
    SecondSpace,
    #[error("the line must have one of \"ask\", \"tell\" and \"recommend\"")]
    Unknown,
    #[error("\"{key}\" must be a trial's number, from 0")]
    Number { key: &'static str },
    #[error("\"value\" must be a finite number, or null for a failed trial")]
    Value,
    #[error("\"values\" must be a list of finite numbers, or null for a failed trial")]
    Values,
    #[error("\"constraints\" must be a list of finite numbers")]
    Constraints,
    #[error("trial {number} was told {told} values, but there are {objectives} objectives")]
    ValueCount { number: u64, told: usize, objectives: usize },
    #[error("\"directions\" must be a list of \"minimize\" and \"maximize\", one for each objective")]
    Directions,
    #[error("parameter {name:?}: {problem}")]
    Parameter { name: String, problem: String },
    #[error("\"params\" must have at least one parameter")]
    NoParameters,
    #[error("the parameter {0:?} occurs twice")]
    SameName(String),
    #[error("trial {0} has already been asked for")]
    AskedTwice(u64),
    #[error("trial {0} was never asked for")]
    NeverAsked(u64),
    #[error("trial {0} has already been told")]
    ToldTwice(u64),
    #[error("no trial has been told a value")]
    NothingTold,
    #[error(transparent)]
    Sampler(#[from] allometry_search::SampleError),
    #[error(transparent)]
    Space(#[from] allometry_search::SpaceError),
}

/// The first line, which describes the space.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) params: Vec<Parameter>,
    /// One direction per objective.
    directions: Option<Vec<Direction>>,
    /// Whether `gp` may propose a configuration again.
    #[serde(default = "yes")]
    pub(super) repeats: bool,
}

const fn yes() -> bool {
    true
}

impl Header {
    /// Returns the direction of each objective; by default there is one, and it is minimised.
    pub(super) fn directions(&self) -> Result<Vec<Direction>, LineError> {
        let directions = self.directions.clone().unwrap_or_else(|| vec![Direction::Minimize]);
        if directions.is_empty() { Err(LineError::Directions) } else { Ok(directions) }
    }
}

/// One parameter of the first line.
#[derive(Debug, Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    values: Vec<ParamValue>,
    low: Option<Value>,
    high: Option<Value>,
    #[serde(default)]
    log: bool,
    step: Option<Value>,
    /// Condition under which the parameter exists: other parameters, each with the values that they must
    /// have.
    pub(super) when: Option<BTreeMap<String, Vec<ParamValue>>>,
}

impl Parameter {
    /// Returns the set of values of the parameter.
    pub(super) fn distribution(&self) -> Result<Distribution, LineError> {
        let problem =
            |problem: &str| LineError::Parameter { name: self.name.clone(), problem: problem.into() };
        match self.kind.as_str() {
            "ordinal" | "categorical" => {
                if self.values.is_empty() {
                    return Err(problem("\"values\" must have at least one value"));
                }
                let twice = (1..self.values.len()).find(|i| self.values[..*i].contains(&self.values[*i]));
                if let Some(i) = twice {
                    return Err(problem(&format!("the value {} occurs twice", self.values[i].repr())));
                }
                let order = if self.kind == "ordinal" { ChoiceOrder::Ordinal } else { ChoiceOrder::Nominal };
                Ok(Distribution::Categorical { choices: self.values.clone(), order })
            }
            "float" => self.float().map_err(problem),
            "int" => self.int().map_err(problem),
            _ => Err(problem("\"type\" must be \"ordinal\", \"categorical\", \"float\" or \"int\"")),
        }
    }

    fn float(&self) -> Result<Distribution, &'static str> {
        let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64);
        let (Some(low), Some(high)) = (number(&self.low), number(&self.high)) else {
            return Err("\"low\" and \"high\" must be numbers");
        };
        let step = number(&self.step);
        if low > high {
            return Err("\"low\" must not exceed \"high\"");
        }
        if self.log && low <= 0.0 {
            return Err("\"low\" must be positive on a log scale");
        }
        match (&self.step, step) {
            (Some(Value::Null) | None, _) => {}
            (Some(_), _) if self.log => return Err("a log scale takes no \"step\""),
            (_, Some(step)) if step > 0.0 && (high - low) / step < MOST_LEVELS => {
                let steps = (high - low) / step;
                if (steps - steps.round()).abs() > 1e-8 * steps.max(1.0) {
                    return Err("\"step\" must divide the range");
                }
            }
            _ => return Err("\"step\" must be positive and give at most a million values"),
        }
        Ok(Distribution::Float { low, high, log: self.log, step })
    }

    fn int(&self) -> Result<Distribution, &'static str> {
        let integer = |value: &Option<Value>| {
            let value: ParamValue = serde_json::from_value(value.clone()?).ok()?;
            matches!(value, ParamValue::Int(_) | ParamValue::Float(_)).then(|| value.as_i64())?
        };
        let (Some(low), Some(high)) = (integer(&self.low), integer(&self.high)) else {
            return Err("\"low\" and \"high\" must be whole numbers");
        };
        let step = match &self.step {
            None | Some(Value::Null) => 1,
            Some(_) => integer(&self.step)
                .filter(|step| *step >= 1)
                .ok_or("\"step\" must be a whole number from 1")?,
        };
        if low > high {
            return Err("\"low\" must not exceed \"high\"");
        }
        if self.log && low < 1 {
            return Err("\"low\" must be at least 1 on a log scale");
        }
        if i128::from(high) - i128::from(low) >= MOST_LEVELS as i128 * i128::from(step) {
            return Err("the range has more than a million values");
        }
        if (high - low) % step != 0 {
            return Err("\"step\" must divide the range");
        }
        Ok(Distribution::Int { low, high, log: self.log, step })
    }
}

/// Parses a line after the first.
pub(super) fn request(object: &Map<String, Value>) -> Result<Request, LineError> {
    let number = |key: &'static str| object[key].as_u64().ok_or(LineError::Number { key });
    if object.contains_key("ask") {
        return Ok(Request::Ask { number: number("ask")? });
    }
    if object.contains_key("tell") {
        let number = number("tell")?;
        let values = match (object.get("value"), object.get("values")) {
            (Some(Value::Null), None) | (None, Some(Value::Null)) => Vec::new(),
            (Some(value), None) => vec![value.as_f64().ok_or(LineError::Value)?],
            (None, Some(Value::Array(values))) if !values.is_empty() => {
                values.iter().map(Value::as_f64).collect::<Option<_>>().ok_or(LineError::Values)?
            }
            (_, Some(_)) => return Err(LineError::Values),
            (None, None) => return Err(LineError::Value),
        };
        let constraints = match object.get("constraints") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(values)) => {
                values.iter().map(Value::as_f64).collect::<Option<_>>().ok_or(LineError::Constraints)?
            }
            Some(_) => return Err(LineError::Constraints),
        };
        return Ok(Request::Tell { number, values, constraints });
    }
    if object.get("recommend") == Some(&Value::Bool(true)) {
        return Ok(Request::Recommend);
    }
    Err(if object.contains_key("params") { LineError::SecondSpace } else { LineError::Unknown })
}
