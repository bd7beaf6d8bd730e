//! What is analysed: the trials of a ladder, wherever they were read from.

use std::collections::BTreeMap;

use allometry_core::{
    CarriedOver, ClassCounts, Direction, FrozenTrial, Metrics, Params, Retraining, SamplerKind, SearchSpace,
    Shared, SizeBudget, SizeReach, StopReason, TrialNumber,
};

use crate::predictions::StudyPredictions;
use crate::row_scores::{Predicted, RowScores};
use crate::stats::influence::RowMetric;

pub use crate::metric_name::is_auc;
pub use crate::series::{RowOrder, Series};

/// The trials of one size budget.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyTrials {
    /// What the study's models were meant to weigh.
    pub budget: SizeBudget,
    /// Where the trials were read from, for people.
    pub source: String,
    /// All trials in order of their numbers, whatever their state. Exact sizes stand in their records.
    pub trials: Shared<Vec<FrozenTrial>>,
    /// The best configuration as recorded beside the trials, in its file's order; the incumbent's for our own
    /// studies.
    pub best_params: Option<Params>,
    /// What could have been tried, where known.
    pub space: Option<SearchSpace>,
    /// Sizes that the space reaches, where they could be computed.
    pub reach: Option<SizeReach>,
    /// What the trials predict on the validation rows, where stored.
    pub predictions: StudyPredictions,
    /// Why the last run of the study ended, where stored.
    pub ended: Option<StopReason>,
    /// What picks its configurations, where stored.
    pub sampler: Option<SamplerKind>,
    /// What that took over from the ladder's other budgets.
    pub carried_over: Option<CarriedOver>,
    /// What the trials' first constraints are called, such as `latency_ms <= 20`, in their order; empty where
    /// nothing says so.
    pub limits: Vec<String>,
}

impl StudyTrials {
    /// Trials of a budget that is a name, of which nothing else is known.
    pub fn new(label: &str, source: &str, trials: Vec<FrozenTrial>) -> Self {
        Self {
            budget: SizeBudget::nominal(label),
            source: source.to_owned(),
            trials: trials.into(),
            best_params: None,
            space: None,
            reach: None,
            predictions: StudyPredictions::default(),
            ended: None,
            sampler: None,
            carried_over: None,
            limits: Vec::new(),
        }
    }
}

/// A simple model scored on the same validation rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Short name, such as `logistic regression`.
    pub name: String,
    /// What it was fitted on.
    pub description: String,
    /// Its value of the ladder's metric.
    pub value: f64,
    /// Its other metrics by name.
    pub metrics: BTreeMap<String, f64>,
}

/// What a budget trained anew.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrainedTrials {
    /// Label of the budget that trained.
    pub budget: String,
    /// What it was to train.
    pub plan: Vec<Retraining>,
    /// The trials.
    pub trials: Vec<FrozenTrial>,
    /// What they predict on the rows that they are judged by, where stored.
    pub predictions: StudyPredictions,
}

/// The studies of a ladder, from the smallest budget to the largest.
#[derive(Debug, Clone, PartialEq)]
pub struct LadderTrials {
    /// The ladder's name, where it has one.
    pub name: Option<String>,
    /// Names the data set or feature tier in titles.
    pub tag: Option<String>,
    /// The objectives. The first one has the name of the metric in reports, such as `AUC`; those after it are
    /// missing where it is not known which of their values are better.
    pub metrics: Metrics,
    /// One per size budget, in the order given.
    pub studies: Vec<StudyTrials>,
    /// Classes of the validation rows that every trial was scored on, where known.
    pub rows: Option<ClassCounts>,
    /// How many rows ahead a row's label looks, at least 1. The errors over rows remember at least as many
    /// rows.
    pub horizon: u64,
    /// What orders the stored predictions in time.
    pub row_order: RowOrder,
    /// Smallest difference of the metric that is of interest, where the ladder file names one.
    pub smallest_effect: Option<f64>,
    /// Simple models scored on the same rows.
    pub baselines: Vec<Baseline>,
    /// What budgets trained to see whether settings carry over.
    pub transfers: Vec<RetrainedTrials>,
    /// What they trained anew, judged by rows that nothing was chosen by.
    pub confirmations: Vec<RetrainedTrials>,
    /// Whether `allometry confirm` can train its configurations: trials that another program made have no
    /// ladder file.
    pub can_confirm: bool,
}

impl LadderTrials {
    /// Studies of an AUC to be maximised, of which nothing else is known.
    pub fn new(studies: Vec<StudyTrials>) -> Self {
        Self {
            name: None,
            tag: None,
            metrics: Metrics::one("AUC", Direction::Maximize),
            studies,
            rows: None,
            horizon: 1,
            row_order: RowOrder::default(),
            smallest_effect: None,
            baselines: Vec::new(),
            transfers: Vec::new(),
            confirmations: Vec::new(),
            can_confirm: false,
        }
    }

    /// Name of the first objective as it is written in reports.
    pub fn metric(&self) -> &str {
        &self.metrics.first().name
    }

    /// Which values of the first objective are better.
    pub fn direction(&self) -> Direction {
        self.metrics.first().direction
    }

    /// What a trial predicts of the validation rows, where stored and of use for the ladder's metric.
    pub(crate) fn row_scores<'s>(&self, study: &'s StudyTrials, trial: TrialNumber) -> Option<RowScores<'s>> {
        self.useful(&study.predictions, trial)
    }

    /// Those of a trial's predictions that are of use for the ladder's metric.
    pub(crate) fn useful<'s>(
        &self,
        predictions: &'s StudyPredictions,
        trial: TrialNumber,
    ) -> Option<RowScores<'s>> {
        let binary = predictions.scores(trial).filter(|_| self.measures_auc()).map(Predicted::Binary);
        let other = || Some(Predicted::Other(predictions.outputs(trial)?, RowMetric::named(self.metric())?));
        let predicted = binary.or_else(other)?;
        Some(RowScores { predicted, series: self.series() })
    }

    /// How the predictions of every trial follow each other.
    pub fn series(&self) -> Series {
        Series { horizon: self.horizon, order: self.row_order }
    }

    /// Whether the metric is the area under the ROC curve, whose standard error follows from the class
    /// counts.
    pub fn measures_auc(&self) -> bool {
        is_auc(self.metric())
    }
}
