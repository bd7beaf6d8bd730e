//! The best learning rates, in words.

use allometry_analysis::Estimate;
use allometry_analysis::learning_rate::{BUDGETS_FOR_RATES, BestRate, LearningRates, PARTS_FOR_RATES};
use allometry_core::ParamValue;

use crate::number::{UNKNOWN, short};

/// Returns the heading and the rows of a table of the best learning rates.
pub fn learning_rate_table(found: &LearningRates) -> ([String; 3], Vec<Vec<String>>) {
    let level = found.budgets.first().map_or(95.0, |one| one.rate.level * 100.0);
    let header = ["Budget".into(), format!("Best {}", found.parameter), format!("{level:.0}% interval")];
    let number = |x: f64| short(&ParamValue::Float(x));
    let row = |one: &BestRate| {
        if !one.is_known() {
            return vec![one.budget.clone(), UNKNOWN.into(), "not determined by its trials".into()];
        }
        let ends = one.rate.interval.map_or_else(
            || UNKNOWN.to_owned(),
            |ends| format!("{} to {}", number(ends.lower), number(ends.upper)),
        );
        let end = if one.is_inside() { "" } else { ", an end of the range" };
        vec![one.budget.clone(), number(one.rate.point), format!("{ends}{end}")]
    };
    (header, found.budgets.iter().map(row).collect())
}

/// Returns how the best learning rate changes with weights and training rows.
pub fn learning_rates(found: &LearningRates) -> String {
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
    format!(
        "The best {} is that of a Gaussian process fitted to the trials.{exponent}{over_rows}",
        found.parameter
    )
}

fn exponent_sentence(axis: &str, exponent: &Estimate, published: &str) -> String {
    let ends = exponent.interval.map_or_else(String::new, |ends| {
        format!(" ({:.0}% interval {:+.2} to {:+.2})", exponent.level * 100.0, ends.lower, ends.upper)
    });
    format!(" Its exponent over the {axis} is {:+.2}{ends}; {published}.", exponent.point)
}
