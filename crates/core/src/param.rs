//! Hyperparameters: names, values and configurations.

use std::cmp::Ordering;
use std::fmt;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::python;

/// Name of a hyperparameter, such as `learning_rate`.
pub type ParamName = String;

/// A map from hyperparameters to values of any type, in insertion order.
pub type ByName<T> = IndexMap<ParamName, T, RandomState>;

/// One value of a hyperparameter: any JSON value that Optuna's categorical choices can hold.
///
/// Equality follows Python, which stored studies depend on: `1 == 1.0 == True`, and integers equal floats by
/// their exact value. NaN equals itself here, so that values can be looked up.
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
    /// A string.
    Text(String),
    /// Values in order: Python's list; tuples are stored as lists.
    List(Vec<ParamValue>),
    /// Values by name; their order does not matter.
    Dict(Box<IndexMap<String, ParamValue>>),
}

impl ParamValue {
    /// The value as a number (booleans as 0 and 1), if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Bool(b) => Some(f64::from(u8::from(b))),
            Self::Int(i) => Some(i as f64),
            Self::Float(x) => Some(x),
            Self::Null | Self::Text(_) | Self::List(_) | Self::Dict(_) => None,
        }
    }

    /// The value as an integer, if it is a whole number of 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Int(i) => Some(i),
            Self::Bool(b) => Some(i64::from(b)),
            Self::Float(x) if x.fract() == 0.0 && (-TWO_TO_63..TWO_TO_63).contains(&x) => Some(x as i64),
            _ => None,
        }
    }

    /// The value for display: floats are rounded to three significant digits.
    #[must_use]
    pub fn rounded(&self) -> Self {
        match self {
            Self::Float(x) if x.is_finite() => Self::Float(format!("{x:.2e}").parse().unwrap_or(*x)),
            value => value.clone(),
        }
    }

    /// The value as Python's `repr` prints it: text is quoted.
    pub fn repr(&self) -> String {
        match self {
            Self::Text(text) => python::string_repr(text),
            other => other.to_string(),
        }
    }

    /// A total order: null, then numbers by value, then text, lists and dicts.
    #[inline]
    pub fn total_cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b).unwrap_or_else(|| a.total_cmp(b)),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (a, b) => a.mixed_cmp(b),
        }
    }

    /// The total order for values of different kinds.
    fn mixed_cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => {
                let unlike = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
                unlike.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Dict(a), Self::Dict(b)) => dict_cmp(a, b),
            (a, b) => match (a.as_f64(), b.as_f64()) {
                (Some(x), Some(y)) => number_cmp(a, b).unwrap_or_else(|| x.total_cmp(&y)),
                _ => a.kind().cmp(&b.kind()),
            },
        }
    }

    /// The rank of the value's kind in the total order.
    fn kind(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => 1,
            Self::Text(_) => 2,
            Self::List(_) => 3,
            Self::Dict(_) => 4,
        }
    }
}

/// The smallest float above all 64-bit integers.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// The order of two numbers by their exact values; `None` with a NaN.
fn number_cmp(a: &ParamValue, b: &ParamValue) -> Option<Ordering> {
    let whole = |value: &ParamValue| match *value {
        ParamValue::Int(i) => Some(i),
        ParamValue::Bool(b) => Some(i64::from(b)),
        _ => None,
    };
    match (whole(a), whole(b), a.as_f64()?, b.as_f64()?) {
        (Some(a), Some(b), ..) => Some(a.cmp(&b)),
        (Some(i), None, _, x) => whole_cmp(i, x),
        (None, Some(i), x, _) => whole_cmp(i, x).map(Ordering::reverse),
        (None, None, x, y) => x.partial_cmp(&y),
    }
}

/// The order of an integer and a float.
fn whole_cmp(i: i64, x: f64) -> Option<Ordering> {
    // Where the integer rounds to `x`, the exact integers decide: such a float is whole.
    let rounded = (i as f64).partial_cmp(&x)?;
    Some(rounded.then_with(|| i128::from(i).cmp(&(x as i128))))
}

/// Compares by size, then by the sorted names and their values.
fn dict_cmp(a: &IndexMap<String, ParamValue>, b: &IndexMap<String, ParamValue>) -> Ordering {
    fn sorted(dict: &IndexMap<String, ParamValue>) -> Vec<(&String, &ParamValue)> {
        let mut pairs: Vec<_> = dict.iter().collect();
        pairs.sort_by_key(|(name, _)| *name);
        pairs
    }
    let pairs = sorted(a).into_iter().zip(sorted(b));
    let unlike =
        pairs.map(|(a, b)| a.0.cmp(b.0).then_with(|| a.1.total_cmp(b.1))).find(|order| order.is_ne());
    a.len().cmp(&b.len()).then_with(|| unlike.unwrap_or(Ordering::Equal))
}

impl PartialEq for ParamValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Dict(a), Self::Dict(b)) => a == b,
            (a, b) => match (a.as_f64(), b.as_f64()) {
                (Some(x), Some(y)) => {
                    number_cmp(a, b).map_or_else(|| x.is_nan() && y.is_nan(), Ordering::is_eq)
                }
                _ => false,
            },
        }
    }
}

/// The text of Python's `str`: `1e-05`, `0.0`, `64`, `True`, `None`, `[64, 64]`, `{'a': 1}`, text unquoted.
impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => f.write_str(&python::float_repr(*x)),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::repr).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Dict(fields) => {
                let pair = |(name, value): (&String, &Self)| {
                    format!("{}: {}", python::string_repr(name), value.repr())
                };
                let fields: Vec<String> = fields.iter().map(pair).collect();
                write!(f, "{{{}}}", fields.join(", "))
            }
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

/// A configuration: values by name, in insertion order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Params(pub ByName<ParamValue>);

impl Params {
    /// The value of `name`, if the configuration has one.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&ParamValue> {
        self.0.get(name)
    }

    /// Sets `name`; an existing name keeps its position.
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
    fn integers_beyond_floats_keep_their_value() {
        let large = 1_i64 << 53;
        assert_ne!(ParamValue::Int(large), ParamValue::Int(large + 1));
        assert_eq!(ParamValue::Int(large), ParamValue::Float(large as f64));
        assert_ne!(ParamValue::Int(large + 1), ParamValue::Float(large as f64));
        assert_ne!(ParamValue::Int(i64::MAX), ParamValue::Float(TWO_TO_63));
        assert!(ParamValue::Int(large + 1).total_cmp(&ParamValue::Float(large as f64)).is_gt());
        assert!(ParamValue::Int(i64::MAX).total_cmp(&ParamValue::Float(f64::INFINITY)).is_lt());
        assert_eq!(ParamValue::Float(1e18).as_i64(), Some(1_000_000_000_000_000_000));
        assert_eq!(ParamValue::Float(TWO_TO_63).as_i64(), None);
    }

    #[test]
    fn lists_and_dicts_are_pythons() {
        let parse = |text: &str| serde_json::from_str::<ParamValue>(text).unwrap();
        let value = parse(r#"[64, "it's", null, {"b": [true, 1e-05], "a": {}}]"#);
        assert_eq!(value.to_string(), r#"[64, "it's", None, {'b': [True, 1e-05], 'a': {}}]"#);
        assert_eq!(parse("[64, 64.0]"), parse("[64.0, 64]"));
        assert_eq!(parse(r#"{"a": 1, "b": 2}"#), parse(r#"{"b": 2.0, "a": true}"#));
        assert!(parse(r#"{"a": 1, "b": 2}"#).total_cmp(&parse(r#"{"b": 2.0, "a": true}"#)).is_eq());
        assert_ne!(parse("[64]"), parse("64"));
        assert!(parse("[64]").total_cmp(&parse("[64, 1]")).is_lt());
        assert!(parse("[65]").total_cmp(&parse("[64, 1]")).is_gt());
        assert!(parse("\"z\"").total_cmp(&parse("[]")).is_lt());
        assert!(parse("{}").total_cmp(&parse("[9]")).is_gt());
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
