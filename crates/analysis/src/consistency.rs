//! Whether budgets agree on the best value of a parameter.

use allometry_core::{ParamValue, Params};
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

/// One parameter's best values across budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consistency {
    /// The parameter.
    pub parameter: String,
    /// Its value in the best configuration of each budget that has it.
    pub values: Vec<BestValue>,
    /// The classic report's comparison: whether they are equal. `null` for fewer than two. That report leaves out budgets
    /// whose best configuration was not recorded; here the best trial's stands in for it.
    pub naive: Option<NaiveConsistency>,
}

impl Consistency {
    /// Compares the best configurations, given by budget label.
    pub fn new(parameter: &str, best: &[(&str, &Params)]) -> Self {
        let values: Vec<BestValue> = best
            .iter()
            .filter_map(|(budget, params)| {
                Some(BestValue { budget: (*budget).to_owned(), value: params.get(parameter)?.clone() })
            })
            .collect();
        let naive = naive(&values);
        Self { parameter: parameter.to_owned(), values, naive }
    }
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
