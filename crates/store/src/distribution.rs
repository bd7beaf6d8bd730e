//! Distributions and values in Optuna's stored form: JSON and one number per parameter.

use allometry_core::python::{json_float, json_string};
use allometry_core::{ChoiceOrder, Distribution, ParamValue, Params, SearchSpace};
use serde_json::Value;

use crate::error::StoreError;
use crate::json;

/// Writes a distribution as Optuna's `distribution_to_json` does.
pub fn write(distribution: &Distribution) -> String {
    match distribution {
        Distribution::Float { low, high, log, step } => format!(
            "{{\"name\": \"FloatDistribution\", \
             \"attributes\": {{\"step\": {}, \"low\": {}, \"high\": {}, \"log\": {log}}}}}",
            step.map_or_else(|| "null".into(), json_float),
            json_float(*low),
            json_float(*high),
        ),
        Distribution::Int { low, high, log, step } => format!(
            "{{\"name\": \"IntDistribution\", \
             \"attributes\": {{\"log\": {log}, \"step\": {step}, \"low\": {low}, \"high\": {high}}}}}"
        ),
        Distribution::Categorical { choices, .. } => {
            let choices: Vec<String> = choices.iter().map(write_value).collect();
            format!(
                r#"{{"name": "CategoricalDistribution", "attributes": {{"choices": [{}]}}}}"#,
                choices.join(", ")
            )
        }
    }
}

/// Writes a value as `json.dumps` does.
pub fn write_value(value: &ParamValue) -> String {
    match value {
        ParamValue::Null => "null".into(),
        ParamValue::Bool(b) => b.to_string(),
        ParamValue::Int(i) => i.to_string(),
        ParamValue::Float(x) => json_float(*x),
        ParamValue::Text(text) => json_string(text),
        ParamValue::List(items) => {
            let items: Vec<String> = items.iter().map(write_value).collect();
            format!("[{}]", items.join(", "))
        }
        ParamValue::Dict(fields) => {
            let field = |(name, value): (&String, &ParamValue)| {
                format!("{}: {}", json_string(name), write_value(value))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Converts a JSON value to a parameter value. Integers beyond 64 bits become floats; `json::beyond_i64`
/// finds them.
pub fn read_value(value: &Value) -> ParamValue {
    match value {
        Value::Null => ParamValue::Null,
        Value::Bool(b) => ParamValue::Bool(*b),
        Value::Number(number) => match number.as_i64() {
            Some(i) => ParamValue::Int(i),
            None => ParamValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => match json::number(value) {
            Some(x) => ParamValue::Float(x),
            None => ParamValue::Text(text.clone()),
        },
        Value::Array(items) => ParamValue::List(items.iter().map(read_value).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), read_value(value)));
            ParamValue::Dict(Box::new(fields.collect()))
        }
    }
}

/// Parses a distribution as Optuna writes it, including its five former class names. Lists of numbers become
/// ordinal.
///
/// # Errors
/// A message that describes the problem.
pub fn parse(text: &str) -> Result<Distribution, String> {
    let document = json::parse(text).map_err(|error| format!("distribution is not JSON: {error}"))?;
    let name = document["name"].as_str().ok_or("distribution has no `name`")?;
    let attributes = &document["attributes"];
    let missing = |field: &str| format!("{name} has no valid `{field}`");
    let float = |field: &str| json::number(&attributes[field]).ok_or_else(|| missing(field));
    let whole = |value: &Value| value.as_i64().or_else(|| ParamValue::Float(json::number(value)?).as_i64());
    let int = |field: &str| whole(&attributes[field]).ok_or_else(|| missing(field));
    let log = |default: bool| attributes["log"].as_bool().unwrap_or(default);
    match name {
        "FloatDistribution" | "UniformDistribution" | "LogUniformDistribution" => Ok(Distribution::Float {
            low: float("low")?,
            high: float("high")?,
            log: log(name == "LogUniformDistribution"),
            step: json::number(&attributes["step"]),
        }),
        "DiscreteUniformDistribution" => Ok(Distribution::Float {
            low: float("low")?,
            high: float("high")?,
            log: false,
            step: Some(float("q")?),
        }),
        "IntDistribution" | "IntUniformDistribution" | "IntLogUniformDistribution" => Ok(Distribution::Int {
            low: int("low")?,
            high: int("high")?,
            log: log(name == "IntLogUniformDistribution"),
            step: attributes["step"].as_i64().unwrap_or(1),
        }),
        "CategoricalDistribution" => {
            let choices = attributes["choices"].as_array().ok_or_else(|| missing("choices"))?;
            Ok(Distribution::list(choices.iter().map(read_value).collect()))
        }
        other => Err(format!("distribution class `{other}` is unknown")),
    }
}

/// Refuses a distribution with an integer choice beyond 64 bits, which would be read as another value.
///
/// # Errors
/// A message that names the choice.
pub(crate) fn refuse_wide_choice(text: &str) -> Result<(), String> {
    if !json::has_long_number(text) {
        return Ok(());
    }
    let choices = json::parse(text).map(|set| set["attributes"]["choices"].clone()).unwrap_or_default();
    let found = json::beyond_i64(&choices);
    found.map_or(Ok(()), |digits| Err(format!("it has the choice {digits}, an integer beyond 64 bits")))
}

/// Largest integer up to which a float represents every integer exactly: 2^53.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns the number that is stored for a value: the value itself, or the index of a choice.
pub fn to_internal(distribution: &Distribution, value: &ParamValue) -> Option<f64> {
    match distribution {
        Distribution::Float { .. } => value.as_f64().filter(|x| !x.is_nan()),
        Distribution::Int { .. } => value.as_i64().map(|i| i as f64),
        Distribution::Categorical { choices, .. } => {
            choices.iter().position(|c| c == value).map(|i| i as f64)
        }
    }
}

/// Returns the value that a stored number represents; `None` for an index without a choice.
pub fn from_internal(distribution: &Distribution, internal: f64) -> Option<ParamValue> {
    match distribution {
        Distribution::Float { .. } => Some(ParamValue::Float(internal)),
        // Beyond 2^53 rounding may have moved the stored float out of the range.
        Distribution::Int { low, high, .. } if internal.abs() > LARGEST_EXACT && low <= high => {
            Some(ParamValue::Int((internal as i64).clamp(*low, *high)))
        }
        Distribution::Int { .. } => Some(ParamValue::Int(internal as i64)),
        Distribution::Categorical { choices, .. } => {
            (internal >= 0.0).then(|| choices.get(internal as usize).cloned()).flatten()
        }
    }
}

/// Converts a value to the kind that its distribution has, for example `1.0` to `1` for integers. Returns
/// `None` where the value has no stored number.
pub(crate) fn of_set(distribution: &Distribution, value: &ParamValue) -> Option<ParamValue> {
    let read = from_internal(distribution, to_internal(distribution, value)?)?;
    // The stored float cannot represent every integer; the given integer is exact.
    let is_exact = matches!((value, &read), (ParamValue::Int(_), ParamValue::Int(_)));
    Some(if is_exact { value.clone() } else { read })
}

/// Whether two distributions may belong to one parameter of a study: equal kind and scale, equal choices in
/// equal order.
pub fn compatible(old: &Distribution, new: &Distribution) -> bool {
    match (old, new) {
        (Distribution::Float { log: a, .. }, Distribution::Float { log: b, .. })
        | (Distribution::Int { log: a, .. }, Distribution::Int { log: b, .. }) => a == b,
        (Distribution::Categorical { choices: a, .. }, Distribution::Categorical { choices: b, .. }) => {
            a == b
        }
        _ => false,
    }
}

/// A parameter with its stored form.
#[derive(Debug, Clone)]
pub(crate) struct Placed<'a> {
    pub(crate) name: &'a str,
    pub(crate) distribution: &'a Distribution,
    pub(crate) internal: f64,
}

/// Returns each parameter with its distribution and stored number.
///
/// # Errors
/// [`StoreError::UnknownParameter`], [`StoreError::OutsideDistribution`].
pub(crate) fn place<'a>(params: &'a Params, space: &'a SearchSpace) -> Result<Vec<Placed<'a>>, StoreError> {
    params
        .iter()
        .map(|(name, value)| {
            let distribution =
                space.get(name).ok_or_else(|| StoreError::UnknownParameter { parameter: name.into() })?;
            let internal = to_internal(distribution, value).ok_or_else(|| {
                StoreError::OutsideDistribution { parameter: name.into(), value: value.clone() }
            })?;
            Ok(Placed { name, distribution, internal })
        })
        .collect()
}

/// Marks a list as ordinal or not, as the study's space does.
pub(crate) fn restore_order(name: &str, distribution: &mut Distribution, space: Option<&SearchSpace>) {
    let known: Option<ChoiceOrder> = match space.and_then(|space| space.get(name)) {
        Some(Distribution::Categorical { order, .. }) => Some(*order),
        _ => None,
    };
    if let (Distribution::Categorical { order, .. }, Some(known)) = (distribution, known) {
        *order = known;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_optunas() {
        for (name, attributes) in [
            ("Float", r#"{"step": null, "low": 1e-05, "high": 1.0, "log": true}"#),
            ("Float", r#"{"step": 0.25, "low": 0.0, "high": 1.0, "log": false}"#),
            ("Int", r#"{"log": false, "step": 2, "low": 1, "high": 9}"#),
            ("Categorical", r#"{"choices": [1, 2.5, "\u00e9", null, true, NaN]}"#),
        ] {
            let text = format!(r#"{{"name": "{name}Distribution", "attributes": {attributes}}}"#);
            assert_eq!(write(&parse(&text).unwrap()), text);
        }
    }

    #[test]
    fn former_class_names_are_read() {
        for (text, expected) in [
            (
                r#"{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 2.0}}"#,
                Distribution::Float { low: 0.0, high: 2.0, log: false, step: None },
            ),
            (
                r#"{"name": "LogUniformDistribution", "attributes": {"low": 0.1, "high": 2.0}}"#,
                Distribution::Float { low: 0.1, high: 2.0, log: true, step: None },
            ),
            (
                r#"{"name": "DiscreteUniformDistribution",
                    "attributes": {"low": 0.0, "high": 2.0, "q": 0.5}}"#,
                Distribution::Float { low: 0.0, high: 2.0, log: false, step: Some(0.5) },
            ),
            (
                r#"{"name": "IntUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 2}}"#,
                Distribution::Int { low: 1, high: 9, log: false, step: 2 },
            ),
            (
                r#"{"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 1}}"#,
                Distribution::Int { low: 1, high: 9, log: true, step: 1 },
            ),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
    }

    #[test]
    fn damaged_text_is_named() {
        assert!(parse("{").unwrap_err().contains("not JSON"));
        assert!(
            parse(r#"{"name": "FloatDistribution", "attributes": {"low": 0}}"#)
                .unwrap_err()
                .contains("`high`")
        );
        assert!(parse(r#"{"name": "Normal", "attributes": {}}"#).unwrap_err().contains("Normal"));
    }

    #[test]
    fn categorical_values_are_stored_as_indices() {
        let set = Distribution::list(vec![0.0.into(), 1e-5.into()]);
        assert_eq!(to_internal(&set, &1e-5.into()), Some(1.0));
        assert_eq!(to_internal(&set, &ParamValue::Int(0)), Some(0.0));
        assert_eq!(to_internal(&set, &2.0.into()), None);
        assert_eq!(from_internal(&set, 1.0), Some(1e-5.into()));
        assert_eq!(from_internal(&set, 2.0), None);
        assert_eq!(from_internal(&set, -1.0), None);
    }
}
