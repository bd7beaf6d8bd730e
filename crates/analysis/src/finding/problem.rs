//! Problems with the data, each with its numbers.

use allometry_core::{ModelSize, ParamValue, TrialNumber};

use super::FindingCode;
use crate::coverage::Confounding;
use crate::edge::Edge;
use crate::size::SizeReversal;
use crate::summary::{BrokenConstraint, DataRange, FailureCount};

/// Standard errors from which a baseline is clearly ahead.
const CLEARLY_AHEAD: f64 = 2.0;

/// A problem with the data, with the numbers that its message states.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// The sizes of the best models do not rise with the budgets.
    SizesOutOfOrder {
        /// Neighbouring budgets whose sizes fall.
        reversals: Vec<SizeReversal>,
    },
    /// The validation rows are too few to distinguish the budgets.
    TooFewRows(RowsNeeded),
    /// Some budgets were searched adaptively and others not.
    SearchedDifferently {
        /// Labels of the budgets that were searched adaptively.
        adaptive: Vec<String>,
        /// Whether the trials record how they were chosen; otherwise it is inferred from their values.
        is_recorded: bool,
    },
    /// One budget has many more trials than another.
    UnequalTrials {
        /// The budget with the most trials.
        most: BudgetTrials,
        /// The budget with the fewest.
        least: BudgetTrials,
    },
    /// The searches of some budgets used trials of other budgets, the rest did not.
    UnequalKnowledge {
        /// Labels of the budgets whose search used such trials.
        budgets: Vec<String>,
    },
    /// The classes of the validation rows are not known.
    RowsUnknown,
    /// The best trials' predictions on the validation rows are not stored.
    MissingScores {
        /// Labels of the budgets whose best trial lacks them.
        budgets: Vec<String>,
    },
    /// Exact sizes of models are not known.
    MissingSizes {
        /// Budgets with models of unknown size.
        budgets: Vec<UnknownSizes>,
    },
    /// The ladder has one budget.
    SingleBudget,
    /// There are too few sizes for an exponent.
    TooFewSizes {
        /// Number of distinct sizes.
        sizes: u64,
        /// Decades that they span.
        decades: f64,
    },
    /// A model of earlier trials chose later ones.
    AdaptiveSampling {
        /// Trials that a model chose.
        modelled: u64,
        /// All trials.
        trials: u64,
    },
    /// Trials have several objectives, of which the first is analysed.
    SeveralObjectives {
        /// Number of objectives.
        objectives: usize,
        /// The metric of the first.
        metric: String,
        /// Whether the directions of the other objectives are known.
        knows_directions: bool,
    },
    /// A baseline is better than every trial.
    BehindBaseline {
        /// Name of the baseline.
        baseline: String,
        /// Value of the baseline.
        value: f64,
        /// Label of the budget with the best trial.
        budget: String,
        /// Value of that trial.
        best: f64,
        /// The metric.
        metric: String,
        /// The gap in standard errors at the assumed correlation, where that is known.
        standard_errors: Option<f64>,
    },
    /// A problem of one budget.
    OfBudget(BudgetProblem),
}

/// A problem of one budget, with the numbers that its message states.
#[derive(Debug, Clone, PartialEq)]
pub enum BudgetProblem {
    /// Many trials failed.
    FailedTrials {
        /// Trials that failed.
        failed: u64,
        /// Trials that ended.
        ended: u64,
        /// The most frequent reasons.
        reasons: Vec<FailureCount>,
    },
    /// Complete trials have no finite value.
    NonFiniteValues {
        /// Number of such trials.
        trials: u64,
    },
    /// Complete trials break a constraint.
    InfeasibleTrials {
        /// Number of infeasible trials.
        infeasible: u64,
        /// Complete trials.
        complete: u64,
        /// The constraints that were broken most often.
        broken: Vec<BrokenConstraint>,
    },
    /// No complete trial meets the constraints.
    NoFeasibleTrial,
    /// No trial completed with a value.
    NoCompleteTrial,
    /// A budget has few trials.
    FewTrials {
        /// Number of trials.
        trials: u64,
    },
    /// All usable trials, at least three, have the same value.
    EqualValues {
        /// Number of trials.
        trials: u64,
        /// Their value.
        value: f64,
    },
    /// Complete trials were trained on different amounts of data.
    MixedData(DataRange),
    /// The recorded best configuration is not that of the best trial.
    BestParamsMismatch {
        /// The best trial.
        trial: TrialNumber,
        /// Parameters that differ.
        differing: Vec<RecordedParameter>,
    },
    /// The largest architecture of the space is smaller than the budget.
    LargestBelowBudget {
        /// Its weights.
        weights: u64,
        /// Weights that the label names.
        nominal: f64,
    },
    /// The smallest architecture of the space is larger than the budget.
    SmallestAboveBudget {
        /// Its weights.
        weights: u64,
        /// Weights that the label names.
        nominal: f64,
    },
    /// The best model does not have the weights that the label names.
    NominalNotSize {
        /// Size of the best model.
        best: ModelSize,
        /// Weights that the label names.
        nominal: f64,
        /// Smallest and largest size tried.
        tried: Option<(ModelSize, ModelSize)>,
    },
    /// Best values lie at an end of their range towards which the metric improves.
    EdgeOfSpace {
        /// The values.
        edges: Vec<Edge>,
    },
    /// The best learning rate lies at an end of its range towards which the metric improves.
    LearningRateEdge {
        /// The learning rates.
        edges: Vec<Edge>,
    },
    /// Parameters were tried at one value only.
    SingleLevel {
        /// Names of the parameters.
        parameters: Vec<String>,
    },
    /// Pairs of parameters were not varied independently.
    Confounded {
        /// The pairs.
        pairs: Vec<Confounding>,
        /// Whether the weight budget links them, because all are parts of an architecture.
        is_by_design: bool,
    },
    /// Configurations were tried more than once.
    Duplicates {
        /// Trials that repeat an earlier configuration.
        repeats: u64,
        /// Of these, trials with exactly the value of the first.
        identical: u64,
        /// All usable trials.
        trials: u64,
        /// Standard deviation between trials of one configuration.
        repeat_sd: Option<f64>,
    },
    /// Models give nearly the same prediction for every row.
    CollapsedTrials {
        /// Number of such trials.
        constant: u64,
        /// Trials whose predictions are known.
        known: u64,
        /// Share of the former among the latter.
        share: f64,
    },
    /// No trial recorded anything about its predictions.
    CollapseUnknown,
    /// Most trials are best at their last epoch.
    StillImproving {
        /// Number of such trials.
        last: u64,
        /// Number of trials whose best epoch is known.
        known: u64,
    },
}

/// Number of validation rows that would distinguish the budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsNeeded {
    /// Number of rows.
    pub rows: u64,
    /// Number of positive rows.
    pub positives: u64,
    /// Number of eras of walk-forward folds that the rows belong to; `None` without folds.
    pub eras: Option<u64>,
    /// Share of the variance of the slope that is due to the rows.
    pub share: f64,
    /// The difference found, at least 0.
    pub difference: f64,
    /// The metric.
    pub metric: String,
    /// Label of the budget that is better.
    pub better: String,
    /// Label of the budget that is worse.
    pub worse: String,
    /// Number of rows, or of eras as long as these, at which a test finds a true difference of that size with
    /// probability `power`.
    pub needed: f64,
    /// Power of the test.
    pub power: f64,
}

/// The number of trials of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetTrials {
    /// Label of the budget.
    pub budget: String,
    /// Its trials.
    pub trials: u64,
}

/// The number of trials of a budget whose models have an unknown size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSizes {
    /// Label of the budget.
    pub budget: String,
    /// Trials whose model has an unknown size.
    pub unknown: u64,
    /// All usable trials.
    pub trials: u64,
}

/// A parameter of a recorded best configuration beside that of the best trial.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedParameter {
    /// Name of the parameter.
    pub parameter: String,
    /// The recorded value.
    pub recorded: ParamValue,
    /// The value of the best trial.
    pub of_trial: ParamValue,
}

impl Problem {
    /// Whether a baseline is ahead by two standard errors of the difference or more.
    pub fn is_clearly_behind_baseline(&self) -> bool {
        matches!(self, Self::BehindBaseline { standard_errors: Some(errors), .. } if *errors >= CLEARLY_AHEAD)
    }

    /// Returns the code of the finding.
    pub fn code(&self) -> FindingCode {
        match self {
            Self::SizesOutOfOrder { .. } => FindingCode::SizesOutOfOrder,
            Self::TooFewRows(_) => FindingCode::TooFewRows,
            Self::SearchedDifferently { .. } => FindingCode::SearchedDifferently,
            Self::UnequalTrials { .. } | Self::UnequalKnowledge { .. } => FindingCode::UnequalEffort,
            Self::RowsUnknown => FindingCode::RowsUnknown,
            Self::MissingScores { .. } => FindingCode::MissingScores,
            Self::MissingSizes { .. } => FindingCode::MissingSizes,
            Self::SingleBudget => FindingCode::SingleBudget,
            Self::TooFewSizes { .. } => FindingCode::TooFewSizes,
            Self::AdaptiveSampling { .. } => FindingCode::AdaptiveSampling,
            Self::SeveralObjectives { .. } => FindingCode::SeveralObjectives,
            Self::BehindBaseline { .. } => FindingCode::BehindBaseline,
            Self::OfBudget(problem) => problem.code(),
        }
    }
}

impl BudgetProblem {
    fn code(&self) -> FindingCode {
        match self {
            Self::FailedTrials { .. } => FindingCode::FailedTrials,
            Self::NonFiniteValues { .. } => FindingCode::NonFiniteValues,
            Self::InfeasibleTrials { .. } => FindingCode::InfeasibleTrials,
            Self::NoFeasibleTrial | Self::NoCompleteTrial => FindingCode::NoTrials,
            Self::FewTrials { .. } => FindingCode::FewTrials,
            Self::EqualValues { .. } => FindingCode::EqualValues,
            Self::MixedData(_) => FindingCode::MixedData,
            Self::BestParamsMismatch { .. } => FindingCode::BestParamsMismatch,
            Self::LargestBelowBudget { .. } | Self::SmallestAboveBudget { .. } => {
                FindingCode::BudgetOutOfReach
            }
            Self::NominalNotSize { .. } => FindingCode::NominalNotSize,
            Self::EdgeOfSpace { .. } => FindingCode::EdgeOfSpace,
            Self::LearningRateEdge { .. } => FindingCode::LearningRateEdge,
            Self::SingleLevel { .. } => FindingCode::SingleLevel,
            Self::Confounded { .. } => FindingCode::ConfoundedParameters,
            Self::Duplicates { .. } => FindingCode::Duplicates,
            Self::CollapsedTrials { .. } => FindingCode::CollapsedTrials,
            Self::CollapseUnknown => FindingCode::CollapseUnknown,
            Self::StillImproving { .. } => FindingCode::StillImproving,
        }
    }
}
