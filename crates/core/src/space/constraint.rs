//! Constraints on the architecture, on quantities derived from it, and on other parameters, as text.

use super::SearchSpace;
use crate::distribution::Distribution;
use crate::expression::{Condition, ExpressionError};
use crate::param::ParamValue;

/// Names that constraints can use in addition to the numeric parameters of the space: the architecture
/// parameters, the width of a head and of the feed-forward layer, the exact numbers of weights, and the
/// floating-point operations of training on one window (forward and backward).
pub const QUANTITIES: [&str; 9] = [
    "d_model",
    "n_layers",
    "n_heads",
    "d_ff_ratio",
    "head_dim",
    "d_ff",
    "weights",
    "non_embedding_weights",
    "flops",
];

/// Parses a constraint on the architecture's quantities and the numeric parameters of `space`.
///
/// # Errors
/// [`ExpressionError`] with the span of the first error.
pub fn constraint(text: &str, space: &SearchSpace) -> Result<Condition, ExpressionError> {
    let others = space.iter().filter(|(name, set)| is_quantity(name, set)).map(|(name, _)| name);
    let names: Vec<&str> = QUANTITIES.into_iter().chain(others).collect();
    Condition::parse(text, &names)
}

/// Whether constraints can use a parameter: its values are numbers, and its name is not that of another
/// quantity.
pub fn is_quantity(name: &str, set: &Distribution) -> bool {
    let is_number = |value: &ParamValue| matches!(value, ParamValue::Int(_) | ParamValue::Float(_));
    let numbers = match set {
        Distribution::Categorical { choices, .. } => choices.iter().all(is_number),
        Distribution::Int { .. } | Distribution::Float { .. } => true,
    };
    numbers && !QUANTITIES.contains(&name)
}
