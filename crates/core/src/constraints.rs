//! Constraints on what a trial reports, as Optuna keeps them.

use std::collections::BTreeMap;

use crate::python::{json_float, json_string};

/// System attribute of a trial that holds the list of its constraint values in Optuna.
const KEY: &str = "constraints";

/// Values of the constraints of one trial. A constraint is met where its value is at most 0, and a trial is
/// feasible where all its constraints are met or it has none (Optuna 5,
/// `study/_constrained_optimization.py`).
///
/// Optuna keeps them in system attributes of the trial: `constraints` is a list, whose members are called
/// `0`, `1` and so on, and since Optuna 5 `constraints:NAME` is one value of that name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Constraints {
    /// Values without a name, in order.
    pub listed: Vec<f64>,
    /// Values by name.
    pub named: BTreeMap<String, f64>,
}

impl Constraints {
    /// The constraints in a trial's system attributes, which are JSON texts. A value that is not a number is
    /// read as NaN, which is not met.
    pub fn of_attributes(attributes: &BTreeMap<String, String>) -> Self {
        let listed = attributes.get(KEY).map(|text| list(text)).unwrap_or_default();
        let prefixed = attributes.range(format!("{KEY}:")..).map_while(|(key, text)| {
            let name = key.strip_prefix(KEY)?.strip_prefix(':')?;
            Some((name.to_owned(), number(text)))
        });
        Self { listed, named: if attributes.is_empty() { BTreeMap::new() } else { prefixed.collect() } }
    }

    /// System attributes that hold the constraints: key and JSON text.
    pub fn attributes(&self) -> Vec<(String, String)> {
        let list: Vec<String> = self.listed.iter().map(|value| json_float(*value)).collect();
        let list = (!list.is_empty()).then(|| (KEY.to_owned(), format!("[{}]", list.join(", "))));
        let named = self.named.iter().map(|(name, value)| (format!("{KEY}:{name}"), json_float(*value)));
        list.into_iter().chain(named).collect()
    }

    /// Whether `key` is a system attribute that holds constraints.
    pub fn is_key(key: &str) -> bool {
        key.strip_prefix(KEY).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// Adds `others`: listed values are appended, named values replace those of the same name.
    pub fn add(&mut self, others: Self) {
        self.listed.extend(others.listed);
        self.named.extend(others.named);
    }

    /// Whether there are no constraints.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.named.is_empty()
    }

    /// All values with their names; listed values are named by their position, from `0`.
    pub fn iter(&self) -> impl Iterator<Item = (String, f64)> + '_ {
        let listed = self.listed.iter().enumerate().map(|(place, value)| (place.to_string(), *value));
        listed.chain(self.named.iter().map(|(name, value)| (name.clone(), *value)))
    }

    /// Whether all constraints are met.
    pub fn are_met(&self) -> bool {
        self.listed.iter().chain(self.named.values()).all(|value| is_met(*value))
    }

    /// The names of the constraints that are not met.
    pub fn broken(&self) -> impl Iterator<Item = String> + '_ {
        self.iter().filter(|(_, value)| !is_met(*value)).map(|(name, _)| name)
    }
}

/// Whether a constraint with this value is met; NaN is not.
pub fn is_met(value: f64) -> bool {
    value <= 0.0
}

/// A JSON object: `{"0": 0.5, "latency": -1.0}`.
impl std::fmt::Display for Constraints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members: Vec<String> = self
            .iter()
            .map(|(name, value)| format!("{}: {}", json_string(&name), json_float(value)))
            .collect();
        write!(f, "{{{}}}", members.join(", "))
    }
}

/// The numbers of a JSON list, or a single number; none for `null`. A `null` inside a list is read as NaN.
fn list(text: &str) -> Vec<f64> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).trim();
    if inner.is_empty() || text == "null" { Vec::new() } else { inner.split(',').map(number).collect() }
}

/// A JSON number, with `true` as 1 and `false` as 0; NaN for anything else.
fn number(text: &str) -> f64 {
    match text.trim() {
        "true" => 1.0,
        "false" => 0.0,
        text => text.parse().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Constraints {
        let pairs = pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        Constraints::of_attributes(&pairs.collect())
    }

    #[test]
    fn they_are_read_as_optuna_writes_them_and_written_back() {
        for (attributes, met, shown) in [
            (vec![], true, "{}"),
            (vec![("constraints", "null")], true, "{}"),
            (vec![("constraints", "[]")], true, "{}"),
            (vec![("constraints", "[0.0, -1.5]")], true, r#"{"0": 0.0, "1": -1.5}"#),
            (vec![("constraints", "[-1e-05, 2]")], false, r#"{"0": -1e-05, "1": 2.0}"#),
            (vec![("constraints", "[Infinity]")], false, r#"{"0": Infinity}"#),
            (vec![("constraints", "[-Infinity]")], true, r#"{"0": -Infinity}"#),
            (vec![("constraints:ms", "3.5"), ("constraintsx", "[1]")], false, r#"{"ms": 3.5}"#),
            (vec![("constraints:a:b", "-3"), ("fixed_params", "{}")], true, r#"{"a:b": -3.0}"#),
            (vec![("constraints", "[-1.0]"), ("constraints:ms", "0")], true, r#"{"0": -1.0, "ms": 0.0}"#),
        ] {
            let read = of(&attributes);
            assert_eq!((read.are_met(), read.to_string().as_str()), (met, shown), "{attributes:?}");
            let again = Constraints::of_attributes(&read.attributes().into_iter().collect());
            assert_eq!(again, read);
            assert!(read.attributes().iter().all(|(key, _)| Constraints::is_key(key)));
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_not_met() {
        for text in ["[\"large\"]", "{\"a\": -1}", "[NaN]", "[null]", "[null, -1.0]", "x"] {
            assert!(!of(&[("constraints", text)]).are_met(), "{text}");
        }
        assert!(!of(&[("constraints:ms", "\"fast\"")]).are_met());
        assert!(of(&[("constraints", "[false]")]).are_met());
    }
}
