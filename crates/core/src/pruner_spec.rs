//! The settings of pruners, with Optuna's names.

use serde::{Deserialize, Serialize};

/// Pruning of the trials of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrunerSpec {
    /// The pruner.
    pub kind: PrunerKind,
    /// Additional pruner of collapsed trials.
    pub collapse: Option<CollapseSpec>,
    /// Share of the trials of a model-free sampler that are exempt from pruning, for statistics.
    pub complete_share: f64,
}

/// The pruner and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PrunerKind {
    /// No pruner.
    None,
    /// Stops trials worse than a percentile of complete trials at the same step; the median is the 50th.
    Percentile(PercentileSpec),
    /// Stops trials that are not among the best of their rung: asynchronous successive halving (Li et al.
    /// 2020).
    Halving(HalvingSpec),
    /// Runs successive halving in several brackets (Li et al. 2018).
    Hyperband(HyperbandSpec),
    /// Stops trials outside of a range.
    Threshold {
        /// Smallest accepted value.
        lower: f64,
        /// Largest accepted value.
        upper: f64,
        /// Steps at which the pruner decides.
        interval: IntervalSpec,
    },
    /// Stops trials without improvement for `patience` steps.
    Patience {
        /// Number of steps to wait.
        patience: u64,
        /// Largest change that does not count.
        min_delta: f64,
        /// Pruner that decides after patience is exhausted; without one the trial stops.
        wrapped: Option<Box<PrunerKind>>,
    },
    /// Stops trials that are probably worse than the best trial at the same steps, by the signed-rank test
    /// (Wilcoxon 1945).
    Wilcoxon {
        /// Significance level of the test.
        p_threshold: f64,
        /// Number of steps before the first decision, at least 2.
        n_startup_steps: u64,
    },
}

/// The steps at which a pruner decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntervalSpec {
    /// First step with a decision.
    pub n_warmup_steps: u64,
    /// Number of steps per decision, at least 1.
    pub interval_steps: u64,
}

/// Settings of the percentile pruner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PercentileSpec {
    /// Percentile of the complete trials' values that a trial must reach, 0 being the best.
    pub percentile: f64,
    /// Number of complete trials before the first decision.
    pub n_startup_trials: u64,
    /// Number of complete trials that must have reported the step, at least 1.
    pub n_min_trials: u64,
    /// Steps at which the pruner decides.
    pub interval: IntervalSpec,
}

/// Settings of asynchronous successive halving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalvingSpec {
    /// Number of steps to the first rung; `None` for 1/100 of a trial's largest number of steps, at least 1.
    pub min_resource: Option<u64>,
    /// Inverse of the share of trials that pass a rung, at least 2; also the ratio of steps between rungs.
    pub reduction_factor: u64,
    /// Number of rungs skipped at the beginning.
    pub min_early_stopping_rate: u32,
    /// Number of trials that must reach a rung before any passes it.
    pub bootstrap_count: u64,
}

/// Settings of Hyperband.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HyperbandSpec {
    /// Number of steps to the first rung of the most aggressive bracket.
    pub min_resource: u64,
    /// Number of steps of a complete trial; `None` for a trial's largest number of steps.
    pub max_resource: Option<u64>,
    /// Inverse of the share of trials that pass a rung, as in [`HalvingSpec`].
    pub reduction_factor: u64,
    /// Number of trials that must reach a rung before any passes it, as in [`HalvingSpec`].
    pub bootstrap_count: u64,
}

/// Settings of the collapse pruner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CollapseSpec {
    /// Number of consecutive steps with constant predictions, at least 1.
    pub epochs: u64,
    /// Largest difference between predictions that counts as constant.
    pub spread: f64,
}
