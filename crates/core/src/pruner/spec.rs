//! Which pruner stops trials, under Optuna's names.

use serde::{Deserialize, Serialize};

/// How trials are stopped early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrunerSpec {
    /// The pruner.
    pub kind: PrunerKind,
    /// Stops collapsed trials, whatever the pruner says.
    pub collapse: Option<CollapseSpec>,
    /// Share of the trials of a sampler without a model that run to their end whatever happens, for the statistics.
    pub complete_share: f64,
}

/// The pruner and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PrunerKind {
    /// None.
    None,
    /// Worse than a percentile of complete trials at the same step; the median is the 50th.
    Percentile(PercentileSpec),
    /// Not among the best of its rung: asynchronous successive halving (Li et al. 2020).
    Halving(HalvingSpec),
    /// Successive halving in several brackets (Li et al. 2018).
    Hyperband(HyperbandSpec),
    /// Outside a range.
    Threshold {
        /// Values below this are stopped.
        lower: f64,
        /// Values above this are stopped.
        upper: f64,
        /// When it looks.
        interval: IntervalSpec,
    },
    /// No better than `patience` steps ago.
    Patience {
        /// Steps to wait.
        patience: u64,
        /// Gain that does not count.
        min_delta: f64,
        /// Decides once patience is exhausted; without one the trial stops.
        wrapped: Option<Box<PrunerKind>>,
    },
    /// Probably worse than the best trial over the same steps, by the signed-rank test (Wilcoxon 1945).
    Wilcoxon {
        /// Level of the test.
        p_threshold: f64,
        /// Steps before it looks, at least 2.
        n_startup_steps: u64,
    },
}

/// At which steps a pruner looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntervalSpec {
    /// It does not before this step.
    pub n_warmup_steps: u64,
    /// It looks once in so many steps, at least 1.
    pub interval_steps: u64,
}

/// Settings of the percentile pruner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PercentileSpec {
    /// Percentile of the complete trials' values that a trial must reach, the best being 0.
    pub percentile: f64,
    /// Complete trials before it looks.
    pub n_startup_trials: u64,
    /// Complete trials that must have reported the step, at least 1.
    pub n_min_trials: u64,
    /// When it looks.
    pub interval: IntervalSpec,
}

/// Settings of asynchronous successive halving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalvingSpec {
    /// Steps to the first rung; `None` for a hundredth of the most that a trial takes, at least 1.
    pub min_resource: Option<u64>,
    /// Share that goes on is one over this, at least 2; rungs lie apart by this factor.
    pub reduction_factor: u64,
    /// Rungs left out at the beginning.
    pub min_early_stopping_rate: u32,
    /// Trials that must reach a rung before any goes on.
    pub bootstrap_count: u64,
}

/// Settings of Hyperband.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HyperbandSpec {
    /// Steps to the first rung of the most aggressive bracket.
    pub min_resource: u64,
    /// Steps of a whole trial; `None` for the most that a trial takes.
    pub max_resource: Option<u64>,
    /// As in [`HalvingSpec`].
    pub reduction_factor: u64,
    /// As in [`HalvingSpec`].
    pub bootstrap_count: u64,
}

/// When a trial has collapsed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CollapseSpec {
    /// Steps in a row with constant predictions, at least 1.
    pub epochs: u64,
    /// Largest difference of two predictions that still counts as constant.
    pub spread: f64,
}
