//! Conversion of the metric, the method and early termination.

use serde_json::Value;

use crate::error::SweepError;
use crate::is_continuous;
use crate::parameter::Parameter;
use crate::words::shown;

/// Metric to optimise.
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) direction: &'static str,
}

/// Returns the metric, which is minimised by default, as in sweeps.
pub(crate) fn metric(metric: Option<Value>, notes: &mut Vec<String>) -> Result<Metric, SweepError> {
    let Some(metric) = metric else {
        notes.push("the sweep has no metric: the ladder minimises `value`".into());
        return Ok(Metric { name: "value".into(), direction: "minimize" });
    };
    let fields =
        metric.as_object().ok_or_else(|| SweepError::wrong("metric", "a mapping with `name` and `goal`"))?;
    let name = fields.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| SweepError::wrong("metric.name", "the name of a metric"))?.to_owned();
    let direction = match fields.get("goal").map(|goal| goal.as_str().unwrap_or_default()) {
        None => {
            notes.push(format!("the metric has no goal: the ladder minimises `{}`", shown(&name)));
            "minimize"
        }
        Some("minimize") => "minimize",
        Some("maximize") => "maximize",
        Some(_) => return Err(SweepError::wrong("metric.goal", "minimize or maximize")),
    };
    for key in fields.keys().filter(|key| !["name", "goal"].contains(&key.as_str())) {
        notes.push(format!(
            "`metric.{}` is left out: a ladder ends by its number of trials or by `[stop]`",
            shown(key)
        ));
    }
    Ok(Metric { name, direction })
}

/// Returns the kind of sampler.
pub(crate) fn method(
    method: Option<&Value>,
    parameters: &[Parameter],
    notes: &mut Vec<String>,
) -> Result<&'static str, SweepError> {
    let method = method.map(|method| method.as_str().unwrap_or_default());
    let continuous = parameters.iter().find(|parameter| is_continuous(&parameter.distribution));
    match (method, continuous) {
        (Some("random"), _) => Ok("random"),
        (Some("bayes"), _) => Ok("gp"),
        (Some("grid"), None) => Ok("grid"),
        (Some("grid"), Some(parameter)) => {
            notes.push(format!(
                "method grid: `{}` has infinitely many values, so the sampler is random",
                parameter.name
            ));
            Ok("random")
        }
        (None, _) => {
            notes.push("the sweep has no method: the sampler is random".into());
            Ok("random")
        }
        (Some(_), _) => Err(SweepError::wrong("method", "grid, random or bayes")),
    }
}

/// Returns the lines of the table `[pruner]`.
pub(crate) fn pruner(early: Option<&Value>, notes: &mut Vec<String>) -> Result<Option<String>, SweepError> {
    let Some(early) = early else { return Ok(None) };
    let Some(fields) = early.as_object() else {
        return Err(SweepError::wrong("early_terminate", "a mapping with `type`"));
    };
    if fields.get("type").and_then(Value::as_str) != Some("hyperband") {
        return Err(SweepError::wrong("early_terminate.type", "hyperband"));
    }
    let number = |key: &str| match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_f64().filter(|x| *x >= 1.0 && *x <= 1e9);
            number
                .map(Some)
                .ok_or_else(|| SweepError::wrong(format!("early_terminate.{key}"), "a number of at least 1"))
        }
    };
    let given = number("eta")?.unwrap_or(3.0);
    let eta = given.round().clamp(2.0, 1000.0);
    if eta != given {
        notes.push(format!("early_terminate: eta = {given} becomes {eta}"));
    }
    let first = match (number("min_iter")?, number("max_iter")?, number("s")?) {
        (Some(first), ..) => first.round(),
        (None, Some(last), brackets) => {
            let brackets = brackets.unwrap_or(1.0).min(60.0) as i32;
            let sweep_rungs: Vec<f64> =
                (1..=brackets).rev().map(|k| (last / given.powi(k)).trunc()).collect();
            let sweep_rungs: Vec<f64> = sweep_rungs.into_iter().filter(|rung| *rung >= 1.0).collect();
            let first = (last / given.powi(sweep_rungs.len() as i32)).round().max(1.0);
            let ladder_rungs: Vec<f64> = (0..sweep_rungs.len() as i32).map(|k| first * eta.powi(k)).collect();
            if ladder_rungs != sweep_rungs {
                notes.push(format!("early_terminate: rungs at {ladder_rungs:?} instead of {sweep_rungs:?}"));
            }
            first
        }
        (None, None, _) => {
            return Err(SweepError::wrong("early_terminate", "`min_iter`, or `max_iter` and `s`"));
        }
    };
    notes.push(
        "early_terminate hyperband checks at min_iter, min_iter * eta, ...: these are the rungs of \
         successive_halving; `kind = \"hyperband\"` of a ladder has several brackets"
            .into(),
    );
    for key in
        fields.keys().filter(|key| !["type", "eta", "min_iter", "max_iter", "s"].contains(&key.as_str()))
    {
        notes.push(format!("`early_terminate.{}` is left out: pruners have no such setting", shown(key)));
    }
    Ok(Some(format!("kind = \"successive_halving\"\nmin_resource = {first}\nreduction_factor = {eta}")))
}
