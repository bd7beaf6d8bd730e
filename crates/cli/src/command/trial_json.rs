//! Trials as JSON and as short text.

use std::collections::BTreeMap;

use allometry_core::significant::significant;
use allometry_core::{FrozenTrial, TrialState};
use allometry_store::json;
use serde_json::{Map, Value, json};

/// Returns all data of a trial as JSON; numbers that are not finite are null.
pub(super) fn trial_json(trial: &FrozenTrial) -> Value {
    let record = &trial.record;
    let constraints: BTreeMap<String, f64> = trial.constraints().iter().collect();
    let steps = trial.intermediate.iter().map(|(step, value)| json!({"step": step, "value": value}));
    let attribute = |(name, text): (&str, &str)| {
        let value = json::parse(text).unwrap_or_else(|_| text.into());
        (name.to_owned(), json::to_standard_json(value))
    };
    let attributes: Map<String, Value> = attributes(trial).map(attribute).collect();
    json!({
        "number": trial.number,
        "state": trial.state,
        "value": trial.value(),
        "values": trial.values,
        "constraints": constraints,
        "params": trial.params,
        "weights": record.size.map(|size| size.total),
        "origin": record.origin,
        "seed": record.seed,
        "started": trial.started,
        "completed": trial.completed,
        "best_step": record.best_step,
        "cost": record.cost,
        "early_stop": record.early_stop,
        "collapsed_to": record.collapsed_to,
        "exempt": record.exempt,
        "failure": record.failure,
        "retry_of": record.retry_of,
        "metrics": record.metrics,
        "user_attrs": attributes,
        "intermediate": steps.collect::<Vec<_>>(),
    })
}

/// Returns the user attributes that are not metrics, by name, each with its JSON text.
pub(super) fn attributes(trial: &FrozenTrial) -> impl Iterator<Item = (&str, &str)> {
    let others = trial.user_attributes.iter();
    let others = others.filter(|(name, _)| !trial.record.metrics.contains_key(*name));
    others.map(|(name, json)| (name.as_str(), json.as_str()))
}

/// Returns the state of a trial with its values, such as `complete 0.7123`, `complete 0.7123, infeasible` or
/// `failed: exit code 3: ValueError`.
pub(super) fn outcome(trial: &FrozenTrial) -> String {
    let values: Vec<String> = trial.values.iter().map(|value| significant(*value)).collect();
    let value = if values.is_empty() { String::new() } else { format!(" {}", values.join(", ")) };
    format!("{}{value}{}", trial.state.as_str(), remark(trial))
}

/// Returns the remark after the values of a trial: `, infeasible`, or why it failed.
pub(super) fn remark(trial: &FrozenTrial) -> String {
    let failure = trial.record.failure.as_ref().filter(|_| trial.state == TrialState::Failed);
    let failure = failure.map_or_else(String::new, |failure| format!(": {failure}"));
    let infeasible = if trial.is_feasible() { "" } else { ", infeasible" };
    format!("{infeasible}{failure}")
}
