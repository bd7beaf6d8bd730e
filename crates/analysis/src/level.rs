//! Levels of a parameter: the values that occur, and the trials at each.

use std::cmp::Ordering;

use allometry_core::ParamValue;

use crate::sample::Sample;

/// A value of a parameter and the trials that have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The value, as the earliest of the trials has it.
    pub value: ParamValue,
    /// Positions in the sample, ascending.
    pub members: Vec<usize>,
}

/// The levels of `parameter` in ascending order. Trials without the parameter are in none of them; a parameter that
/// no trial has gives no level.
pub fn levels(sample: &Sample<'_>, parameter: &str) -> Vec<Level> {
    let mut present: Vec<(&ParamValue, usize)> = sample
        .trials
        .iter()
        .enumerate()
        .filter_map(|(position, trial)| Some((trial.params.get(parameter)?, position)))
        .collect();
    present.sort_by(|a, b| a.0.total_cmp(b.0));
    let mut levels: Vec<Level> = Vec::new();
    for (value, position) in present {
        match levels.last_mut() {
            Some(level) if level.value.total_cmp(value) == Ordering::Equal => level.members.push(position),
            _ => levels.push(Level { value: value.clone(), members: vec![position] }),
        }
    }
    levels
}

/// The values of `sample` at one level, in order of trial numbers.
pub fn values_at<'s>(values: &'s [f64], level: &'s Level) -> impl Iterator<Item = f64> + Clone + 's {
    level.members.iter().map(|&position| values[position])
}
