//! Repeated configurations of a study.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sample::Sample;
use crate::stats::moments::sample_variance;

/// Repeated configurations of a study.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Duplicates {
    /// Number of distinct configurations.
    pub configurations: u64,
    /// Number of trials whose configuration an earlier trial has.
    pub repeats: u64,
    /// Number of these trials whose value equals exactly that of the configuration's first trial.
    pub identical: u64,
    /// Pooled standard deviation between trials of one configuration: the variation by chance alone. `None`
    /// without repeats.
    pub repeat_sd: Option<f64>,
}

impl Duplicates {
    /// Finds repeated configurations, whatever the order of their parameters.
    pub fn new(sample: &Sample<'_>) -> Self {
        let values = |places: &Vec<usize>| places.iter().map(|&place| sample.values[place]).collect();
        let groups: Vec<Vec<f64>> = sample.configurations().iter().map(values).collect();
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
