//! Conversion of a sweep's parameters to sets of a ladder.

use allometry_core::{Distribution, ParamValue};
use allometry_ladder::template::TRIAL_NAMES;
use serde_json::{Map, Value};

use crate::error::SweepError;
use crate::words::{as_text, quoted, shown};

/// A parameter of the ladder.
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// The set as written in the ladder file.
    pub(crate) set: String,
    pub(crate) distribution: Distribution,
}

impl Parameter {
    /// Replaces booleans by the words that a sweep passes to programs, `True` and `False`.
    pub(crate) fn as_python_writes(&mut self) {
        let Distribution::Categorical { choices, .. } = &self.distribution else { return };
        if !choices.iter().any(|choice| matches!(choice, ParamValue::Bool(_))) {
            return;
        }
        let word = |choice: &ParamValue| match choice {
            ParamValue::Bool(_) => ParamValue::Text(choice.to_string()),
            other => other.clone(),
        };
        let text = |choice: &ParamValue| match choice {
            ParamValue::Text(text) => quoted(text),
            other => other.to_string(),
        };
        let mut words: Vec<ParamValue> = Vec::new();
        for word in choices.iter().map(word) {
            // The word may be a choice already.
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let texts: Vec<String> = words.iter().map(text).collect();
        self.set = format!("[{}]", texts.join(", "));
        self.distribution = Distribution::list(words);
    }
}

/// Largest magnitude of a number in a ladder.
const LARGEST: f64 = 9e15;

/// Standard deviations around the mean that replace an unbounded distribution: 95.4% of a normal one.
const SIGMAS: f64 = 2.0;

/// Returns all parameters in order, nested ones by their dotted names.
pub(crate) fn all(parameters: Option<Value>, notes: &mut Vec<String>) -> Result<Vec<Parameter>, SweepError> {
    let Some(Value::Object(fields)) = parameters else {
        return Err(SweepError::wrong("parameters", "a mapping of names to distributions"));
    };
    let mut found = Vec::new();
    collect("", &fields, &mut found, notes)?;
    if found.is_empty() {
        return Err(SweepError::NoParameter { notes: std::mem::take(notes) });
    }
    Ok(found)
}

fn collect(
    prefix: &str,
    fields: &Map<String, Value>,
    found: &mut Vec<Parameter>,
    notes: &mut Vec<String>,
) -> Result<(), SweepError> {
    for (name, value) in fields {
        let name = format!("{prefix}{name}");
        let place = format!("parameters.{}", shown(&name));
        let Value::Object(fields) = value else {
            return Err(SweepError::wrong(
                place,
                "a mapping such as {min: 0.1, max: 0.9} or {values: [1, 2]}",
            ));
        };
        if let Some(inner) = fields.get("parameters") {
            let Value::Object(inner) = inner else {
                return Err(SweepError::wrong(format!("{place}.parameters"), "a mapping of names"));
            };
            notes.push(format!(
                "`{}` has nested parameters: the program receives each of them as --{}.NAME",
                shown(&name),
                shown(&name)
            ));
            collect(&format!("{name}."), inner, found, notes)?;
            continue;
        }
        let fits = !name.starts_with('-') && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
        if TRIAL_NAMES.contains(&name.as_str()) {
            notes.push(format!(
                "parameter `{name}` is left out: {{{name}}} is filled in with a value of each trial; add it \
                 to `run` if the program needs it"
            ));
        } else if name.is_empty() || !fits {
            notes
                .push(format!("parameter `{}` is left out: a ladder does not allow this name", shown(&name)));
        } else if let Some((set, distribution)) = (Reader { place, fields, notes }).set()? {
            found.push(Parameter { name, set, distribution });
        }
    }
    Ok(())
}

/// Returns the number that a text such as `1e-5` is meant as. `PyYAML` reads a number without a point, or
/// without a sign in its exponent, as a text.
fn exponential(value: &Value) -> Option<f64> {
    let text = value.as_str().filter(|text| text.contains(['e', 'E']))?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Reads one parameter and collects notes about it.
struct Reader<'a> {
    place: String,
    fields: &'a Map<String, Value>,
    notes: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn note(&mut self, text: &str) {
        self.notes.push(format!("`{}`: {text}", self.place));
    }

    fn number(&self, key: &str) -> Result<f64, SweepError> {
        self.optional(key)?.ok_or_else(|| self.wrong(key, "a number"))
    }

    fn optional(&self, key: &str) -> Result<Option<f64>, SweepError> {
        match self.fields.get(key) {
            None | Some(Value::Null) => Ok(None),
            // PyYAML reads 1e-5 as a text.
            Some(Value::String(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
                Ok(text.parse().ok())
            }
            Some(value) => {
                let number = value.as_f64().filter(|x| x.is_finite());
                number.map(Some).ok_or_else(|| self.wrong(key, "a number"))
            }
        }
    }

    fn wrong(&self, key: &str, expected: &str) -> SweepError {
        SweepError::wrong(format!("{}.{key}", self.place), expected)
    }

    /// Returns the set as written in the ladder file and as a distribution, or `None` if a ladder cannot
    /// express it.
    fn set(mut self) -> Result<Option<(String, Distribution)>, SweepError> {
        let known =
            ["distribution", "value", "values", "probabilities", "min", "max", "q", "mu", "sigma", "a", "b"];
        for key in
            self.fields.keys().filter(|key| !known.contains(&key.as_str())).cloned().collect::<Vec<_>>()
        {
            self.note(&format!("`{}` is left out: the key is unknown", shown(&key)));
        }
        let named = match self.fields.get("distribution") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => return Err(self.wrong("distribution", "the name of a distribution")),
        };
        let kind = match named.as_deref() {
            Some(name) => name,
            None if self.fields.contains_key("value") => "constant",
            None if self.fields.contains_key("values") => "categorical",
            None if self.fields.contains_key("mu") || self.fields.contains_key("sigma") => "normal",
            None if self.is_integer("min") && self.is_integer("max") => "int_uniform",
            None => "uniform",
        };
        let range = match kind {
            "constant" | "categorical" | "categorical_w_probabilities" => return self.list(kind),
            "int_uniform" => self.int_range(false)?,
            "uniform" => self.float_range(|x| x, false)?,
            "log_uniform_values" | "inv_log_uniform_values" => self.float_range(|x| x, true)?,
            "log_uniform" => {
                self.exponents(kind, 1.0)?;
                self.float_range(f64::exp, true)?
            }
            // The logarithm of 1/x is uniform if that of x is.
            "inv_log_uniform" => {
                self.exponents(kind, -1.0)?;
                let (low, high) = self.ends()?;
                self.range((-high).exp(), (-low).exp(), true, None)?
            }
            "q_uniform" => self.stepped(|x| x, false)?,
            "q_log_uniform_values" => self.stepped(|x| x, true)?,
            "q_log_uniform" => {
                self.exponents(kind, 1.0)?;
                self.stepped(f64::exp, true)?
            }
            "normal" | "q_normal" => self.spread(|x| x, false, kind)?,
            "log_normal" | "q_log_normal" => self.spread(f64::exp, true, kind)?,
            "beta" | "q_beta" => {
                self.note(&format!("{kind} has no counterpart: values from 0 to 1 are equally likely"));
                let step = if kind == "q_beta" { self.optional("q")? } else { None };
                self.range(0.0, 1.0, false, step)?
            }
            other => {
                return Err(self
                    .wrong("distribution", &format!("a distribution of sweeps, found {:?}", shown(other))));
            }
        };
        Ok(Some((range.to_string(), range)))
    }

    fn is_integer(&self, key: &str) -> bool {
        self.fields.get(key).is_some_and(|value| value.is_i64() || value.is_u64())
    }

    fn ends(&self) -> Result<(f64, f64), SweepError> {
        Ok((self.number("min")?, self.number("max")?))
    }

    fn float_range(&mut self, scale: impl Fn(f64) -> f64, log: bool) -> Result<Distribution, SweepError> {
        let (low, high) = self.ends()?;
        self.range(scale(low), scale(high), log, None)
    }

    /// Checks ends that are natural logarithms: `exp(sign * end)` must be a number of a ladder.
    fn exponents(&mut self, kind: &str, sign: f64) -> Result<(), SweepError> {
        let (min, max) = self.ends()?;
        for (key, end) in [("min", min), ("max", max)] {
            let power = (sign * end).exp();
            if !(f64::MIN_POSITIVE..=LARGEST).contains(&power) {
                let size = if power > 1.0 { "too large" } else { "too small" };
                let expected = format!(
                    "a natural logarithm, and e^{} is {size}; for a range from min to max say {kind}_values",
                    sign * end
                );
                return Err(self.wrong(key, &expected));
            }
        }
        if min > 0.0 {
            let (begin, end) = ((sign * min).exp(), (sign * max).exp());
            self.note(&format!(
                "min and max are natural logarithms, so the range goes from {begin:.4e} to {end:.4e}; for a \
                 range from {min} to {max} use {kind}_values"
            ));
        }
        Ok(())
    }

    fn int_range(&mut self, log: bool) -> Result<Distribution, SweepError> {
        let (low, high) = self.ends()?;
        self.int_distribution(low, high, log, 1.0)
    }

    fn int_distribution(
        &self,
        low: f64,
        high: f64,
        log: bool,
        step: f64,
    ) -> Result<Distribution, SweepError> {
        let as_integer = |x: f64| (x.fract() == 0.0 && x.abs() <= LARGEST).then_some(x as i64);
        match (as_integer(low), as_integer(high), as_integer(step)) {
            (Some(low), Some(high), Some(step)) if low <= high && step >= 1 && (!log || low >= 1) => {
                Ok(Distribution::Int { low, high, log, step })
            }
            _ => Err(self.wrong("min", "whole numbers, the smallest first")),
        }
    }

    fn range(&self, low: f64, high: f64, log: bool, step: Option<f64>) -> Result<Distribution, SweepError> {
        let positive = !log || low > 0.0;
        if !(low <= high && low.abs() <= LARGEST && high.abs() <= LARGEST && positive) {
            let least = if log { "above 0, " } else { "" };
            return Err(self.wrong("min", &format!("finite numbers, {least}min no greater than max")));
        }
        Ok(Distribution::Float { low, high, log, step })
    }

    /// Returns the range of a quantised distribution, whose values are `round(x / q) * q`.
    fn stepped(&mut self, scale: impl Fn(f64) -> f64, log: bool) -> Result<Distribution, SweepError> {
        let (low, high) = self.ends()?;
        let q = self.optional("q")?.unwrap_or(1.0);
        if q <= 0.0 {
            return Err(self.wrong("q", "a number above 0"));
        }
        let (given_low, given_high) = (scale(low), scale(high));
        let multiple = |x: f64| (x / q).round_ties_even() * q;
        let (low, high) = (multiple(given_low), multiple(given_high));
        if (low, high) != (given_low, given_high) {
            self.note(&format!("min and max are rounded to multiples of q, {low} and {high}"));
        }
        if !log {
            let is_integer = [low, high, q].iter().all(|x| x.fract() == 0.0);
            return if is_integer {
                self.int_distribution(low, high, false, q)
            } else {
                self.range(low, high, false, (high > low).then_some(q))
            };
        }
        let low = if low > 0.0 { low } else { q };
        if q != 1.0 {
            self.note("a logarithmic range has no steps: values between multiples of q are drawn as well");
        }
        if [low, high, q].iter().all(|x| x.fract() == 0.0) {
            return self.int_distribution(low, high.max(low), true, 1.0);
        }
        self.range(low, high.max(low), true, None)
    }

    /// Returns a bounded range that replaces an unbounded distribution.
    fn spread(
        &mut self,
        scale: impl Fn(f64) -> f64,
        log: bool,
        kind: &str,
    ) -> Result<Distribution, SweepError> {
        let (mu, sigma) = (self.optional("mu")?.unwrap_or(0.0), self.optional("sigma")?.unwrap_or(1.0));
        if sigma <= 0.0 {
            return Err(self.wrong("sigma", "a number above 0"));
        }
        let (low, high) = (scale(mu - SIGMAS * sigma), scale(mu + SIGMAS * sigma));
        self.note(&format!(
            "{kind} has no counterpart: values within {SIGMAS} sigma of mu are equally likely"
        ));
        match self.optional("q")? {
            Some(q) if q > 0.0 && !log && kind.starts_with('q') => {
                let (low, high) = ((low / q).round_ties_even() * q, (high / q).round_ties_even() * q);
                self.range(low, high, false, (high > low).then_some(q))
            }
            _ => self.range(low, high, log, None),
        }
    }

    /// Returns the set of a parameter with a list of values.
    fn list(mut self, kind: &str) -> Result<Option<(String, Distribution)>, SweepError> {
        let given: Vec<Value> = match (kind, self.fields.get("values"), self.fields.get("value")) {
            ("constant", _, Some(value)) => vec![value.clone()],
            ("constant", ..) => return Err(self.wrong("value", "a value")),
            (_, Some(Value::Array(values)), _) if !values.is_empty() => values.clone(),
            _ => return Err(self.wrong("values", "a list of values")),
        };
        if self.fields.get("probabilities").is_some_and(|given| !given.is_null()) {
            self.note("`probabilities` are left out: all values are equally likely");
        }
        let (mut texts, mut values): (Vec<String>, Vec<ParamValue>) = (Vec::new(), Vec::new());
        for value in given {
            let value = exponential(&value).map_or(value, Value::from);
            let (text, param) = match &value {
                Value::Null => {
                    self.note("the value null is left out: a ladder does not allow it");
                    continue;
                }
                Value::Bool(given) => (given.to_string(), ParamValue::Bool(*given)),
                Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                    (Some(i), _) if (i as f64).abs() <= LARGEST => (i.to_string(), ParamValue::Int(i)),
                    (None, Some(x)) if x.abs() <= LARGEST => {
                        let param = ParamValue::Float(x);
                        (param.to_string(), param)
                    }
                    _ => {
                        self.note(&format!(
                            "the value {number} is left out: numbers in a ladder are at most 9e15"
                        ));
                        continue;
                    }
                },
                Value::String(text) => (quoted(text), ParamValue::Text(text.clone())),
                Value::Array(_) | Value::Object(_) => {
                    let text = as_text(&value);
                    self.note(&format!("the program receives {} as a string", shown(&text)));
                    (quoted(&text), ParamValue::Text(text))
                }
            };
            if values.contains(&param) {
                self.note(&format!("the value {} is listed twice and used once", shown(&as_text(&value))));
                continue;
            }
            texts.push(text);
            values.push(param);
        }
        if values.is_empty() {
            self.note("the parameter is left out: it has no value");
            return Ok(None);
        }
        Ok(Some((format!("[{}]", texts.join(", ")), Distribution::list(values))))
    }
}
