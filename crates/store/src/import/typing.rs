//! One kind of number per parameter, as tables have it.

use std::collections::BTreeSet;

use allometry_core::{FrozenTrial, ParamValue};

/// Makes the integers of a parameter floats where any of its values is one: `0` beside `1e-05` is `0.0`.
pub(super) fn promote(trials: &mut [FrozenTrial]) {
    let floats: BTreeSet<String> = trials
        .iter()
        .flat_map(|t| t.params.iter().filter(|(name, _)| !t.distributions.contains_key(*name)))
        .filter(|(_, value)| matches!(value, ParamValue::Float(_)))
        .map(|(name, _)| name.to_owned())
        .collect();
    for trial in trials {
        for (name, value) in &mut trial.params.0 {
            // A recorded set says what kind its values are.
            if trial.distributions.contains_key(name) || !floats.contains(name) {
                continue;
            }
            if let ParamValue::Int(i) = *value {
                *value = ParamValue::Float(i as f64);
            }
        }
    }
}
