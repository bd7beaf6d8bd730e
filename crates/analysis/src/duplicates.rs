//! Configurations that were tried more than once.

use std::collections::HashMap;

use allometry_core::{ParamValue, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sample::Sample;
use crate::stats::moments::sample_variance;

/// Repeated configurations of a study.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Duplicates {
    /// Distinct configurations.
    pub configurations: u64,
    /// Trials whose configuration an earlier trial has.
    pub repeats: u64,
    /// Of those, trials whose value is exactly that of the first trial of the configuration.
    pub identical: u64,
    /// Standard deviation between trials of one configuration, pooled: what chance alone does to the metric. `None`
    /// without repeats.
    pub repeat_sd: Option<f64>,
}

impl Duplicates {
    /// Finds repeated configurations; the order of parameters does not matter.
    pub fn new(sample: &Sample<'_>) -> Self {
        let by_configuration = by_configuration(sample.trials.iter().map(|trial| &trial.params));
        let values = |places: Vec<usize>| places.into_iter().map(|place| sample.values[place]).collect();
        let groups: Vec<Vec<f64>> = by_configuration.into_iter().map(values).collect();
        let (mut repeats, mut identical, mut squares) = (0_u64, 0_u64, 0.0);
        for values in &groups {
            let freedom = values.len() - 1;
            repeats += freedom as u64;
            identical += values[1..].iter().filter(|&&value| value == values[0]).count() as u64;
            let variance = sample_variance(values.iter().copied());
            squares += variance.map_or(0.0, |variance| variance * freedom as f64);
        }
        let repeat_sd = (repeats > 0).then(|| (squares / repeats as f64).sqrt());
        Self { configurations: groups.len() as u64, repeats, identical, repeat_sd }
    }
}

/// The places of the trials of each distinct configuration, in the order in which the configurations were first tried.
pub(crate) fn by_configuration<'a>(configurations: impl Iterator<Item = &'a Params>) -> Vec<Vec<usize>> {
    let mut group_of: HashMap<Key<'a>, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, params) in configurations.enumerate() {
        let group = *group_of.entry(Key::new(params)).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(place);
    }
    groups
}

/// Equal for equal configurations, whatever the order of their parameters: numbers by value, so that 1 and 1.0 agree.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a>(Vec<(&'a str, KeyValue)>);

#[derive(Debug, PartialEq, Eq, Hash)]
enum KeyValue {
    /// Bits of a number, -0 being 0.
    Number(u64),
    /// Anything else, as Python writes it.
    Other(String),
}

impl<'a> Key<'a> {
    pub(crate) fn new(params: &'a Params) -> Self {
        let value = |value: &ParamValue| match value.as_f64() {
            Some(number) => KeyValue::Number((number + 0.0).to_bits()),
            None => KeyValue::Other(value.repr()),
        };
        let mut parts: Vec<(&str, KeyValue)> = params.iter().map(|(name, set)| (name, value(set))).collect();
        parts.sort_unstable_by_key(|(name, _)| *name);
        Self(parts)
    }
}
