//! What an analysis takes for granted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Options {
    /// Probability with which intervals cover; tests are at `1 - level`.
    pub level: f64,
    /// Probability with which a difference is to be found by the number of rows that is asked for.
    pub power: f64,
    /// Correlation assumed between the metrics of two models on the same rows, where no scores were stored.
    pub correlation: f64,
    /// Smallest difference of the metric that is of interest; `None` for the ladder's own, or a fifth of the
    /// spread between configurations.
    pub smallest_effect: Option<f64>,
    /// Relative difference at which a nominal size is no size, for budgets that state no tolerance.
    pub size_tolerance: f64,
    /// Complete trials below which a budget has few.
    pub few_trials: u64,
    /// Share of failed trials above which it is a finding.
    pub failed_share: f64,
    /// Permutations behind a p-value, fewer where there are very many trials.
    pub permutations: u64,
    /// Resamples behind an interval, fewer where there are very many trials or parameters.
    pub bootstraps: u64,
    /// Seed of both.
    pub seed: u64,
}

impl Options {
    /// The smallest difference of the metric that is of interest; 0 where none is given.
    pub fn effect(&self) -> f64 {
        self.smallest_effect.unwrap_or(0.0)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: 0.95,
            power: 0.8,
            correlation: 0.9,
            smallest_effect: None,
            size_tolerance: 0.25,
            few_trials: 10,
            failed_share: 0.1,
            permutations: 10_000,
            bootstraps: 2_000,
            seed: 0,
        }
    }
}
