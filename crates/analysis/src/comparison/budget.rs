//! Comparison of one budget in two ladders.

use allometry_core::ModelSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::DistributionComparison;
use super::importance::ImportanceComparison;
use super::optimum::OptimumComparison;
use super::statement::Sides;
use super::value::{Preference, ValueDifference};
use super::{Side, measure_alike};
use crate::analysis::Analysis;
use crate::estimate::Estimate;
use crate::options::Options;
use crate::statement::Statement;
use crate::stats::holm;
use crate::study::StudyAnalysis;

/// A budget in one of the ladders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedBudget {
    /// Best observed value; `null` without a usable trial. The best of many trials is biased towards better
    /// values.
    pub best: Option<Estimate>,
    /// Best value, corrected for the bias of choosing the best of many on these rows; `null` without stored
    /// scores.
    pub corrected: Option<Estimate>,
    /// Exact size of the best trial's model.
    pub size: Option<ModelSize>,
    /// Number of trials that statistics use.
    pub trials: u64,
}

/// A budget that both ladders have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetComparison {
    /// Label of the budget in both ladders.
    pub budget: String,
    /// The budget in A.
    pub a: ComparedBudget,
    /// The budget in B.
    pub b: ComparedBudget,
    /// Value of B's search less the value of A's; `null` where one has no trial, or where the metrics differ.
    pub value: Option<ValueDifference>,
    /// The search that finds better models.
    pub outcome: Preference,
    /// The outcome in words, with its numbers.
    pub sentence: Statement<Option<NoValue>>,
    /// Importances of both, in A's order and then B's.
    pub importance: Vec<ImportanceComparison>,
    /// Best configurations of both, also in that order.
    pub optimum: Vec<OptimumComparison>,
    /// Comparison of the values of all trials, which compares searches rather than models. `null` unless the
    /// trials of both are available.
    pub distribution: Option<DistributionComparison>,
}

/// Why the values of a budget are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoValue {
    /// The ladders have different metrics, or different directions.
    DifferentMetrics,
    /// These sides have no complete trial that can be compared.
    NoTrial(Sides),
}

impl NoValue {
    fn of(alike: bool, (a, b): (&StudyAnalysis, &StudyAnalysis)) -> Option<Self> {
        if !alike {
            return Some(Self::DifferentMetrics);
        }
        let lacks = |study: &StudyAnalysis| study.summary.incumbent().is_none();
        Sides::of(lacks(a), lacks(b)).map(Self::NoTrial)
    }
}

impl BudgetComparison {
    /// Compares the studies at the given positions of A and B.
    pub(super) fn all(
        a: &Side<'_>,
        b: &Side<'_>,
        matched: &[(usize, usize)],
        identical: bool,
        options: &Options,
    ) -> Vec<Self> {
        let alike = measure_alike(a.analysis, b.analysis);
        let mut budgets: Vec<Self> = matched
            .iter()
            .map(|&(first, second)| {
                let studies = (&a.analysis.studies[first], &b.analysis.studies[second]);
                let value = alike
                    .then(|| ValueDifference::new((a, first), (b, second), identical, options))
                    .flatten();
                Self {
                    budget: studies.0.budget.label.clone(),
                    a: ComparedBudget::new(studies.0, a.analysis),
                    b: ComparedBudget::new(studies.1, b.analysis),
                    value,
                    outcome: Preference::Unknown,
                    sentence: Statement::Reason(NoValue::of(alike, studies)),
                    importance: ImportanceComparison::all(studies.0, studies.1),
                    optimum: OptimumComparison::all(studies.0, studies.1),
                    distribution: alike
                        .then(|| DistributionComparison::new((a, first), (b, second), options))
                        .flatten(),
                }
            })
            .collect();
        let p_values = holm::adjust_known(budgets.iter().map(|budget| budget.value.as_ref()?.p));
        let p_distributions = holm::adjust_known(budgets.iter().map(|budget| budget.distribution?.p));
        for ((budget, p_value), p_distribution) in budgets.iter_mut().zip(p_values).zip(p_distributions) {
            if let Some(value) = &mut budget.value {
                value.p_holm = p_value;
                budget.outcome = value.preference(a.analysis.direction, options);
            }
            if let Some(distribution) = &mut budget.distribution {
                distribution.p_holm = p_distribution;
            }
        }
        budgets
    }
}

impl ComparedBudget {
    fn new(study: &StudyAnalysis, analysis: &Analysis) -> Self {
        let corrected = analysis.scaling.resampled.iter().flat_map(|resampled| &resampled.corrected);
        Self {
            best: study.summary.incumbent().map(|best| best.value),
            corrected: corrected
                .filter(|corrected| corrected.budget == study.budget.label)
                .map(|corrected| corrected.best)
                .next(),
            size: study.sizes.best,
            trials: study.summary.trials,
        }
    }
}
