//! Input of an analysis: the trials of a ladder from any source.

use std::collections::BTreeMap;
use std::path::Path;

use allometry_core::{
    CarriedOver, ClassCounts, Direction, FrozenTrial, Metrics, Params, Retraining, SamplerKind, SearchSpace,
    Shared, SizeBudget, SizeReach, StopReason, TrialNumber,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::eras::Eras;
use crate::estimate::{Estimate, Interval};
use crate::looks::Looks;
use crate::panel::Panel;
use crate::predictions::StudyPredictions;
use crate::row_scores::{Predicted, RowScores};
use crate::stats::influence::RowMetric;

pub use crate::metric_name::is_auc;
pub use crate::series::{RowOrder, Series};

/// The trials of one size budget.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyTrials {
    /// Target size of the study's models.
    pub budget: SizeBudget,
    /// Human-readable name of the trials' source.
    pub source: String,
    /// All trials in order of their numbers, in any state. Their records hold the exact sizes.
    pub trials: Shared<Vec<FrozenTrial>>,
    /// Best configuration as recorded beside the trials, in the order of its file; for Allometry's own
    /// studies, the configuration of the incumbent.
    pub best_params: Option<Params>,
    /// Search space, if known.
    pub space: Option<SearchSpace>,
    /// Range of sizes that the space can reach, if it could be computed.
    pub reach: Option<SizeReach>,
    /// Stored predictions of the trials on the validation rows.
    pub predictions: StudyPredictions,
    /// Why the last run of the study ended, if stored.
    pub ended: Option<StopReason>,
    /// Sampler of the study, if stored.
    pub sampler: Option<SamplerKind>,
    /// Trials that the sampler took over from the ladder's other budgets.
    pub carried_over: Option<CarriedOver>,
    /// Descriptions of the trials' first constraints, such as `latency_ms <= 20`, in the order of the
    /// constraints; empty if none are stored.
    pub limits: Vec<String>,
}

impl StudyTrials {
    /// Makes a study of trials for a budget of which only the name is known.
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

/// What trains the trials of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Training {
    /// The built-in model.
    Model,
    /// The program of `[command]`.
    Program,
}

/// A simple model scored on the validation rows of the ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Short name, such as `logistic regression`.
    pub name: String,
    /// Data that it was fitted on.
    pub description: String,
    /// Its value of the ladder's metric.
    pub value: f64,
    /// Its other metrics by name.
    pub metrics: BTreeMap<String, f64>,
}

/// Trainings of chosen configurations at one budget under new seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrainedTrials {
    /// Label of the budget.
    pub budget: String,
    /// Trainings that were planned.
    pub plan: Vec<Retraining>,
    /// Trials that were run.
    pub trials: Vec<FrozenTrial>,
    /// Stored predictions of the trials on the rows that score them.
    pub predictions: StudyPredictions,
}

/// The studies of a ladder, from the smallest budget to the largest.
#[derive(Debug, Clone, PartialEq)]
pub struct LadderTrials {
    /// The ladder's name; `None` if it has none.
    pub name: Option<String>,
    /// Name of the data set or feature tier in titles.
    pub tag: Option<String>,
    /// The objectives. The first one has the metric's name in reports, such as `AUC`. Later ones are missing
    /// if their direction is unknown.
    pub metrics: Metrics,
    /// Studies of the size budgets, in the order given.
    pub studies: Vec<StudyTrials>,
    /// Studies of the same budgets whose trials were trained on parts of the training rows, in any order.
    pub parts: Vec<StudyTrials>,
    /// Numbers by class of the validation rows that every trial was scored on, if known.
    pub rows: Option<ClassCounts>,
    /// Number of rows that a row's label looks ahead, at least 1. Errors over rows allow for dependence over
    /// at least this many rows.
    pub horizon: u64,
    /// Time order of the stored predictions.
    pub row_order: RowOrder,
    /// Series and time of each scored row; `None` for rows of one series.
    pub panel: Option<Panel>,
    /// Eras of walk-forward folds; `None` where each trial is one training.
    pub eras: Option<Eras>,
    /// Smallest difference of the metric that is of interest; `None` if the ladder file names none.
    pub smallest_effect: Option<f64>,
    /// Simple models scored on the ladder's validation rows.
    pub baselines: Vec<Baseline>,
    /// Trainings that test whether settings carry over between budgets.
    pub transfers: Vec<RetrainedTrials>,
    /// Retrained configurations, scored on test rows that played no part in any choice.
    pub confirmations: Vec<RetrainedTrials>,
    /// The planned look that the retrained configurations are for; `None` if no plan chose their number.
    pub looks: Option<Looks>,
    /// Whether `allometry confirm` can retrain the configurations. It cannot if the trials come from another
    /// program, because they have no ladder file.
    pub can_confirm: bool,
    /// What `allometry train` repeats a trial with; `None` if it cannot, because the trials come from another
    /// program.
    pub training: Option<Training>,
    /// Name of the ladder file for commands; `None` if it is `ladder.toml`, and if there is none.
    pub file: Option<String>,
}

impl LadderTrials {
    /// Makes a ladder of studies that maximise an AUC, with nothing else known.
    pub fn new(studies: Vec<StudyTrials>) -> Self {
        Self {
            name: None,
            tag: None,
            metrics: Metrics::one("AUC", Direction::Maximize),
            studies,
            parts: Vec::new(),
            rows: None,
            horizon: 1,
            row_order: RowOrder::default(),
            panel: None,
            eras: None,
            smallest_effect: None,
            baselines: Vec::new(),
            transfers: Vec::new(),
            confirmations: Vec::new(),
            looks: None,
            can_confirm: false,
            training: None,
            file: None,
        }
    }

    /// Returns the ladder with the name of its file, as a command in the file's folder needs it.
    #[must_use]
    pub fn of_file(self, path: &Path) -> Self {
        let is_default = path.is_dir() || path.ends_with("ladder.toml");
        let name = path.file_name().filter(|_| !is_default);
        Self { file: name.map(|name| name.to_string_lossy().into_owned()), ..self }
    }

    /// Returns the name of the first objective as written in reports.
    pub fn metric(&self) -> &str {
        &self.metrics.first().name
    }

    /// Returns the direction of the first objective.
    pub fn direction(&self) -> Direction {
        self.metrics.first().direction
    }

    /// Returns the predictions of a trial on the validation rows, if they are stored and can be used for the
    /// metric.
    pub(crate) fn row_scores<'s>(
        &'s self,
        study: &'s StudyTrials,
        trial: TrialNumber,
    ) -> Option<RowScores<'s>> {
        self.useful(&study.predictions, trial)
    }

    /// Returns those predictions of a trial that can be used for the ladder's metric.
    pub(crate) fn useful<'s>(
        &'s self,
        predictions: &'s StudyPredictions,
        trial: TrialNumber,
    ) -> Option<RowScores<'s>> {
        let binary = predictions.scores(trial).filter(|_| self.measures_auc()).map(Predicted::Binary);
        let other = || Some(Predicted::Other(predictions.outputs(trial)?, RowMetric::named(self.metric())?));
        let predicted = binary.or_else(other)?;
        Some(RowScores { predicted, series: self.series() })
    }

    /// Returns how the stored predictions of every trial follow each other in time.
    pub fn series(&self) -> Series<'_> {
        Series {
            horizon: self.horizon,
            order: self.row_order,
            panel: self.panel.as_ref(),
            eras: self.eras.as_ref(),
        }
    }

    /// Returns the class counts of the validation rows from which the error of an AUC follows as if rows were
    /// independent; `None` for rows of several series or eras, which are not.
    pub(crate) fn independent_rows(&self) -> Option<ClassCounts> {
        self.rows.filter(|_| self.measures_auc() && self.panel.is_none() && self.eras.is_none())
    }

    /// Cuts the interval of a value of the metric to the numbers that the metric can be.
    pub(crate) fn within_range(&self, value: Estimate) -> Estimate {
        let cut = |interval: Interval| if self.measures_auc() { interval.of_auc() } else { interval };
        Estimate { interval: value.interval.map(cut), ..value }
    }

    /// Whether the metric is the area under the ROC curve, whose standard error follows from the class
    /// counts.
    pub fn measures_auc(&self) -> bool {
        is_auc(self.metric())
    }
}
