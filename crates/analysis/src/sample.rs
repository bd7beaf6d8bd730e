//! Trials of a study that enter its statistics.

use std::sync::OnceLock;

use allometry_core::{Direction, FrozenTrial, Params, is_usable};

use crate::configurations::by_configuration;
use crate::input::StudyTrials;
use crate::stats::moments::mean;

/// The complete trials of a study with a usable value, in order of their numbers.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    /// The trials.
    pub trials: Vec<&'a FrozenTrial>,
    /// The trials' values, in order of the trials.
    pub values: Vec<f64>,
    /// Whether larger or smaller values are better.
    pub direction: Direction,
    /// Positions of each configuration's trials, computed on first use.
    configurations: OnceLock<Vec<Vec<usize>>>,
}

impl<'a> Sample<'a> {
    /// Selects the usable trials of `study`.
    pub fn new(study: &'a StudyTrials, direction: Direction) -> Self {
        let (trials, values) =
            study.trials.iter().filter_map(|trial| Some((trial, trial.eligible_value()?))).unzip();
        Self { trials, values, direction, configurations: OnceLock::new() }
    }

    /// Selects the usable trials of `study` that have a finite value at a step, with these values.
    pub(crate) fn at_step(study: &'a StudyTrials, direction: Direction, step: i64) -> Self {
        let of_step = |trial: &FrozenTrial| trial.intermediate.get(&step).copied().filter(|x| is_usable(*x));
        let usable = study.trials.iter().filter(|trial| trial.eligible_value().is_some());
        let (trials, values) = usable.filter_map(|trial| Some((trial, of_step(trial)?))).unzip();
        Self { trials, values, direction, configurations: OnceLock::new() }
    }

    /// Returns the position of the best trial, the earliest of equals.
    pub fn best(&self) -> Option<usize> {
        first_best(&self.values, self.direction)
    }

    /// Returns the positions of the trials of each configuration, in the order in which the configurations
    /// were first tried.
    pub(crate) fn configurations(&self) -> &[Vec<usize>] {
        self.configurations.get_or_init(|| by_configuration(self.trials.iter().map(|trial| &trial.params)))
    }

    /// Returns the distinct configurations, each with the mean of its distinct values. A repeat adds a
    /// measurement of its configuration but no further configuration, and a repeat with an equal value adds
    /// nothing.
    pub fn distinct(&self) -> Vec<(&'a Params, f64)> {
        let found = self.distinct_positions().into_iter();
        found.map(|(position, value)| (&self.trials[position].params, value)).collect()
    }

    /// Returns the position of each distinct configuration's first trial, with the mean of its distinct
    /// values.
    pub(crate) fn distinct_positions(&self) -> Vec<(usize, f64)> {
        let value = |positions: &Vec<usize>| {
            let mut values: Vec<f64> = Vec::new();
            for value in positions.iter().map(|&position| self.values[position]) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            Some((positions[0], mean(values)?))
        };
        self.configurations().iter().filter_map(value).collect()
    }

    /// Returns a metric of each trial that recorded it, with the trial's position. The metric comes from
    /// Allometry's record or from a user attribute of that name.
    pub fn metric(&self, name: &str) -> Vec<(usize, f64)> {
        self.trials
            .iter()
            .enumerate()
            .filter_map(|(position, trial)| Some((position, recorded_metric(trial, name)?)))
            .collect()
    }
}

/// Returns a usable metric that a trial recorded, by name, from Allometry's record or from a user attribute.
pub fn recorded_metric(trial: &FrozenTrial, name: &str) -> Option<f64> {
    let own = trial.record.metrics.get(name).copied();
    own.or_else(|| serde_json::from_str(trial.user_attributes.get(name)?).ok())
        .filter(|x: &f64| is_usable(*x))
}

/// Returns the position of the best value, the first of equals; `None` without values.
pub fn first_best(values: &[f64], direction: Direction) -> Option<usize> {
    (0..values.len())
        .reduce(|best, next| if direction.better(values[next], values[best]) { next } else { best })
}
