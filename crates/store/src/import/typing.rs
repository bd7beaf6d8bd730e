//! One kind of number per parameter, as tables have it.

use std::collections::BTreeSet;

use allometry_core::{FrozenTrial, ParamValue};

/// Makes whole floats integers where a parameter has no others and some trials lack it: pandas writes a column of integers with holes so.
pub(super) fn restore_integers(trials: &mut [FrozenTrial]) {
    let names: BTreeSet<String> =
        trials.iter().flat_map(|trial| trial.params.iter().map(|(name, _)| name.to_owned())).collect();
    for name in names {
        let is_whole = |trial: &FrozenTrial| match trial.params.get(&name) {
            None => true,
            Some(ParamValue::Float(x)) => {
                x.fract() == 0.0 && x.abs() < 9e15 && !trial.distributions.contains_key(&name)
            }
            Some(value) => matches!(value, ParamValue::Int(_)),
        };
        let has_holes = trials.iter().any(|trial| trial.params.get(&name).is_none());
        if !has_holes || !trials.iter().all(is_whole) {
            continue;
        }
        for value in trials.iter_mut().filter_map(|trial| trial.params.0.get_mut(&name)) {
            if let ParamValue::Float(x) = *value {
                *value = ParamValue::Int(x as i64);
            }
        }
    }
}

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
