//! What more weights buy.

use allometry_core::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The classic report's scaling verdict on three budgets: a comparison of maxima by eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveScaling {
    /// The third is best and the first worst.
    Holds,
    /// The second is best and the third worst.
    Violated,
    /// Any other order.
    Partial,
}

/// The classic verdict on the best values in the order given; `None` unless there are exactly three.
pub fn naive(best: &[f64], direction: Direction) -> Option<NaiveScaling> {
    let &[small, medium, large] = best else { return None };
    let better = |a, b| direction.better(a, b);
    Some(if better(large, medium) && better(medium, small) {
        NaiveScaling::Holds
    } else if better(medium, small) && better(small, large) {
        NaiveScaling::Violated
    } else {
        NaiveScaling::Partial
    })
}
