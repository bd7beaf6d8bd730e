//! The best learning rates, in words.

use allometry_analysis::Estimate;
use allometry_analysis::learning_rate::{BUDGETS_FOR_RATES, BestRate, LearningRates, PARTS_FOR_RATES};
use allometry_core::ParamValue;

use crate::number::{listed, short};

/// Returns the best learning rate of each budget with its interval, and its exponents over weights
/// and training rows.
pub fn learning_rates(found: &LearningRates) -> String {
    let (known, unknown): (Vec<&BestRate>, Vec<&BestRate>) =
        found.budgets.iter().partition(|one| one.is_known());
    let rates: Vec<String> = known.into_iter().map(rate).collect();
    let labels: Vec<&str> = unknown.iter().map(|one| one.budget.as_str()).collect();
    let unknown = if labels.is_empty() {
        String::new()
    } else {
        format!("not determined by the trials of {}", listed(&labels))
    };
    let parts: Vec<String> = rates.into_iter().chain(Some(unknown).filter(|one| !one.is_empty())).collect();
    let exponent = match &found.exponent {
        Some(exponent) => exponent_sentence(
            "weights",
            exponent,
            "published values are -0.71 (Step Law, Li et al. 2025) and 0 (muP, Yang et al. 2022)",
        ),
        None if found.budgets.len() < 2 => String::new(),
        None => format!(
            " Its exponent over the weights is not identified: that needs {BUDGETS_FOR_RATES} sizes whose \
             intervals end inside the range."
        ),
    };
    let has_parts = found.budgets.iter().any(|one| one.rows.is_some());
    let over_rows = match &found.rows_exponent {
        Some(exponent) => exponent_sentence(
            "training rows",
            exponent,
            "the Step Law has +0.31 for rows that are never repeated",
        ),
        None if has_parts => format!(
            " Its exponent over the training rows is not identified: that needs {PARTS_FOR_RATES} parts of \
             them whose intervals end inside the range."
        ),
        None => String::new(),
    };
    format!("Best {} by the model of the search: {}.{exponent}{over_rows}", found.parameter, parts.join("; "))
}

fn rate(one: &BestRate) -> String {
    let number = |x: f64| short(&ParamValue::Float(x));
    let level = one.rate.level * 100.0;
    let ends = one.rate.interval.map_or_else(String::new, |ends| {
        format!(" ({level:.0}% interval {} to {})", number(ends.lower), number(ends.upper))
    });
    let open = if one.is_inside() { "" } else { ", which reaches an end of the range" };
    format!("{} {}{ends}{open}", one.budget, number(one.rate.point))
}

fn exponent_sentence(axis: &str, exponent: &Estimate, published: &str) -> String {
    let ends = exponent.interval.map_or_else(String::new, |ends| {
        format!(" ({:.0}% interval {:+.2} to {:+.2})", exponent.level * 100.0, ends.lower, ends.upper)
    });
    format!(" Its exponent over the {axis} is {:+.2}{ends}; {published}.", exponent.point)
}
