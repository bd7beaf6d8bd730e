//! Reads a search space that another program declares as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use allometry_core::space::{When, ordered};
use allometry_core::{Distribution, ParamValue, SearchSpace};
use allometry_store::json;
use serde::Deserialize;
use serde_json::Value;

use crate::error::CliError;

#[derive(Deserialize)]
struct Parameter {
    name: String,
    /// Condition under which the parameter exists: other parameters, each with the values that they must
    /// have.
    when: Option<BTreeMap<String, Vec<ParamValue>>>,
    #[serde(flatten)]
    set: Set,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Set {
    Ordinal {
        #[serde(alias = "choices")]
        values: Vec<ParamValue>,
    },
    Categorical {
        #[serde(alias = "choices")]
        values: Vec<ParamValue>,
    },
    Int {
        low: i64,
        high: i64,
        #[serde(default)]
        log: bool,
        step: Option<i64>,
    },
    Float {
        low: f64,
        high: f64,
        #[serde(default)]
        log: bool,
        step: Option<f64>,
    },
}

/// Reads and checks the file of a search space.
///
/// # Errors
/// [`CliError::Read`]; [`CliError::DeclaredSpace`] that names the invalid parameter.
pub(super) fn read(path: &Path) -> Result<(SearchSpace, Vec<When>), CliError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| CliError::Read { path: path.into(), source })?;
    parse(&text).map_err(|problem| CliError::DeclaredSpace { path: path.into(), problem })
}

fn parse(text: &str) -> Result<(SearchSpace, Vec<When>), String> {
    const FORM: &str = r#"expected [{"name": "x", "type": "float", "low": 0, "high": 1}, ...]"#;
    let document = serde_json::from_str(text).map_err(|error| format!("{error}; {FORM}"))?;
    // `serde_json` rounds integers beyond 64 bits.
    if let Some(digits) = json::parse(text).ok().and_then(|exact| json::beyond_i64(&exact)) {
        return Err(format!("the integer {digits} is beyond 64 bits; write it as a text or with a point"));
    }
    let entries = match document {
        Value::Array(entries) => entries,
        Value::Object(mut fields) => match fields.remove("params") {
            Some(Value::Array(entries)) => entries,
            _ => return Err(format!("it has no list `params`; {FORM}")),
        },
        _ => return Err(format!("it is not a list; {FORM}")),
    };
    let mut space = SearchSpace::default();
    let mut conditions = Vec::new();
    for (place, entry) in entries.into_iter().enumerate() {
        let known = entry.get("name").and_then(Value::as_str).map(|name| format!("`{name}`"));
        let parameter = serde_json::from_value(entry).map_err(|error| {
            format!("{}: {error}; {FORM}", known.unwrap_or_else(|| format!("parameter {place}")))
        })?;
        let Parameter { name, when, set } = parameter;
        let condition = |requires: BTreeMap<_, _>| When {
            parameter: name.clone(),
            requires: requires.into_iter().collect(),
        };
        conditions.extend(when.map(condition));
        let set = set.checked().map_err(|problem| format!("`{name}`: {problem}"))?;
        if space.0.insert(name.clone(), set).is_some() {
            return Err(format!("`{name}` is declared twice"));
        }
    }
    if space.0.is_empty() {
        return Err("it declares no parameter".into());
    }
    let conditions = ordered(&space, &conditions).map_err(|error| format!("{error}; {}", error.hint()))?;
    Ok((space, conditions))
}

impl Set {
    fn checked(self) -> Result<Distribution, String> {
        match self {
            Self::Ordinal { values } if values.iter().any(|v| v.as_f64().is_none_or(|x| !x.is_finite())) => {
                Err("an ordinal parameter may only have numbers".into())
            }
            Self::Ordinal { values } | Self::Categorical { values } if values.is_empty() => {
                Err("it has no value".into())
            }
            Self::Ordinal { mut values } => {
                values.sort_by(ParamValue::total_cmp);
                distinct(&values)?;
                Ok(Distribution::Categorical { choices: values, order: allometry_core::ChoiceOrder::Ordinal })
            }
            Self::Categorical { values } => {
                distinct(&values)?;
                Ok(Distribution::Categorical { choices: values, order: allometry_core::ChoiceOrder::Nominal })
            }
            Self::Int { low, high, log, step } => {
                let step = step.unwrap_or(1);
                range(low as f64, high as f64, log, Some(step as f64).filter(|_| step != 1))?;
                if high.abs_diff(low) % step.unsigned_abs() != 0 {
                    return Err(format!("steps of {step} from {low} do not end at {high}"));
                }
                Ok(Distribution::Int { low, high, log, step })
            }
            Self::Float { low, high, log, step } => {
                range(low, high, log, step)?;
                Ok(Distribution::Float { low, high, log, step })
            }
        }
    }
}

fn distinct(values: &[ParamValue]) -> Result<(), String> {
    let mut sorted: Vec<&ParamValue> = values.iter().collect();
    sorted.sort_by(|a, b| a.total_cmp(b));
    let repeated = sorted.windows(2).find(|pair| pair[0] == pair[1]);
    repeated.map_or(Ok(()), |pair| Err(format!("it has {} twice", pair[1])))
}

fn range(low: f64, high: f64, log: bool, step: Option<f64>) -> Result<(), String> {
    if !(low <= high && low.is_finite() && high.is_finite()) {
        return Err(format!("its range from {low} to {high} is empty"));
    }
    if log && low <= 0.0 {
        return Err(format!("a log scale cannot contain {low}"));
    }
    let Some(step) = step else { return Ok(()) };
    if log {
        return Err("it has both a log scale and a step".into());
    }
    let steps = (high - low) / step;
    if !(step > 0.0 && steps.is_finite()) {
        return Err(format!("its step is {step}"));
    }
    // With more steps than this, rounding of the ends is larger than a step.
    if steps < 1e9 && (steps - steps.round()).abs() > 1e-8 + 1e-15 * steps {
        return Err(format!("steps of {step} from {low} do not end at {high}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_read_and_their_mistakes_named() {
        let (space, _) = parse(
            r#"{"params": [{"name": "lr", "type": "ordinal", "values": [0.1, 0.01], "log": true},
            {"name": "act", "type": "categorical", "values": ["relu", "tanh"]},
            {"name": "n", "type": "int", "low": 1, "high": 9, "step": 2},
            {"name": "x", "type": "float", "low": 0, "high": 1, "log": false}]}"#,
        )
        .unwrap();
        let written: Vec<String> = space.iter().map(|(name, set)| format!("{name} {set}")).collect();
        assert_eq!(
            written,
            [
                "lr [0.01, 0.1]",
                "act ['relu', 'tanh']",
                "n { int = [1, 9], step = 2 }",
                "x { float = [0.0, 1.0] }"
            ]
        );
        for (parameter, words) in [
            (r#""type": "float", "low": 0, "high": 1, "log": true"#, "a log scale cannot contain 0"),
            (r#""type": "float", "low": 2, "high": 1"#, "from 2 to 1 is empty"),
            (r#""type": "float", "low": 0, "high": 1, "step": 0.3"#, "do not end at 1"),
            (r#""type": "int", "low": 1, "high": 4, "step": -1"#, "its step is -1"),
            (r#""type": "ordinal", "values": ["a"]"#, "only have numbers"),
            (r#""type": "categorical", "values": []"#, "no value"),
            (r#""type": "categorical", "values": [1, 1.0]"#, "twice"),
            (r#""type": "normal""#, "`x`: unknown variant `normal`"),
            (r#""values": [[1, 2], [3]]"#, "`x`: missing field `type`"),
            (r#""type": "categorical", "value": [1]"#, "`x`: missing field `values`"),
            (r#""type": "int", "low": 0, "high": 1.5"#, "`x`: invalid type"),
            (r#""type": "categorical", "values": 3"#, "`x`: invalid type"),
        ] {
            let problem = parse(&format!(r#"[{{"name": "x", {parameter}}}]"#)).unwrap_err();
            assert!(problem.contains(words), "{parameter}: {problem}");
        }
        for digits in ["9223372036854775808", "-123456789012345678901234567890"] {
            let set = format!(r#"[{{"name": "x", "type": "categorical", "values": [1, {digits}]}}]"#);
            let problem = parse(&set).unwrap_err();
            assert!(problem.contains(&format!("the integer {digits} is beyond 64 bits")), "{problem}");
        }
        assert!(parse("[]").unwrap_err().contains("no parameter"));
        assert!(parse("[3]").unwrap_err().starts_with("parameter 0: "));
        assert!(parse("{}").unwrap_err().starts_with("it has no list `params`; expected [{"));
        assert!(parse("3").unwrap_err().starts_with("it is not a list"));
        let lists =
            r#"[{"name": "layers", "type": "categorical", "choices": [[64], [64, 32], {"a": null}]}]"#;
        assert_eq!(parse(lists).unwrap().0.0["layers"].levels().unwrap().len(), 3);
    }
}
