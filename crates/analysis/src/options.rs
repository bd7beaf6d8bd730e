//! Settings of an analysis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Options {
    /// Coverage probability of intervals; tests use the significance level `1 - level`.
    pub level: f64,
    /// Power with which the recommended number of rows detects a difference.
    pub power: f64,
    /// Assumed correlation between the metrics of two models on the same rows, if no scores were stored.
    pub correlation: f64,
    /// Smallest difference of the metric that is of interest; `None` for the ladder's own, or for a fifth of
    /// the spread between configurations.
    pub smallest_effect: Option<f64>,
    /// Relative difference from the nominal size above which a size is off, for budgets without a tolerance.
    pub size_tolerance: f64,
    /// Number of complete trials below which a budget has few trials.
    pub few_trials: u64,
    /// Share of failed trials above which they are a finding.
    pub failed_share: f64,
    /// Permutations per p-value; fewer with very many trials.
    pub permutations: u64,
    /// Resamples per interval; fewer with very many trials or parameters.
    pub bootstraps: u64,
    /// Seed of permutations and resamples.
    pub seed: u64,
}

impl Options {
    /// Returns the smallest difference of the metric that is of interest; 0 if none is given.
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
