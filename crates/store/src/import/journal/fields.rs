//! Access to the fields of a journal's operation.

use allometry_core::TrialState;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::import::error::Problem;
use crate::import::field::parse_time;
use crate::json;

/// The fields of an operation, with the line for error messages.
pub(super) struct Fields<'a> {
    pub(super) line: usize,
    pub(super) fields: &'a Map<String, Value>,
}

impl Fields<'_> {
    pub(super) fn wrong(&self, field: &str, expected: &str) -> Problem {
        Problem::new(format!("line {}, field `{field}`", self.line), format!("expected {expected}"))
    }

    pub(super) fn get(&self, field: &str) -> &Value {
        self.fields.get(field).unwrap_or(&Value::Null)
    }

    pub(super) fn count(&self, field: &str) -> Result<usize, Problem> {
        let count = self.get(field).as_u64().and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| self.wrong(field, "a count from 0"))
    }

    pub(super) fn step(&self) -> Result<i64, Problem> {
        self.get("step").as_i64().ok_or_else(|| self.wrong("step", "a whole number"))
    }

    pub(super) fn text(&self, field: &str) -> Result<&str, Problem> {
        self.get(field).as_str().ok_or_else(|| self.wrong(field, "a text"))
    }

    /// Returns a number; `None` for null.
    pub(super) fn number(&self, field: &str) -> Result<Option<f64>, Problem> {
        match self.get(field) {
            Value::Null => Ok(None),
            value => json::number(value).map(Some).ok_or_else(|| self.wrong(field, "a number")),
        }
    }

    pub(super) fn values(&self) -> Result<Vec<f64>, Problem> {
        let wrong = || self.wrong("values", "a list of numbers");
        match self.get("values") {
            Value::Null => Ok(Vec::new()),
            Value::Array(values) => {
                values.iter().map(|value| json::number(value).ok_or_else(wrong)).collect()
            }
            _ => Err(wrong()),
        }
    }

    pub(super) fn state(&self) -> Result<TrialState, Problem> {
        match self.get("state").as_u64() {
            Some(0) => Ok(TrialState::Running),
            Some(1) => Ok(TrialState::Complete),
            Some(2) => Ok(TrialState::Pruned),
            Some(3) => Ok(TrialState::Failed),
            Some(4) => Ok(TrialState::Waiting),
            _ => Err(self.wrong("state", "a number from 0 to 4")),
        }
    }

    pub(super) fn time(&self, field: &str) -> Result<Option<Timestamp>, Problem> {
        match self.get(field) {
            Value::Null => Ok(None),
            value => {
                let time = value.as_str().and_then(parse_time);
                time.map(Some).ok_or_else(|| self.wrong(field, "a time"))
            }
        }
    }

    /// Returns keys and JSON texts.
    pub(super) fn attributes(&self, field: &str) -> impl Iterator<Item = (String, String)> {
        let attributes = self.get(field).as_object().into_iter().flatten();
        attributes.map(|(key, value)| (key.clone(), json::write(value)))
    }
}
