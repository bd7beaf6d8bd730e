//! Whether models predict nearly the same value for all rows.

mod outputs;
mod scored;
mod setting;

use allometry_core::{ClassCounts, EarlyStop, FrozenTrial};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use scored::ScoreSummary;
pub use setting::CollapseSetting;

use crate::estimate::Estimate;
use crate::input::{LadderTrials, StudyTrials};
use crate::level::Level;
use crate::options::Options;
use crate::sample::{Sample, recorded_metric};
use crate::stats::moments::mean;

/// Range of predictions below which the classic report finds a collapse.
pub(crate) const NAIVE_RANGE: f64 = 0.2;
/// Share of trials with zero recall above which the classic report finds a collapse.
pub(crate) const NAIVE_ZERO_RECALL: f64 = 0.3;

/// Standard deviation of the predictions, relative to that of the labels, below which they are constant.
pub(crate) const CONSTANT: f64 = 0.02;

/// Kind of a trial's predictions on the validation rows, as far as its stored scores or recorded metrics show
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollapseKind {
    /// All rows get nearly the same prediction: the standard deviation is below 2% of that of the labels (for
    /// several classes, that of every class), or there are at most two distinct probabilities of a binary
    /// label.
    Constant,
    /// The Brier score is no better than the prior's although the AUC's interval lies above 0.5, and no
    /// constant shift would make it better. The predictions rank the rows correctly but need recalibration.
    Shrunken,
    /// As shrunken, but shifting every prediction so that their mean equals the prior would make the Brier
    /// score better than the prior's.
    Shifted,
    /// None of the other kinds.
    Healthy,
    /// Too little was recorded to determine the kind.
    Unknown,
}

/// Numbers of trials by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KindCounts {
    /// Trials whose predictions are nearly the same for all rows.
    pub constant: u64,
    /// Trials whose predictions need recalibration.
    pub shrunken: u64,
    /// Trials whose predictions are off by a constant.
    pub shifted: u64,
    /// Trials with none of these problems.
    pub healthy: u64,
    /// Trials that recorded too little to determine the kind.
    pub unknown: u64,
}

/// Whether the models of one budget predict nearly the same value for all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Collapse {
    /// Result of the classic report's rules.
    pub naive: NaiveCollapse,
    /// Numbers of trials by kind; trials that were stopped as collapsed count as constant.
    pub kinds: KindCounts,
    /// Share of constant models among the trials of known kind.
    pub constant_share: Option<Estimate>,
    /// Parameters associated with constant models, smallest p-value first; empty with fewer than three
    /// constant models or fewer than three others.
    #[serde(default)]
    pub settings: Vec<CollapseSetting>,
    /// Summary of the best trial's predictions; `null` without stored scores.
    #[serde(default)]
    pub best: Option<ScoreSummary>,
}

impl Collapse {
    /// Classifies each usable trial by its stored predictions or, without them, by its recorded metrics;
    /// trials that were stopped as collapsed are constant. `parameters` are names with their levels.
    pub(crate) fn new(
        study: &StudyTrials,
        sample: &Sample<'_>,
        ladder: &LadderTrials,
        parameters: &[(&str, &[Level])],
        seed_name: &str,
        options: &Options,
    ) -> Self {
        let aucs = if ladder.measures_auc() { Aucs::Values } else { Aucs::Metrics };
        let kinds: Vec<CollapseKind> = sample
            .trials
            .iter()
            .zip(&sample.values)
            .map(|(trial, &value)| {
                let auc = aucs.of(trial, value);
                let scores = study.predictions.scores(trial.number);
                scores
                    .and_then(|scores| scored::kind(&scores, auc?, ladder.series(), options))
                    .or_else(|| study.predictions.outputs(trial.number).and_then(outputs::kind))
                    .or_else(|| kind(trial, auc, ladder.rows?, options))
                    .or_else(|| recorded(trial))
                    .unwrap_or(CollapseKind::Unknown)
            })
            .collect();
        let mut counts = KindCounts::new(&kinds);
        let is_stopped = |trial: &&FrozenTrial| trial.record.early_stop == Some(EarlyStop::Collapsed);
        let stopped = study.trials.iter().filter(is_stopped).count() as u64;
        counts.constant += stopped;
        let best = sample.best().and_then(|position| {
            let trial = sample.trials[position];
            let auc = aucs.of(trial, sample.values[position])?;
            ScoreSummary::new(
                trial.number,
                &study.predictions.scores(trial.number)?,
                auc,
                ladder.series(),
                seed_name,
                options,
            )
        });
        let known = sample.values.len() as u64 + stopped - counts.unknown;
        Self {
            naive: naive(sample),
            kinds: counts,
            constant_share: Estimate::share(counts.constant, known, options),
            settings: setting::settings(&kinds, parameters, seed_name, options),
            best,
        }
    }
}

impl KindCounts {
    fn new(kinds: &[CollapseKind]) -> Self {
        let mut counts = Self::default();
        for kind in kinds {
            match kind {
                CollapseKind::Constant => counts.constant += 1,
                CollapseKind::Shrunken => counts.shrunken += 1,
                CollapseKind::Shifted => counts.shifted += 1,
                CollapseKind::Healthy => counts.healthy += 1,
                CollapseKind::Unknown => counts.unknown += 1,
            }
        }
        counts
    }
}

/// Where a trial's AUC is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aucs {
    /// The AUC is the trial's value.
    Values,
    /// The AUC is among the trial's metrics, as `auc`.
    Metrics,
}

impl Aucs {
    fn of(self, trial: &FrozenTrial, value: f64) -> Option<f64> {
        match self {
            Self::Values => Some(value),
            Self::Metrics => recorded_metric(trial, "auc"),
        }
    }
}

/// Returns the kind of one trial by its metric `constant`: 1 if its predictions are constant, else 0; over
/// folds, the share of those where they are.
fn recorded(trial: &FrozenTrial) -> Option<CollapseKind> {
    let share = recorded_metric(trial, "constant")?;
    Some(if share >= 0.5 { CollapseKind::Constant } else { CollapseKind::Healthy })
}

/// Returns the kind of one trial by its metrics `pred_sd` (or, as a bound on it, `pred_min` and `pred_max`),
/// `pred_mean` and `brier`; `None` if they are too few.
fn kind(trial: &FrozenTrial, auc: Option<f64>, rows: ClassCounts, options: &Options) -> Option<CollapseKind> {
    let metric = |name| recorded_metric(trial, name);
    let total = rows.positives as f64 + rows.negatives as f64;
    let prior = rows.positives as f64 / total;
    let label_variance = prior * (1.0 - prior);
    if label_variance.is_nan() || label_variance <= 0.0 {
        return None;
    }
    // The standard deviation of numbers in a range is at most half of the range.
    let largest_sd = || metric("pred_max").zip(metric("pred_min")).map(|(high, low)| (high - low) / 2.0);
    if metric("pred_sd").or_else(largest_sd).is_some_and(|sd| sd / label_variance.sqrt() < CONSTANT) {
        return Some(CollapseKind::Constant);
    }
    // A range alone, as above, does not tell the other kinds apart.
    metric("pred_sd")?;
    let Some(brier) = metric("brier") else { return Some(CollapseKind::Healthy) };
    let interval = auc.and_then(|auc| Estimate::auc(auc, rows, options).interval);
    if brier < label_variance || interval.is_none_or(|interval| interval.lower <= 0.5) {
        return Some(CollapseKind::Healthy);
    }
    let shift = metric("pred_mean").map_or(0.0, |mean| mean - prior);
    let is_shifted = brier - shift * shift < label_variance;
    Some(if is_shifted { CollapseKind::Shifted } else { CollapseKind::Shrunken })
}

/// Conclusion of the classic report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveOutcome {
    /// A rule was met.
    Collapsed,
    /// No rule was met.
    NotCollapsed,
    /// No metric that a rule needs was recorded; the classic report prints "No".
    Unknown,
}

/// Result of the classic report's collapse rules for the trials of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NaiveCollapse {
    /// Conclusion.
    pub outcome: NaiveOutcome,
    /// Mean of the largest predictions minus mean of the smallest, if recorded.
    pub range: Option<f64>,
    /// Mean recall at a threshold of 0.5, if recorded.
    pub recall: Option<f64>,
    /// Share of the trials with a recorded recall whose recall is 0.
    pub zero_recall: Option<f64>,
}

/// Applies the classic rules: a budget has collapsed if the mean range of predictions is below 0.2, or if
/// more than 30% of the trials have zero recall.
pub fn naive(sample: &Sample<'_>) -> NaiveCollapse {
    let values = |name: &str| sample.metric(name).into_iter().map(|(_, value)| value).collect::<Vec<f64>>();
    let recalls =
        Some(values("recall_at_half")).filter(|own| !own.is_empty()).unwrap_or_else(|| values("recall"));
    let range = mean(values("pred_max")).zip(mean(values("pred_min"))).map(|(high, low)| high - low);
    let zeros = recalls.iter().filter(|&&recall| recall == 0.0).count();
    let zero_recall = (!recalls.is_empty()).then(|| zeros as f64 / recalls.len() as f64);
    let outcome = match (range, zero_recall) {
        (None, None) => NaiveOutcome::Unknown,
        (range, zero)
            if range.is_some_and(|x| x < NAIVE_RANGE) || zero.is_some_and(|x| x > NAIVE_ZERO_RECALL) =>
        {
            NaiveOutcome::Collapsed
        }
        _ => NaiveOutcome::NotCollapsed,
    };
    NaiveCollapse { outcome, range, recall: mean(recalls), zero_recall }
}
