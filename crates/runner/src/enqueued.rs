//! What an enqueued trial asks for.

use allometry_core::{Distribution, FrozenTrial, ParamValue, Params, SearchSpace};
use allometry_store::{distribution, json};

/// System attribute in which Optuna keeps what a trial was enqueued with.
const FIXED: &str = "fixed_params";

/// The values that a trial was enqueued with, of the parameters that the space has.
///
/// Other programs enqueue whatever they like, and no value outside of its set may reach a program that is started with it.
///
/// # Errors
/// Which value is not in its parameter's set.
pub(crate) fn values(trial: &FrozenTrial, space: &SearchSpace) -> Result<Params, String> {
    let mut wanted = Params::default();
    let fixed = trial.system_attributes.get(FIXED).and_then(|text| json::parse(text).ok());
    for (name, value) in fixed.iter().filter_map(|fixed| fixed.as_object()).flatten() {
        let Some(set) = space.get(name) else { continue };
        let read = distribution::read_value(value);
        // Python counts a truth value as a number; a program that is started with it does not.
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
            // What was enqueued with Optuna may name more than this space has; what has a set of its own is another space's.
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
    fn values_that_fit_are_taken_and_unknown_names_passed_over() {
        let found = values(&enqueued(r#"{"x": 0.25, "other": "rm"}"#), &space()).unwrap();
        assert_eq!(found, [("x", ParamValue::Float(0.25))].into_iter().collect());
        for nothing in ["{}", "5", "[1]", "{"] {
            assert_eq!(values(&enqueued(nothing), &space()).unwrap(), Params::default());
        }
    }

    #[test]
    fn a_trial_with_a_parameter_of_its_own_is_refused() {
        let mut trial = FrozenTrial::new(0, TrialState::Running, None, Params::default());
        trial.params.insert("y", ParamValue::Text("$(id)".into()));
        let set = Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
        trial.distributions.insert("y".into(), set);
        assert!(values(&trial, &space()).unwrap_err().contains("no parameter `y`"));
    }
}
