//! Whether the effect of a parameter differs between budgets.

use allometry_core::ParamValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::design::{Design, Term};
use crate::stats::distribution;
use crate::stats::least_squares::Fit;
use crate::stats::one_way::OneWay;

/// Most values of a parameter for the test.
const MOST_VALUES: usize = 30;

/// Test of the interaction of budget and value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interaction {
    /// Mean square of the interaction over that within cells.
    pub f: f64,
    /// Degrees of freedom of the interaction.
    pub freedom: u64,
    /// Degrees of freedom within cells.
    pub residual_freedom: u64,
    /// P-value of F for equal effects of the parameter in all budgets; it is not adjusted for other
    /// parameters.
    pub p: f64,
    /// P-value after Holm's adjustment over the parameters that are compared.
    #[serde(default)]
    pub p_holm: Option<f64>,
}

/// Tests whether a parameter has one effect in all budgets, each given by its distinct evaluations: the
/// parameter's value and the metric. Values that only one budget tried are left out.
pub(crate) fn interaction(budgets: &[Vec<(ParamValue, f64)>]) -> Option<Interaction> {
    let mut distinct: Vec<&ParamValue> = budgets.iter().flatten().map(|(value, _)| value).collect();
    distinct.sort_by(|a, b| a.total_cmp(b));
    distinct.dedup();
    let place = |value: &ParamValue| distinct.binary_search_by(|other| other.total_cmp(value)).ok();
    // The budgets that tried each value, and the number of pairs of budget and value.
    let (mut tried, mut pairs) = (vec![Vec::new(); distinct.len()], 0);
    for (budget, evaluations) in budgets.iter().enumerate() {
        for at in evaluations.iter().filter_map(|(value, _)| place(value)) {
            if tried[at].last() != Some(&budget) {
                tried[at].push(budget);
                pairs += 1;
            }
        }
    }
    if pairs > MOST_VALUES * budgets.len() {
        return None;
    }
    let mut codes = vec![None; distinct.len()];
    let mut shared = 0;
    let (mut budget_codes, mut value_codes, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
    for (budget, evaluations) in budgets.iter().enumerate() {
        for (value, metric) in evaluations {
            let Some(at) = place(value).filter(|at| tried[*at].len() > 1) else { continue };
            let code = *codes[at].get_or_insert_with(|| {
                shared += 1;
                shared - 1
            });
            budget_codes.push(budget);
            value_codes.push(code);
            metrics.push(*metric);
        }
    }
    let cells: Vec<usize> =
        budget_codes.iter().zip(&value_codes).map(|(budget, value)| budget * shared + value).collect();
    let within = OneWay::new(&metrics, &cells, budgets.len() * shared);
    let terms = [
        Term::Factor { codes: budget_codes, levels: budgets.len() },
        Term::Factor { codes: value_codes, levels: shared },
    ];
    let design = Design::new(metrics.len(), &terms);
    let additive = Fit::new(&design, &metrics)?;
    let residual_freedom = metrics.len().checked_sub(within.groups).filter(|freedom| *freedom > 0)?;
    let freedom = additive.residual_freedom.checked_sub(residual_freedom).filter(|freedom| *freedom > 0)?;
    let noise = (within.total - within.between).max(0.0);
    let f = (additive.residual() - noise).max(0.0) / freedom as f64 / (noise / residual_freedom as f64);
    let p = distribution::f_upper_tail(f, freedom as f64, residual_freedom as f64)?;
    f.is_finite().then_some(Interaction {
        f,
        freedom: freedom as u64,
        residual_freedom: residual_freedom as u64,
        p,
        p_holm: None,
    })
}
