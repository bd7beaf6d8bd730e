//! Values of the objectives, and constraints, from the reports of a trial.

use std::collections::BTreeMap;
use std::time::Duration;

use allometry_core::{Constraints, Failure, ModelSize, ObjectiveOutcome};
use allometry_ladder::Limit;

/// The values of the objectives `names`: those that the evaluation returned in order, or the trial's metrics
/// with these names. A name without a metric can be `seconds` (the duration of the evaluation), `weights` or
/// `non_embedding_weights`. The first value may be NaN.
///
/// # Errors
/// The [`Failure`] of a trial that lacks a value, or in which a later one is NaN.
pub(crate) fn values(
    names: &[String],
    outcome: &ObjectiveOutcome,
    took: Duration,
) -> Result<Vec<f64>, Failure> {
    let failure = |reason: String| Failure { reason, detail: String::new() };
    let given = &outcome.values;
    if given.len() > 1 && given.len() != names.len() {
        let (given, wanted) = (given.len(), names.len());
        return Err(failure(format!(
            "values of {given} objectives were reported, but the study has {wanted}"
        )));
    }
    let values = names.iter().enumerate().map(|(place, name)| {
        let value =
            given.get(place).copied().or_else(|| value(name, &outcome.metrics, outcome.size, Some(took)));
        let value = value.ok_or_else(|| {
            let known: Vec<&str> = outcome.metrics.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "no metric".into() } else { known.join(", ") };
            Failure {
                reason: format!("no value of objective `{name}` was reported"),
                detail: format!("the trial reported {known}"),
            }
        })?;
        if place > 0 && value.is_nan() {
            return Err(failure(format!("the value of objective `{name}` is not a number")));
        }
        Ok(value)
    });
    values.collect()
}

/// The constraints of a trial: a value for each limit, in their order, followed by the trial's own
/// constraints `reported`. Limits apply to `metrics`, `size` and the time that the trial `took`, which is
/// unknown where it was pruned.
///
/// # Errors
/// The [`Failure`] of a trial that lacks a metric with a limit.
pub(crate) fn constraints(
    limits: &[Limit],
    reported: &Constraints,
    metrics: &BTreeMap<String, f64>,
    size: Option<ModelSize>,
    took: Option<Duration>,
) -> Result<Constraints, Failure> {
    let of_limit = |limit: &Limit| {
        let value = value(&limit.metric, metrics, size, took).filter(|value| !value.is_nan());
        value.map(|value| limit.constraint(value)).ok_or_else(|| Failure {
            reason: format!("no value of `{}` was reported, which has the limit `{limit}`", limit.metric),
            detail: String::new(),
        })
    };
    let mut constraints = reported.clone();
    let of_limits: Vec<f64> = limits.iter().map(of_limit).collect::<Result<_, _>>()?;
    constraints.listed.splice(0..0, of_limits);
    Ok(constraints)
}

fn value(
    name: &str,
    metrics: &BTreeMap<String, f64>,
    size: Option<ModelSize>,
    took: Option<Duration>,
) -> Option<f64> {
    metrics.get(name).copied().or_else(|| match name {
        "seconds" => took.map(|took| took.as_secs_f64()),
        "weights" => size.map(|size| size.total as f64),
        "non_embedding_weights" => size.map(|size| size.non_embedding as f64),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use allometry_core::TrainingCost;

    use super::*;

    fn outcome(metrics: &[(&str, f64)], later: &[f64]) -> ObjectiveOutcome {
        ObjectiveOutcome {
            constraints: Constraints::default(),
            values: [&[0.5], later].concat(),
            best_step: None,
            metrics: metrics
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect::<BTreeMap<_, _>>(),
            size: Some(ModelSize { total: 12, non_embedding: 10 }),
            predictions: None,
            cost: TrainingCost::default(),
            checkpoint: None,
        }
    }

    /// The values of the objectives `later`, which follow `auc`.
    fn of(later: &[&str], outcome: &ObjectiveOutcome) -> Result<Vec<f64>, String> {
        let names: Vec<String> = [&["auc"], later].concat().into_iter().map(Into::into).collect();
        let values =
            values(&names, outcome, Duration::from_millis(1500)).map_err(|failure| failure.reason)?;
        assert_eq!(values[0], 0.5);
        Ok(values[1..].to_vec())
    }

    #[test]
    fn values_are_found_by_place_or_by_name() {
        let reported = outcome(&[("loss", 0.25), ("bad", f64::NAN)], &[]);
        assert_eq!(of(&["loss", "seconds", "weights"], &reported), Ok(vec![0.25, 1.5, 12.0]));
        assert_eq!(of(&["non_embedding_weights"], &reported), Ok(vec![10.0]));
        assert_eq!(
            of(&["seconds"], &outcome(&[("seconds", 9.0)], &[])),
            Ok(vec![9.0]),
            "a metric takes precedence"
        );
        assert_eq!(of(&["loss"], &outcome(&[("loss", 0.25)], &[3.0])), Ok(vec![3.0]));
        assert_eq!(of(&[], &reported), Ok(vec![]));
    }

    #[test]
    fn limits_come_before_what_was_reported() {
        let mut reported = outcome(&[("ms", 25.0)], &[]);
        reported.constraints.listed = vec![-1.0];
        let limits = ["ms <= 20", "weights >= 10"].map(|text| text.parse().unwrap());
        let of_time = |limits: &[Limit], took: Option<Duration>| {
            constraints(limits, &reported.constraints, &reported.metrics, reported.size, took)
        };
        let of = |limits: &[Limit]| of_time(limits, Some(Duration::from_secs(3)));
        assert_eq!(of(&limits).unwrap().listed, [5.0, -2.0, -1.0]);
        let seconds: [Limit; 1] = ["seconds <= 5".parse().unwrap()];
        assert_eq!(of(&seconds).unwrap().listed, [-2.0, -1.0]);
        assert!(of_time(&seconds, None).is_err(), "the time until a trial was pruned is not its time");
        let missing = of(&["watts <= 20".parse().unwrap()]).unwrap_err();
        assert_eq!(missing.reason, "no value of `watts` was reported, which has the limit `watts <= 20`");
    }

    #[test]
    fn missing_values_are_named() {
        let missing = of(&["recall"], &outcome(&[("loss", 0.25)], &[])).unwrap_err();
        assert_eq!(missing, "no value of objective `recall` was reported");
        let bad = of(&["bad"], &outcome(&[("bad", f64::NAN)], &[])).unwrap_err();
        assert_eq!(bad, "the value of objective `bad` is not a number");
        let many = of(&["loss"], &outcome(&[], &[1.0, 2.0])).unwrap_err();
        assert_eq!(many, "values of 3 objectives were reported, but the study has 2");
    }
}
