//! The values of enqueued trials.

use allometry_core::{Distribution, FrozenTrial, ParamValue, Params, SearchSpace};
use allometry_store::{distribution, json};

/// System attribute with the enqueued values of a trial in Optuna.
const FIXED: &str = "fixed_params";

/// The enqueued values of a trial for the parameters of the search space.
///
/// Other programs can enqueue any values, and no value outside of its set may reach a program that is started
/// with it.
///
/// # Errors
/// A message about the value that is not in its parameter's set.
pub(crate) fn values(trial: &FrozenTrial, space: &SearchSpace) -> Result<Params, String> {
    let mut wanted = Params::default();
    let fixed = trial.system_attributes.get(FIXED).and_then(|text| json::parse(text).ok());
    for (name, value) in fixed.iter().filter_map(|fixed| fixed.as_object()).flatten() {
        let Some(set) = space.get(name) else { continue };
        let read = distribution::read_value(value);
        // Python treats truth values as numbers, but a program that is started with one does not.
        let is_number =
            !matches!(read, ParamValue::Bool(_)) || matches!(set, Distribution::Categorical { .. });
        if !is_number || !set.contains(&read) {
            return Err(format!("the enqueued value of `{name}`, {value}, is not in {set}"));
        }
        wanted.0.insert(name.clone(), read);
    }
    for (name, value) in trial.params.iter() {
        match space.get(name) {
            Some(set) if set.contains(value) => drop(wanted.0.insert(name.to_owned(), value.clone())),
            Some(set) => return Err(format!("the enqueued value of `{name}`, {value}, is not in {set}")),
            // Optuna can enqueue parameters that this space does not have; those with a distribution belong
            // to another space.
            None if trial.distributions.is_empty() => {}
            None => return Err(format!("the space has no parameter `{name}`, which the trial has")),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use allometry_core::TrialState;

    use super::*;

    fn space() -> SearchSpace {
        let unit = Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
        let mut space = SearchSpace::default();
        space.0.insert("x".into(), unit);
        space
    }

    fn enqueued(fixed: &str) -> FrozenTrial {
        let mut trial = FrozenTrial::new(0, TrialState::Running, None, Params::default());
        trial.system_attributes.insert(FIXED.into(), fixed.into());
        trial
    }

    #[test]
    fn values_of_the_wrong_type_or_outside_of_the_set_are_named() {
        for (fixed, shown) in [
            (r#"{"x": "a"}"#, r#""a""#),
            (r#"{"x": 5.0}"#, "5.0"),
            (r#"{"x": [1]}"#, "[1]"),
            (r#"{"x": null}"#, "null"),
        ] {
            let reason = values(&enqueued(fixed), &space()).unwrap_err();
            assert!(
                reason.starts_with(&format!("the enqueued value of `x`, {shown}, is not in ")),
                "{reason}"
            );
        }
    }

    #[test]
    fn values_that_fit_are_used_and_unknown_names_ignored() {
        let found = values(&enqueued(r#"{"x": 0.25, "other": "rm"}"#), &space()).unwrap();
        assert_eq!(found, [("x", ParamValue::Float(0.25))].into_iter().collect());
        for nothing in ["{}", "5", "[1]", "{"] {
            assert_eq!(values(&enqueued(nothing), &space()).unwrap(), Params::default());
        }
    }

    #[test]
    fn a_trial_with_a_parameter_of_another_space_is_rejected() {
        let mut trial = FrozenTrial::new(0, TrialState::Running, None, Params::default());
        trial.params.insert("y", ParamValue::Text("$(id)".into()));
        let set = Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
        trial.distributions.insert("y".into(), set);
        assert!(values(&trial, &space()).unwrap_err().contains("no parameter `y`"));
    }
}
