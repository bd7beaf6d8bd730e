//! Consistency: whether budgets agree on the best value of a parameter.

mod best_value;
mod interaction;

use allometry_core::{ParamValue, Params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use best_value::BestValueSet;
pub(crate) use best_value::{best_value_sets, may_be_best};
pub use interaction::Interaction;
pub(crate) use interaction::interaction;

use crate::coverage::Step;
use crate::stats::holm;

/// A parameter's value in the best configuration of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestValue {
    /// Label of the size budget.
    pub budget: String,
    /// The value.
    pub value: ParamValue,
}

/// Whether the budgets' sets of possible best values share a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Some value may be the best in every budget.
    Compatible,
    /// No value that every budget tried may be the best in all of them.
    Inconsistent,
    /// Fewer than two budgets compare values, or they tried different ones.
    Undetermined,
}

impl Agreement {
    /// Returns the name of the agreement in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Inconsistent => "inconsistent",
            Self::Undetermined => "undetermined",
        }
    }
}

/// One parameter's best values across budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consistency {
    /// The parameter.
    pub parameter: String,
    /// Its value in the best configuration of each budget that has it.
    pub values: Vec<BestValue>,
    /// The classic report's comparison: whether these values are equal. `null` for fewer than two. That
    /// report leaves out budgets without a recorded best configuration; here the best trial takes its place.
    pub naive: Option<NaiveConsistency>,
    /// Whether one value may be the best in every budget.
    pub agreement: Agreement,
    /// Values, or ranges of values, that may be the best in every budget.
    pub common: Vec<Step>,
    /// Test whether the effect of the values differs between budgets; `null` without enough evaluations at
    /// common values.
    pub interaction: Option<Interaction>,
}

impl Consistency {
    /// Compares the best configurations, given by budget label, and the sets of possible best values of the
    /// budgets that have one.
    pub(crate) fn new(
        parameter: &str,
        best: &[(&str, &Params)],
        sets: &[&BestValueSet],
        interaction: Option<Interaction>,
    ) -> Self {
        let values: Vec<BestValue> = best
            .iter()
            .filter_map(|(budget, params)| {
                Some(BestValue { budget: (*budget).to_owned(), value: params.get(parameter)?.clone() })
            })
            .collect();
        let naive = naive(&values);
        let (agreement, common) = agreement(sets);
        Self { parameter: parameter.to_owned(), values, naive, agreement, common, interaction }
    }
}

/// Adjusts the interaction tests over the parameters of a table (Holm 1979).
pub(crate) fn adjust(compared: &mut [Consistency]) {
    let tests: Vec<&mut Interaction> =
        compared.iter_mut().filter_map(|one| one.interaction.as_mut()).collect();
    let p_values: Vec<f64> = tests.iter().map(|test| test.p).collect();
    for (test, p) in tests.into_iter().zip(holm::adjust(&p_values)) {
        test.p_holm = Some(p);
    }
}

/// Returns whether the sets of possible best values share a value, and which values they share.
pub(crate) fn agreement(sets: &[&BestValueSet]) -> (Agreement, Vec<Step>) {
    let comparing: Vec<&&BestValueSet> = sets.iter().filter(|set| set.tried.len() > 1).collect();
    let Some((first, others)) = comparing.split_first().filter(|(_, others)| !others.is_empty()) else {
        return (Agreement::Undetermined, Vec::new());
    };
    let meet = |pick: fn(&BestValueSet) -> Vec<Step>| {
        others.iter().fold(pick(first), |common, set| meets(&common, &pick(set)))
    };
    let common = meet(BestValueSet::joined_possible);
    if !common.is_empty() {
        return (Agreement::Compatible, common);
    }
    let tried = meet(BestValueSet::joined_tried);
    let all_reach = comparing.iter().all(|set| !meets(&set.joined_possible(), &tried).is_empty());
    (if all_reach { Agreement::Inconsistent } else { Agreement::Undetermined }, Vec::new())
}

/// Returns the intersection of two lists of values and ranges.
fn meets(first: &[Step], second: &[Step]) -> Vec<Step> {
    first.iter().flat_map(|a| second.iter().filter_map(move |b| meet(a, b))).collect()
}

fn meet(a: &Step, b: &Step) -> Option<Step> {
    let end = |step: &'_ Step| step.upper.clone().unwrap_or_else(|| step.value.clone());
    let low = if a.value.total_cmp(&b.value).is_ge() { &a.value } else { &b.value };
    let (end_a, end_b) = (end(a), end(b));
    let high = if end_a.total_cmp(&end_b).is_le() { end_a } else { end_b };
    let order = low.total_cmp(&high);
    order.is_le().then(|| Step { value: low.clone(), upper: order.is_lt().then_some(high) })
}

/// The classic report's comparison of best configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveConsistency {
    /// All values are equal.
    Consistent,
    /// Some values differ.
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
