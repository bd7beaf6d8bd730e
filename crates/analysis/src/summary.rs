//! Counts and best trials of a study.

use std::collections::HashSet;

use allometry_core::{CarriedOver, Handover, ModelSize, Params, StopReason, TrialNumber, TrialState};
use allometry_search::handover;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configurations::{Key, Keys};
use crate::estimate::Estimate;
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::pruning::Pruning;
use crate::sample::Sample;
use crate::stats::moments::{mean, sample_sd};

/// Best configurations that a summary lists.
const RANKED: usize = 5;
/// Distinct reasons of failures that are counted.
const MOST_REASONS: usize = 20;

/// Trials by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateCounts {
    /// Enqueued.
    pub waiting: u64,
    /// Being evaluated, or left by a process that ended.
    pub running: u64,
    /// Ended with a value.
    pub complete: u64,
    /// Stopped early.
    pub pruned: u64,
    /// Ended without a value.
    pub failed: u64,
    /// Of the complete ones, those without a finite value; no statistic uses them.
    pub complete_without_number: u64,
    /// Of the complete ones, those that break a constraint; no statistic uses them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub infeasible: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How many complete trials break one constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenConstraint {
    /// The constraint: the limit that it stands for, or its name.
    pub name: String,
    /// Trials.
    pub trials: u64,
}

/// How many trials failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureCount {
    /// The reason, with the last line that the program printed where it printed any.
    pub reason: String,
    /// Trials.
    pub trials: u64,
}

/// A trial among the best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankedTrial {
    /// Its number.
    pub number: TrialNumber,
    /// Its value.
    pub value: Estimate,
    /// Exact size of its model, where known.
    pub size: Option<ModelSize>,
    /// Its configuration.
    pub params: Params,
}

/// What a study found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Trials by state.
    pub counts: StateCounts,
    /// Trials that statistics use: complete ones with a finite value that break no constraint.
    pub trials: u64,
    /// Mean of their values.
    pub mean: Option<f64>,
    /// Sample standard deviation of their values; 0 for one.
    pub sd: Option<f64>,
    /// The best trial of each of the best distinct configurations, best first, earlier first among equals; at
    /// most five.
    pub best: Vec<RankedTrial>,
    /// The best configuration as recorded beside the trials, in its file's order.
    pub recorded_best_params: Option<Params>,
    /// Why the last run ended; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<StopReason>,
    /// That the sampler gave way to another, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// What the sampler took over from the ladder's other budgets, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_over: Option<CarriedOver>,
    /// Why trials failed, the most frequent reason first; empty where no trial says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureCount>,
    /// The constraints that complete trials break, the most frequent first; empty where all are met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<BrokenConstraint>,
    /// What stopping trials early saved; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruning: Option<Pruning>,
}

impl Summary {
    /// Summarizes a study.
    pub fn new(study: &StudyTrials, sample: &Sample<'_>, ladder: &LadderTrials, options: &Options) -> Self {
        Self {
            counts: count_states(study, sample),
            trials: sample.values.len() as u64,
            mean: mean(sample.values.iter().copied()),
            sd: sample_sd(sample.values.iter().copied()),
            best: rank(study, sample, ladder, options),
            recorded_best_params: study.best_params.clone(),
            ended: study.ended,
            handover: study.sampler.and_then(|kind| {
                handover(kind, study.trials.iter().filter(|trial| trial.state.is_finished()).count())
            }),
            carried_over: study.carried_over.clone(),
            failures: failures(study),
            broken: broken(study),
            pruning: Pruning::new(&study.trials),
        }
    }

    /// The incumbent.
    pub fn incumbent(&self) -> Option<&RankedTrial> {
        self.best.first()
    }
}

/// The constraints that complete trials break, the most frequent first.
fn broken(study: &StudyTrials) -> Vec<BrokenConstraint> {
    let infeasible = study.trials.iter().filter(|trial| trial.is_infeasible());
    let names = infeasible.flat_map(|trial| trial.constraints().broken().collect::<Vec<_>>()).map(|name| {
        let limit = name.parse().ok().and_then(|place: usize| study.limits.get(place).cloned());
        limit.unwrap_or(name)
    });
    tally(names).into_iter().map(|(name, trials)| BrokenConstraint { name, trials }).collect()
}

/// The reasons of failed trials, the most frequent first.
fn failures(study: &StudyTrials) -> Vec<FailureCount> {
    let failed = study.trials.iter().filter(|trial| trial.state == TrialState::Failed);
    let reasons = failed.filter_map(|trial| Some(trial.record.failure.as_ref()?.to_string()));
    tally(reasons).into_iter().map(|(reason, trials)| FailureCount { reason, trials }).collect()
}

/// How often each text occurs, the most frequent first; of more than [`MOST_REASONS`] those that occur first.
fn tally(texts: impl Iterator<Item = String>) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for text in texts {
        match found.iter().position(|(known, _)| *known == text) {
            Some(place) => found[place].1 += 1,
            None if found.len() < MOST_REASONS => found.push((text, 1)),
            None => {}
        }
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found
}

/// A value of the ladder's metric with the uncertainty that the class counts give it.
pub fn metric_estimate(value: f64, ladder: &LadderTrials, options: &Options) -> Estimate {
    match ladder.rows.filter(|_| ladder.measures_auc()) {
        Some(rows) => Estimate::auc(value, rows, options),
        None => Estimate::observed(value, options),
    }
}

fn count_states(study: &StudyTrials, sample: &Sample<'_>) -> StateCounts {
    let mut counts = StateCounts::default();
    for trial in &study.trials {
        match trial.state {
            TrialState::Waiting => counts.waiting += 1,
            TrialState::Running => counts.running += 1,
            TrialState::Complete => counts.complete += 1,
            TrialState::Pruned => counts.pruned += 1,
            TrialState::Failed => counts.failed += 1,
        }
    }
    counts.infeasible = study.trials.iter().filter(|trial| trial.is_infeasible()).count() as u64;
    counts.complete_without_number = counts.complete - counts.infeasible - sample.values.len() as u64;
    counts
}

fn rank(
    study: &StudyTrials,
    sample: &Sample<'_>,
    ladder: &LadderTrials,
    options: &Options,
) -> Vec<RankedTrial> {
    let mut order: Vec<usize> = (0..sample.values.len()).collect();
    order.sort_by(|&a, &b| {
        let ascending = sample.values[a].total_cmp(&sample.values[b]);
        if ladder.direction().better(1.0, 0.0) { ascending.reverse() } else { ascending }
    });
    let mut keys = Keys::default();
    let mut listed: HashSet<Key> = HashSet::new();
    order
        .into_iter()
        .filter(|&position| listed.insert(keys.of(&sample.trials[position].params)))
        .take(RANKED)
        .map(|position| {
            let (trial, value) = (sample.trials[position], sample.values[position]);
            let scores = ladder.row_scores(study, trial.number);
            let scored = scores.and_then(|scores| scores.estimate(value, options));
            RankedTrial {
                number: trial.number,
                value: scored.unwrap_or_else(|| metric_estimate(value, ladder, options)),
                size: trial.record.size,
                params: trial.params.clone(),
            }
        })
        .collect()
}
