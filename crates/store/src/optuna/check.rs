//! What is refused so that every client can read a study: one text that Python cannot parse would end them all.

use serde_json::Value;

use crate::error::StoreError;
use crate::json;

/// Characters of a name or key, as the columns are declared.
const LONGEST_NAME: usize = 512;

/// Largest float whose neighbours are whole numbers: an integer's stored number.
const LARGEST_INT: f64 = 9_007_199_254_740_992.0;

fn invalid(field: &str, problem: impl Into<String>) -> StoreError {
    StoreError::Invalid { field: field.into(), problem: problem.into() }
}

/// A name or key that fits its column.
pub(crate) fn name(field: &str, text: &str) -> Result<(), StoreError> {
    if text.len() > LONGEST_NAME && text.chars().nth(LONGEST_NAME).is_some() {
        return Err(invalid(field, format!("it has more than {LONGEST_NAME} characters")));
    }
    Ok(())
}

/// A key that fits its column with a value that Python parses.
pub(crate) fn attribute(key: &str, json: &str) -> Result<(), StoreError> {
    name("attribute's key", key)?;
    json::check(json)
        .map_err(|error| invalid(&format!("attribute `{}`", shown(key)), format!("no JSON: {error}")))
}

/// A parameter that Optuna can turn into its value again.
pub(crate) fn parameter(name: &str, internal: f64, distribution: &str) -> Result<(), StoreError> {
    self::name("parameter's name", name)?;
    let refused = |problem: String| invalid(&format!("parameter `{}`", shown(name)), problem);
    let kind = Kind::parse(distribution).map_err(&refused)?;
    let fits = match &kind {
        Kind::Float { .. } => !internal.is_nan(),
        Kind::Int { .. } => internal.abs() <= LARGEST_INT,
        Kind::Categorical { choices } => internal >= 0.0 && (internal as usize) < choices.len(),
    };
    if fits { Ok(()) } else { Err(refused(format!("its distribution has no value for {internal}"))) }
}

/// Whether both may belong to the same parameter of a study: same kind and scale, same choices in order. Texts are
/// distributions that [`parameter`] passed.
pub(crate) fn compatible(old: &str, new: &str) -> bool {
    old == new
        || match (Kind::parse(old), Kind::parse(new)) {
            (Ok(Kind::Float { log: a }), Ok(Kind::Float { log: b }))
            | (Ok(Kind::Int { log: a }), Ok(Kind::Int { log: b })) => a == b,
            (Ok(Kind::Categorical { choices: a }), Ok(Kind::Categorical { choices: b })) => {
                a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| equal(a, b))
            }
            _ => false,
        }
}

/// What of a distribution must stay the same.
enum Kind {
    Float { log: bool },
    Int { log: bool },
    Categorical { choices: Vec<Value> },
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        let document = json::parse(text).map_err(|error| format!("its distribution is no JSON: {error}"))?;
        let class = document["name"].as_str().ok_or("its distribution has no `name`")?;
        let attributes = &document["attributes"];
        let numbers = |fields: &[&str]| match fields.iter().find(|f| json::number(&attributes[**f]).is_none())
        {
            Some(missing) => Err(format!("its {class} has no number `{missing}`")),
            None => Ok(()),
        };
        let log = |default: bool| attributes["log"].as_bool().unwrap_or(default);
        match class {
            "FloatDistribution" | "UniformDistribution" | "LogUniformDistribution" => {
                numbers(&["low", "high"])?;
                Ok(Self::Float { log: log(class == "LogUniformDistribution") })
            }
            "DiscreteUniformDistribution" => {
                numbers(&["low", "high", "q"])?;
                Ok(Self::Float { log: false })
            }
            "IntDistribution" | "IntUniformDistribution" | "IntLogUniformDistribution" => {
                numbers(&["low", "high"])?;
                Ok(Self::Int { log: log(class == "IntLogUniformDistribution") })
            }
            "CategoricalDistribution" => match &attributes["choices"] {
                Value::Array(choices) if !choices.is_empty() => {
                    Ok(Self::Categorical { choices: choices.clone() })
                }
                _ => Err("its CategoricalDistribution has no `choices`".into()),
            },
            other => Err(format!("distribution class `{}` is unknown", shown(other))),
        }
    }
}

/// Equality as Python has it: 1, 1.0 and true are the same; and as Optuna has it: NaN is itself.
fn equal(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| value.as_bool().map(f64::from).or_else(|| json::number(value));
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()),
            (None, None) => a == b,
            _ => false,
        },
    }
}

/// The beginning of a text from outside, in one line.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn categorical(choices: &str) -> String {
        format!(r#"{{"name": "CategoricalDistribution", "attributes": {{"choices": {choices}}}}}"#)
    }

    fn float(attributes: &str) -> String {
        format!(r#"{{"name": "FloatDistribution", "attributes": {{{attributes}}}}}"#)
    }

    #[test]
    fn choices_are_compared_as_python_does() {
        let same = |a: &str, b: &str| compatible(&categorical(a), &categorical(b));
        assert!(same("[1, true, NaN, [64, 64]]", "[1.0, 1, NaN, [64.0, 64]]"));
        assert!(!same("[1, 2]", "[2, 1]"));
        assert!(!same(r#"["1"]"#, "[1]"));
        assert!(!same("[null]", "[0]"));
        assert!(!same("[1]", "[1, 2]"));
    }

    #[test]
    fn numbers_may_move_their_bounds_but_not_their_scale() {
        let old = float(r#""low": 0.0, "high": 1.0, "log": false, "step": null"#);
        assert!(compatible(&old, &float(r#""low": -5.0, "high": 9.0, "log": false, "step": 0.5"#)));
        assert!(!compatible(&old, &float(r#""low": 0.1, "high": 1.0, "log": true, "step": null"#)));
        assert!(!compatible(&old, &categorical("[0.0, 1.0]")));
    }

    #[test]
    fn what_optuna_could_not_read_back_is_refused() {
        let set = categorical(r#"["a", "b"]"#);
        assert!(parameter("x", 1.0, &set).is_ok());
        for internal in [2.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(parameter("x", internal, &set).is_err(), "{internal}");
        }
        assert!(parameter("x", f64::NAN, &float(r#""low": 0, "high": 1"#)).is_err());
        assert!(parameter("x", 0.5, &float(r#""low": 0"#)).unwrap_err().to_string().contains("`high`"));
        assert!(parameter("x", 0.0, &categorical("[]")).is_err());
        for damaged in ["", "{", "[]", "null", r#"{"name": "Normal", "attributes": {}}"#] {
            assert!(parameter("x", 0.5, damaged).is_err(), "{damaged}");
        }
        assert!(attribute("k", r#"{"x": [NaN, "\ud800", -Infinity, 1e400]}"#).is_ok());
        for damaged in ["", "{", "nan", "1 2", "'x'", "\"\u{1}\""] {
            assert!(attribute("k", damaged).is_err(), "{damaged}");
        }
        assert!(name("name", &"é".repeat(512)).is_ok());
        assert!(name("name", &"é".repeat(513)).is_err());
    }
}
