//! Hyperparameters: names, values, points.

use std::cmp::Ordering;
use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::python;

/// Name of a hyperparameter, such as `learning_rate`.
pub type ParamName = String;

/// One value of a hyperparameter: the kinds that Optuna's categorical choices may hold.
///
/// Equality is that of Python, on which stored studies rely: `1 == 1.0 == True`. NaN equals itself here, so that
/// a value can be looked up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParamValue {
    /// Python's `None`.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float; may be infinite or NaN in files written by Python.
    Float(f64),
    /// A word.
    Text(String),
}

impl ParamValue {
    /// The value as a number (booleans as 0 and 1), if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Bool(b) => Some(f64::from(u8::from(b))),
            Self::Int(i) => Some(i as f64),
            Self::Float(x) => Some(x),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// The value as an integer, if it is a whole number.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Int(i) => Some(i),
            Self::Bool(b) => Some(i64::from(b)),
            Self::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => Some(x as i64),
            _ => None,
        }
    }

    /// The value for people: a float in three significant digits.
    pub fn rounded(&self) -> Self {
        match self {
            Self::Float(x) if x.is_finite() => Self::Float(format!("{x:.2e}").parse().unwrap_or(*x)),
            value => value.clone(),
        }
    }

    /// The value inside Python's containers: text quoted.
    pub fn repr(&self) -> String {
        match self {
            Self::Text(text) => python::string_repr(text),
            other => other.to_string(),
        }
    }

    /// A total order: null, then numbers by value, then text.
    pub fn total_cmp(&self, other: &Self) -> Ordering {
        match (self.as_f64(), other.as_f64()) {
            (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or_else(|| a.total_cmp(&b)),
            (Some(_), None) if *other == Self::Null => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => other.total_cmp(self).reverse(),
            (None, None) => match (self, other) {
                (Self::Text(a), Self::Text(b)) => a.cmp(b),
                (Self::Text(_), _) => Ordering::Greater,
                (_, Self::Text(_)) => Ordering::Less,
                _ => Ordering::Equal,
            },
        }
    }
}

impl PartialEq for ParamValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Text(a), Self::Text(b)) => a == b,
            (a, b) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()),
                _ => false,
            },
        }
    }
}

/// As Python's `str` prints it: `1e-05`, `0.0`, `64`, `True`, `None`, text unquoted.
impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => f.write_str(&python::float_repr(*x)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<i64> for ParamValue {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<f64> for ParamValue {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}

impl From<&str> for ParamValue {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// A point of a search space: values by name, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Params(pub IndexMap<ParamName, ParamValue>);

impl Params {
    /// The value of `name`, if the point has one.
    pub fn get(&self, name: &str) -> Option<&ParamValue> {
        self.0.get(name)
    }

    /// Sets `name`, keeping its place where it is already there.
    pub fn insert(&mut self, name: impl Into<ParamName>, value: impl Into<ParamValue>) {
        self.0.insert(name.into(), value.into());
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ParamValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<N: Into<ParamName>, V: Into<ParamValue>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// `d_model=96 n_layers=2 ...`, for logs and messages.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_pythons() {
        assert_eq!(ParamValue::Int(1), ParamValue::Float(1.0));
        assert_eq!(ParamValue::Bool(true), ParamValue::Int(1));
        assert_ne!(ParamValue::Text("1".into()), ParamValue::Int(1));
        assert_eq!(ParamValue::Float(f64::NAN), ParamValue::Float(f64::NAN));
    }

    #[test]
    fn order_puts_null_then_numbers_then_text() {
        let mut values: Vec<ParamValue> =
            vec!["b".into(), 2i64.into(), "a".into(), 1.5.into(), ParamValue::Null, (-1i64).into()];
        values.sort_by(ParamValue::total_cmp);
        let printed: Vec<String> = values.iter().map(ToString::to_string).collect();
        assert_eq!(printed, ["None", "-1", "1.5", "2", "a", "b"]);
    }

    #[test]
    fn json_keeps_integers_and_floats_apart() {
        let params: Params = serde_json::from_str(r#"{"b": 2, "a": 1e-05, "c": "x", "d": null}"#).unwrap();
        assert_eq!(params.to_string(), "b=2 a=1e-05 c=x d=None");
    }
}
