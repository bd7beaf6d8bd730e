//! Check of the sizes of the best models.

use allometry_core::{ModelSize, ParamValue, Params, SizeBudget};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Knowledge;
use super::conclusion::{Conclusion, Standing};
use super::reason::{Claim, LintReason, SizeReason};
use super::stated::{StatedReport, value_of};
use crate::options::Options;

/// The size of a budget's best model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeLint {
    /// The budget.
    pub budget: String,
    /// The report's line.
    pub line: u64,
    /// Number of weights in the label.
    pub nominal: Option<f64>,
    /// Exact size of the best model.
    pub exact: Option<ModelSize>,
    /// Number of weights of its blocks, without biases and norms: `n_layers (4 + 2 d_ff_ratio) d_model^2`.
    pub blocks: Option<u64>,
    /// Exact size at the largest width and depth in the tables, with the best model's other parameters.
    pub largest_tried: Option<ModelSize>,
}

/// A budget with its name in the part about all budgets and its best configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Budget {
    pub(super) line: u64,
    pub(super) label: String,
    pub(super) best: Option<f64>,
    pub(super) params: Params,
    /// Position of the part about this budget.
    pub(super) study: Option<usize>,
}

/// Returns the budgets of the report: the rows of the table, or without a table the parts about each.
pub(super) fn budgets(report: &StatedReport) -> Vec<Budget> {
    let params = |pairs: &mut dyn Iterator<Item = (&str, &str)>| -> Params {
        pairs.map(|(name, value)| (name, value_of(value))).collect()
    };
    if report.best_results.is_empty() {
        let studies = report.studies.iter().enumerate();
        return studies
            .map(|(position, study)| Budget {
                line: study.line,
                label: study.label.clone(),
                best: study.best_value().map(|best| best.value),
                params: params(
                    &mut study.best_params.iter().map(|p| (p.value.0.as_str(), p.value.1.as_str())),
                ),
                study: Some(position),
            })
            .collect();
    }
    let rows = report.best_results.iter().enumerate();
    rows.map(|(position, row)| {
        let beside = report.studies.get(position).filter(|study| study.label == row.label).map(|_| position);
        let study = beside.or_else(|| report.studies.iter().position(|study| study.label == row.label));
        let mut all =
            params(&mut row.params.iter().filter_map(|(name, cell)| Some((name.as_str(), cell.as_deref()?))));
        for stated in study.into_iter().flat_map(|position| &report.studies[position].best_params) {
            if all.get(&stated.value.0).is_none() {
                all.insert(stated.value.0.clone(), value_of(&stated.value.1));
            }
        }
        Budget {
            line: row.line,
            label: row.label.clone(),
            best: row.best.map(|best| best.value),
            params: all,
            study,
        }
    })
    .collect()
}

impl SizeLint {
    pub(super) fn new(report: &StatedReport, budget: &Budget, knowledge: &Knowledge<'_>) -> Self {
        let size = |params: &Params| knowledge.size.and_then(|size| size(params));
        let exact = size(&budget.params);
        let label = SizeBudget::nominal(&budget.label);
        Self {
            budget: budget.label.clone(),
            line: budget.line,
            nominal: label.nominal_weights(),
            exact,
            blocks: block_weights(&budget.params),
            largest_tried: exact.and_then(|_| size(&largest(report, budget)?)),
        }
    }

    /// Judges whether the best model has the size in the label; `None` where the label names no size.
    pub(super) fn conclusion(&self, options: &Options) -> Option<Conclusion> {
        let nominal = self.nominal?;
        let within = |weights: f64| (weights - nominal).abs() <= options.size_tolerance * nominal;
        let (standing, reason) = match (self.exact, self.blocks) {
            (Some(exact), _) if within(exact.total as f64) => {
                (Standing::Stands, SizeReason::Exact(exact.total))
            }
            (Some(exact), _) => (Standing::DoesNotStand, SizeReason::Exact(exact.total)),
            (None, Some(blocks)) if blocks as f64 > (1.0 + options.size_tolerance) * nominal => {
                (Standing::DoesNotStand, SizeReason::BlocksAlone(blocks))
            }
            (None, Some(blocks)) => (Standing::CannotBeTold, SizeReason::Blocks(blocks)),
            (None, None) => (Standing::CannotBeTold, SizeReason::Unknown),
        };
        let why = (standing, LintReason::Size(reason));
        Some(Conclusion::new(self.line, Claim::Size { nominal }, why).of(&self.budget))
    }
}

fn block_weights(params: &Params) -> Option<u64> {
    let number = |name: &str| {
        let value = params.get(name).and_then(ParamValue::as_i64)?;
        u64::try_from(value).ok().filter(|value| *value > 0)
    };
    let (width, depth, ratio) = (number("d_model")?, number("n_layers")?, number("d_ff_ratio")?);
    let each = ratio.checked_mul(2)?.checked_add(4)?.checked_mul(width.checked_mul(width)?)?;
    each.checked_mul(depth)
}

fn largest(report: &StatedReport, budget: &Budget) -> Option<Params> {
    let study = report.studies.get(budget.study?)?;
    let mut params = budget.params.clone();
    for name in ["d_model", "n_layers"] {
        let values = study.trend(name)?.levels.iter().map(|level| &level.value);
        let largest = values.filter(|value| value.as_i64().is_some()).max_by(|a, b| a.total_cmp(b))?;
        params.insert(name, largest.clone());
    }
    Some(params)
}
