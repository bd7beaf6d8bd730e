//! Numbers of trials and best trials of a study.

use std::collections::HashSet;

use allometry_core::{
    CarriedOver, FrozenTrial, Handover, ModelSize, Params, Standing, StopReason, TrainingCost, TrialNumber,
    TrialState,
};
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

/// Number of best configurations in a summary.
const RANKED: usize = 5;
/// Ratio of distinct training rows from which trials have different data.
const UNEQUAL_ROWS: f64 = 1.1;
/// Ratio of rows used, each time counted, from which trials have different data: trials that stop early use
/// fewer of the same rows.
const UNEQUAL_USE: f64 = 4.0;
/// Most distinct reasons of failures that are counted.
const MOST_REASONS: usize = 20;

/// Numbers of trials by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateCounts {
    /// Enqueued trials.
    pub waiting: u64,
    /// Trials being evaluated, or left by a process that ended.
    pub running: u64,
    /// Trials that ended with a value.
    pub complete: u64,
    /// Trials that were stopped early.
    pub pruned: u64,
    /// Trials that ended without a value, except the interrupted ones.
    pub failed: u64,
    /// Trials that were interrupted, and are evaluated again as other trials.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interrupted: u64,
    /// Complete trials without a usable value; no statistic uses them.
    pub complete_without_number: u64,
    /// Complete trials that break a constraint; no statistic uses them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub infeasible: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Number of complete trials that break one constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenConstraint {
    /// The limit behind the constraint, or the constraint's name.
    pub name: String,
    /// Number of trials.
    pub trials: u64,
}

/// Number of trials that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureCount {
    /// The reason, with the last line that the program printed, if any.
    pub reason: String,
    /// Number of trials.
    pub trials: u64,
}

/// One of the best trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankedTrial {
    /// The trial's number.
    pub number: TrialNumber,
    /// The trial's value.
    pub value: Estimate,
    /// Exact size of its model, if known.
    pub size: Option<ModelSize>,
    /// What its training used, as far as known.
    #[serde(default)]
    pub cost: TrainingCost,
    /// Where its model is, if the trial says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The trial's configuration.
    pub params: Params,
}

/// Trials whose best epoch is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BestEpochs {
    /// Number of complete trials that recorded their epochs and the best one.
    pub known: u64,
    /// Number of those whose best epoch is the last one.
    pub last: u64,
}

impl BestEpochs {
    fn new(study: &StudyTrials) -> Option<Self> {
        let last = |trial: &FrozenTrial| {
            let (last, _) = trial.intermediate.last_key_value()?;
            Some(trial.record.best_step? == *last && trial.intermediate.len() > 1)
        };
        let complete = study.trials.iter().filter(|trial| trial.state == TrialState::Complete);
        let found: Vec<bool> = complete.filter_map(last).collect();
        let count = found.iter().filter(|is_last| **is_last).count() as u64;
        (!found.is_empty()).then_some(Self { known: found.len() as u64, last: count })
    }
}

/// Different amounts of data on which the trials of a study were trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataRange {
    /// Whether the amounts count distinct rows or tokens, each once, or each time that one was used.
    pub is_distinct: bool,
    /// The smallest amount.
    pub smallest: u64,
    /// The largest amount.
    pub largest: u64,
}

impl DataRange {
    /// Returns the amounts of the trials; `None` where they differ little or are not recorded.
    fn new(sample: &Sample<'_>) -> Option<Self> {
        let costs: Vec<TrainingCost> = sample.trials.iter().map(|trial| trial.cost()).collect();
        let range = |is_distinct, of: &dyn Fn(&TrainingCost) -> Option<u64>| {
            let smallest = costs.iter().filter_map(of).min()?;
            let largest = costs.iter().filter_map(of).max()?;
            Some(Self { is_distinct, smallest, largest })
        };
        let (found, factor) = match range(true, &|cost| cost.train_rows) {
            Some(found) => (found, UNEQUAL_ROWS),
            None => (range(false, &|cost| cost.tokens)?, UNEQUAL_USE),
        };
        (found.largest as f64 > factor * found.smallest as f64).then_some(found)
    }
}

/// Results of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Numbers of trials by state.
    pub counts: StateCounts,
    /// Number of trials that enter the statistics: complete ones with a finite value that meet all
    /// constraints.
    pub trials: u64,
    /// Mean of their values.
    pub mean: Option<f64>,
    /// Sample standard deviation of their values; 0 for a single trial.
    pub sd: Option<f64>,
    /// Best trial of each of the best distinct configurations, best first and earlier first among equals; at
    /// most five.
    pub best: Vec<RankedTrial>,
    /// Best configuration as recorded beside the trials, in the order of its file.
    pub recorded_best_params: Option<Params>,
    /// Why the last run ended; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<StopReason>,
    /// Handover from the sampler to another one, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// Trials that the sampler took over from the ladder's other budgets, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_over: Option<CarriedOver>,
    /// Reasons why trials failed, most frequent first; empty if no trial gives one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureCount>,
    /// Constraints that complete trials break, most frequent first; empty if all are met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<BrokenConstraint>,
    /// Trials whose best epoch is the last one; absent if none recorded its epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epochs: Option<BestEpochs>,
    /// Amounts of training data of the trials in the statistics; absent where they differ little or are not
    /// recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataRange>,
    /// Savings from stopping trials early; absent if none was stopped.
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
            best_epochs: BestEpochs::new(study),
            data: DataRange::new(sample),
            pruning: Pruning::new(&study.trials),
        }
    }

    /// Returns the incumbent.
    pub fn incumbent(&self) -> Option<&RankedTrial> {
        self.best.first()
    }
}

/// Returns the constraints that complete trials break, most frequent first.
fn broken(study: &StudyTrials) -> Vec<BrokenConstraint> {
    let infeasible = study.trials.iter().filter(|trial| trial.is_infeasible());
    let names = infeasible.flat_map(|trial| trial.constraints().broken().collect::<Vec<_>>()).map(|name| {
        let limit = name.parse().ok().and_then(|place: usize| study.limits.get(place).cloned());
        limit.unwrap_or(name)
    });
    tally(names).into_iter().map(|(name, trials)| BrokenConstraint { name, trials }).collect()
}

/// Returns the reasons of failed trials, most frequent first.
fn failures(study: &StudyTrials) -> Vec<FailureCount> {
    let failed = study.trials.iter().filter(|trial| trial.standing() == Standing::Of(TrialState::Failed));
    let reasons = failed.filter_map(|trial| Some(trial.record.failure.as_ref()?.to_string()));
    tally(reasons).into_iter().map(|(reason, trials)| FailureCount { reason, trials }).collect()
}

/// Counts how often each text occurs, most frequent first; counts the first [`MOST_REASONS`] distinct texts
/// only.
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

/// Returns a value of the ladder's metric with its error from the class counts.
pub fn metric_estimate(value: f64, ladder: &LadderTrials, options: &Options) -> Estimate {
    match ladder.independent_rows() {
        Some(rows) => Estimate::auc(value, rows, options),
        None => Estimate::observed(value, options),
    }
}

fn count_states(study: &StudyTrials, sample: &Sample<'_>) -> StateCounts {
    let mut counts = StateCounts::default();
    for trial in &study.trials {
        let count = match trial.standing() {
            Standing::Of(TrialState::Waiting) => &mut counts.waiting,
            Standing::Of(TrialState::Running) => &mut counts.running,
            Standing::Of(TrialState::Complete) => &mut counts.complete,
            Standing::Of(TrialState::Pruned) => &mut counts.pruned,
            Standing::Of(TrialState::Failed) => &mut counts.failed,
            Standing::Interrupted => &mut counts.interrupted,
        };
        *count += 1;
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
                cost: trial.cost(),
                checkpoint: trial.checkpoint(),
                params: trial.params.clone(),
            }
        })
        .collect()
}
