//! Whether budgets agree on the best value of a parameter.

use allometry_core::ParamValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A parameter's value in the best configuration of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestValue {
    /// Label of the size budget.
    pub budget: String,
    /// The value.
    pub value: ParamValue,
}

/// The classic report's comparison of best configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveConsistency {
    /// All values are equal.
    Consistent,
    /// They are not.
    Inconsistent,
}

/// Compares the values of the budgets that have one; `None` for fewer than two.
pub fn naive(values: &[BestValue]) -> Option<NaiveConsistency> {
    let (first, others) = values.split_first()?;
    if others.is_empty() {
        return None;
    }
    let equal = others.iter().all(|other| other.value == first.value);
    Some(if equal { NaiveConsistency::Consistent } else { NaiveConsistency::Inconsistent })
}
