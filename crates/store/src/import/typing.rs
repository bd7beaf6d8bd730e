//! Unification of the numeric kinds of each parameter.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{FrozenTrial, ParamValue};

use super::error::Problem;
use super::field::{Wide, is_nan};
use crate::json;

/// Converts whole floats to integers for parameters that have no other floats and that some trials lack:
/// pandas writes a column of integers with gaps as floats.
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

/// Words that pandas and R write for a missing value, beside NaN.
const MISSING: [&str; 9] = ["NA", "N/A", "n/a", "#N/A", "<NA>", "NaT", "None", "null", "NULL"];

/// Whether a text stands for a missing value.
pub(super) fn is_missing(text: &str) -> bool {
    is_nan(text) || MISSING.contains(&text)
}

/// Removes words for a missing value, such as `NaN`, from parameters whose other values are all numbers.
pub(super) fn remove_missing(trials: &mut [FrozenTrial]) {
    let is_word = |value: &ParamValue| matches!(value, ParamValue::Text(text) if is_missing(text));
    let (mut numeric, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (name, value) in trials.iter().flat_map(unrecorded).filter(|(_, value)| !is_word(value)) {
        let is_number = matches!(value, ParamValue::Int(_) | ParamValue::Float(_));
        if is_number { &mut numeric } else { &mut others }.insert(name.to_owned());
    }
    for trial in trials {
        let recorded = &trial.distributions;
        let is_number =
            |name: &String| numeric.contains(name) && !others.contains(name) && !recorded.contains_key(name);
        trial.params.0.retain(|name, value| !(is_word(value) && is_number(name)));
    }
}

/// Converts the integers of a parameter to floats if any of its values is a float: `0` beside `1e-05` is
/// `0.0`. Beside texts, booleans and the like, numbers are choices and stay unchanged.
pub(super) fn promote(trials: &mut [FrozenTrial]) {
    let (mut floats, mut choices) = (BTreeSet::new(), BTreeSet::new());
    for (name, value) in trials.iter().flat_map(unrecorded) {
        match value {
            ParamValue::Float(_) => floats.insert(name.to_owned()),
            ParamValue::Int(_) => false,
            _ => choices.insert(name.to_owned()),
        };
    }
    for trial in trials {
        for (name, value) in &mut trial.params.0 {
            // A recorded distribution determines the kind of its values.
            let is_recorded = trial.distributions.contains_key(name);
            if is_recorded || !floats.contains(name) || choices.contains(name) {
                continue;
            }
            if let ParamValue::Int(i) = *value {
                *value = ParamValue::Float(i as f64);
            }
        }
    }
}

/// Refuses values of one parameter that have different kinds but are equal in Python, such as `True` and `1`:
/// Python would treat them as one choice.
pub(super) fn refuse_alike(trials: &[FrozenTrial]) -> Result<(), Problem> {
    let mut first: BTreeMap<(&str, i64), &ParamValue> = BTreeMap::new();
    for trial in trials {
        for (name, value) in unrecorded(trial) {
            let Some(whole) = value.as_i64() else { continue };
            let known = first.entry((name, whole)).or_insert(value);
            if std::mem::discriminant(*known) != std::mem::discriminant(value) {
                let place = format!("trial {}, parameter `{name}`", trial.number);
                let message = format!("`{value}` beside `{known}`, which Python considers equal");
                return Err(
                    Problem::new(place, message).hint("write both the same way, or one of them as a text")
                );
            }
        }
    }
    Ok(())
}

/// Refuses integers of waiting trials that no parameter can hold.
pub(super) fn refuse_wide_fixed(trial: &FrozenTrial) -> Result<(), Problem> {
    let fixed = trial.system_attributes.get("fixed_params").filter(|_| trial.params.0.is_empty());
    let fixed = fixed.and_then(|text| json::parse(text).ok());
    let found = fixed.as_ref().and_then(json::beyond_i64);
    found.map_or(Ok(()), |digits| {
        Err(Wide(digits).within(format!("trial {}, system attribute `fixed_params`", trial.number)))
    })
}

/// Returns the values of a trial without a recorded distribution.
fn unrecorded(trial: &FrozenTrial) -> impl Iterator<Item = (&str, &ParamValue)> {
    trial.params.iter().filter(|(name, _)| !trial.distributions.contains_key(*name))
}
