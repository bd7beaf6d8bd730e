//! Checks that keep a study readable for every client: one text that Python cannot parse would make the whole
//! study unreadable.

use allometry_core::{Distribution, FrozenTrial, Params, TrialState};
use serde_json::Value;

use crate::error::StoreError;
use crate::facts::StudyFacts;
use crate::from_rows::{self, take_user_attribute};
use crate::json;
use crate::own_attribute::{OWN_PREFIX, RECORD_KEY, SPACE_KEY};
use crate::store::StudyId;

/// Maximum length of a name or key in characters, as the columns are declared.
const LONGEST_NAME: usize = 512;

/// First float above the largest 64-bit integer: 2^63.
const LARGEST_INT: f64 = 9_223_372_036_854_775_808.0;

/// Maximum depth of nested lists: Python's parser is recursive.
const DEEPEST: usize = 500;

/// Maximum number of digits that Python parses as an integer.
const LONGEST_NUMBER: usize = 4300;

fn invalid(field: &str, problem: impl Into<String>) -> StoreError {
    StoreError::Invalid { field: field.into(), problem: problem.into() }
}

/// Checks that a name or key fits its column.
pub(crate) fn name(field: &str, text: &str) -> Result<(), StoreError> {
    if text.len() > LONGEST_NAME && text.chars().nth(LONGEST_NAME).is_some() {
        return Err(invalid(field, format!("it has more than {LONGEST_NAME} characters")));
    }
    Ok(())
}

/// Checks that a key fits its column, that Python can parse the value, and that an attribute of Allometry's
/// own has a valid value.
pub(crate) fn attribute(key: &str, json: &str) -> Result<(), StoreError> {
    name("attribute's key", key)?;
    let refused = |problem: String| invalid(&format!("attribute `{}`", shown(key)), problem);
    json::check(json).map_err(|error| refused(format!("not JSON: {error}")))?;
    python_reads(json).map_err(&refused)?;
    own(key, json).map_err(&refused)
}

/// Checks a JSON text against the limits of Python's parser.
fn python_reads(json: &str) -> Result<(), String> {
    let (mut depth, mut digits) = (0_usize, 0_usize);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            // Skip the string; an escaped character does not end it.
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("it has lists nested more than {DEEPEST} deep"));
        }
        if digits > LONGEST_NUMBER {
            return Err(format!("it has a number with more than {LONGEST_NUMBER} digits"));
        }
    }
    Ok(())
}

/// Checks an attribute of Allometry's own: an invalid one would make the whole study unreadable.
fn own(key: &str, json: &str) -> Result<(), String> {
    let is_ours = key.starts_with(OWN_PREFIX);
    if key == RECORD_KEY {
        let mut trial = FrozenTrial::new(0, TrialState::Running, None, Params::default());
        take_user_attribute(&mut trial, key, json).map_err(|malformed| malformed.problem)
    } else if is_ours && key[OWN_PREFIX.len()..] == *SPACE_KEY {
        from_rows::space(StudyId(0), json).map(|_| ()).map_err(|malformed| malformed.problem)
    } else if is_ours {
        let value = json::parse(json).map_err(|error| error.to_string())?;
        let attributes = [(key[OWN_PREFIX.len()..].to_owned(), json::to_standard_json(value))].into();
        let (_, problem) = StudyFacts::read(&attributes);
        // The caller names the attribute.
        let named = format!("attribute `{key}`: ");
        problem.map_or(Ok(()), |problem| Err(problem.trim_start_matches(&named).to_owned()))
    } else {
        Ok(())
    }
}

/// Parses a distribution that both Optuna's parser and this crate accept.
pub(crate) fn distribution(text: &str) -> Result<Distribution, String> {
    let document = json::parse(text).map_err(|error| format!("its distribution is not JSON: {error}"))?;
    let class = document["name"].as_str().ok_or("its distribution has no `name`")?;
    let attributes = document["attributes"].as_object().ok_or("its distribution has no `attributes`")?;
    let known: &[&str] = match class {
        "FloatDistribution" | "IntDistribution" => &["low", "high", "log", "step"],
        "UniformDistribution" | "LogUniformDistribution" => &["low", "high"],
        "DiscreteUniformDistribution" => &["low", "high", "q"],
        "IntUniformDistribution" | "IntLogUniformDistribution" => &["low", "high", "step"],
        "CategoricalDistribution" => &["choices"],
        other => return Err(format!("distribution class `{}` is unknown", shown(other))),
    };
    if let Some(unknown) = attributes.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("its {class} has an unknown attribute `{}`", shown(unknown)));
    }
    if attributes.get("log").is_some_and(|log| !log.is_boolean()) {
        return Err(format!("`log` of its {class} is neither true nor false"));
    }
    let is_number = |value: &Value| value.is_null() || json::number(value).is_some();
    if attributes.get("step").is_some_and(|step| !is_number(step)) {
        return Err(format!("`step` of its {class} is not a number"));
    }
    let parsed = crate::distribution::parse(text).map_err(|problem| format!("its {problem}"))?;
    let is_whole_step = attributes.get("step").is_none_or(|step| step.is_null() || step.as_i64().is_some());
    if matches!(parsed, Distribution::Int { .. }) && !is_whole_step {
        return Err(format!("`step` of its {class} is not a 64-bit integer"));
    }
    constructor_problem(&parsed).map_or(Ok(parsed), |problem| Err(format!("its {class} {problem}")))
}

/// Returns the reason for which Optuna's constructors would refuse a distribution, if any.
fn constructor_problem(set: &Distribution) -> Option<String> {
    let ends = |low: f64, high: f64, log: bool, step: Option<f64>, least: f64| {
        if log && step.is_some() {
            Some("has both a log scale and a step".to_owned())
        } else if low > high {
            Some(format!("has low = {low} above high = {high}"))
        } else if log && low < least {
            Some(format!("has a log scale from {low}"))
        } else {
            let step = step.filter(|step| *step <= 0.0 || step.is_nan());
            step.map(|step| format!("has steps of {step}"))
        }
    };
    match set {
        Distribution::Float { low, high, log, step } => ends(*low, *high, *log, *step, f64::MIN_POSITIVE),
        Distribution::Int { low, high, .. } if low > high => {
            Some(format!("has low = {low} above high = {high}"))
        }
        Distribution::Int { low, high, log, step } => {
            let step = Some(*step as f64).filter(|_| *step != 1);
            ends(*low as f64, *high as f64, *log, step, 1.0)
        }
        Distribution::Categorical { choices, .. } => choices.is_empty().then(|| "has no `choices`".into()),
    }
}

/// Checks that Optuna can convert a parameter's stored number to a value.
pub(crate) fn parameter(name: &str, internal: f64, distribution: &str) -> Result<(), StoreError> {
    self::name("parameter's name", name)?;
    let refused = |problem: String| invalid(&format!("parameter `{}`", shown(name)), problem);
    let fits = match self::distribution(distribution).map_err(&refused)? {
        Distribution::Float { .. } => !internal.is_nan(),
        Distribution::Int { .. } => internal.abs() <= LARGEST_INT,
        Distribution::Categorical { choices, .. } => internal >= 0.0 && (internal as usize) < choices.len(),
    };
    if fits { Ok(()) } else { Err(refused(format!("its distribution has no value for {internal}"))) }
}

/// Whether two distributions may belong to one parameter of a study: equal kind and scale, equal choices in
/// equal order. Both texts must have passed [`parameter`].
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

/// Properties of a distribution that must stay the same within a study.
enum Kind {
    Float { log: bool },
    Int { log: bool },
    Categorical { choices: Vec<Value> },
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        let document = json::parse(text).map_err(|error| format!("its distribution is not JSON: {error}"))?;
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

/// Compares choices as Optuna does: Python's equality, where 1, 1.0 and true are equal, except that NaN
/// equals NaN.
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

/// Returns the beginning of an external text in one line.
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
        for (attributes, words) in [
            (r#""low": 2.0, "high": 1.0"#, "low = 2 above high = 1"),
            (r#""low": 0.0, "high": 1.0, "log": true"#, "log scale from 0"),
            (r#""low": 1.0, "high": 2.0, "log": true, "step": 0.1"#, "both"),
            (r#""low": 0.0, "high": 1.0, "step": 0.0"#, "steps of 0"),
            (r#""low": 0.0, "high": 1.0, "step": "x""#, "`step`"),
            (r#""low": 0.0, "high": 1.0, "evil": 1"#, "unknown attribute `evil`"),
        ] {
            let refused = parameter("x", 0.5, &float(attributes)).unwrap_err().to_string();
            assert!(refused.contains(words), "{attributes}: {refused}");
        }
        let int = |text: &str| float(text).replace("Float", "Int");
        for attributes in [
            r#""low": 0, "high": 9, "step": 0"#,
            r#""low": 0, "high": 9, "step": -1"#,
            r#""low": 1, "high": 9, "step": 2, "log": true"#,
            r#""low": 0, "high": 9, "log": true"#,
            r#""low": 0, "high": 1000000000000000000000000000000"#,
            r#""low": 0, "high": 9, "step": 0.5"#,
        ] {
            assert!(parameter("x", 1.0, &int(attributes)).is_err(), "{attributes}");
        }
        assert!(
            parameter("x", 9.0e18, &int(r#""low": 0, "high": 9223372036854775807, "log": false, "step": 1"#))
                .is_ok()
        );
        assert!(parameter("x", 0.0, &categorical("[[1, [2]], {\"a\": 1}]")).is_ok());
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(attribute("k", &deep).unwrap_err().to_string().contains("500"));
        assert!(attribute("k", &"1".repeat(5000)).unwrap_err().to_string().contains("digits"));
        assert!(attribute("k", &format!("\"{}\\\"{}\"", "[".repeat(900), "1".repeat(5000))).is_ok());
        assert!(parameter("x", 0.0, &categorical(&format!("[{deep}]"))).is_err());
        for json in ["1", "\"x\"", "null", r#"{"seed": "x"}"#] {
            assert!(attribute("allometry:record", json).is_err(), "{json}");
        }
        assert!(attribute("allometry:search_space", "1").is_err());
        assert!(attribute("allometry:record", r#"{"seed": 3}"#).is_ok());
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
