//! One kind of number per parameter, as tables have it.

use std::collections::BTreeSet;

use allometry_core::{FrozenTrial, ParamValue};

/// Makes the integers of a parameter floats where any of its values is one: `0` beside `1e-05` is `0.0`.
pub(super) fn promote(trials: &mut [FrozenTrial]) {
    let floats: BTreeSet<String> = trials
        .iter()
        .flat_map(|t| t.params.iter())
        .filter(|(_, value)| matches!(value, ParamValue::Float(_)))
        .map(|(name, _)| name.to_owned())
        .collect();
    for (name, value) in trials.iter_mut().flat_map(|t| t.params.0.iter_mut()) {
        if let (ParamValue::Int(i), true) = (&*value, floats.contains(name)) {
            *value = ParamValue::Float(*i as f64);
        }
    }
}
