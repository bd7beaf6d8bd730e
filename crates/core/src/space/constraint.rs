//! Constraints over the architecture, what follows from it, and the other parameters.

use super::SearchSpace;
use super::axis::{Axis, is_quantity};
use crate::expression::{Condition, ExpressionError};
use crate::size::ModelSize;

/// What constraints may speak of beside the numeric parameters of the space: the architecture's parameters, the width of a head and of the feed-forward layer, exact
/// weights, and the floating-point operations of training on one window, forward and backward.
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

/// Value of `d_ff_ratio` where the space does not have it.
const D_FF_RATIO: f64 = 4.0;

/// What is known of an architecture before it is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// Its exact size.
    pub size: Option<ModelSize>,
    /// Floating-point operations of training on one window, forward and backward.
    pub flops: Option<f64>,
}

/// Reads a constraint over the architecture's quantities and the numeric parameters of `space`.
///
/// # Errors
/// [`ExpressionError`] with the place of the first mistake.
pub fn constraint(text: &str, space: &SearchSpace) -> Result<Condition, ExpressionError> {
    let others = space.iter().filter(|(name, set)| is_quantity(name, set)).map(|(name, _)| name);
    let names: Vec<&str> = QUANTITIES.into_iter().chain(others).collect();
    Condition::parse(text, &names)
}

/// Looks up an architecture's quantities.
pub(super) struct Quantities {
    /// For each of the first four quantities its parameter and the values of its levels.
    axes: [Option<(usize, Vec<f64>)>; 4],
}

impl Quantities {
    pub(super) fn new(axes: &[Axis]) -> Self {
        let find = |name: &str| {
            let place = axes.iter().position(|axis| axis.name == name)?;
            let levels = axes[place].levels.iter().map(|level| level.as_f64().unwrap_or(f64::NAN));
            Some((place, levels.collect()))
        };
        Self { axes: [find(QUANTITIES[0]), find(QUANTITIES[1]), find(QUANTITIES[2]), find(QUANTITIES[3])] }
    }

    /// The value of each of [`QUANTITIES`]; NaN where it is not known.
    pub(super) fn of(&self, digits: &[usize], measured: Measured) -> [f64; 9] {
        let axis = |i: usize| self.axes[i].as_ref().map(|(place, levels)| levels[digits[*place]]);
        let value = |i: usize| axis(i).unwrap_or(f64::NAN);
        let (d_model, n_heads, ratio) = (value(0), value(2), axis(3).unwrap_or(D_FF_RATIO));
        let weights = |count: fn(ModelSize) -> u64| measured.size.map_or(f64::NAN, |size| count(size) as f64);
        [
            d_model,
            value(1),
            n_heads,
            ratio,
            d_model / n_heads,
            d_model * ratio,
            weights(|size| size.total),
            weights(|size| size.non_embedding),
            measured.flops.unwrap_or(f64::NAN),
        ]
    }
}

/// What a constraint costs a budget that is left without an architecture.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame {
    /// The constraint as it was written.
    pub constraint: String,
    /// Architectures of the space, whatever their size, that it holds for.
    pub holds: u64,
    /// Architectures that the budget would admit without it.
    pub without: u64,
}

/// Counts what each constraint costs.
#[derive(Debug)]
pub(super) struct Blames(Vec<Blame>);

impl Blames {
    pub(super) fn new(constraints: &[Condition]) -> Self {
        let blame =
            |constraint: &Condition| Blame { constraint: constraint.to_string(), holds: 0, without: 0 };
        Self(constraints.iter().map(blame).collect())
    }

    /// Takes an architecture that the heads fit: which constraints hold for it, and whether its size is admitted.
    pub(super) fn take(&mut self, holds: &[bool], admitted: bool) {
        let violated = holds.iter().filter(|holds| !**holds).count();
        for (blame, holds) in self.0.iter_mut().zip(holds) {
            blame.holds += u64::from(*holds);
            blame.without += u64::from(admitted && !*holds && violated == 1);
        }
    }

    pub(super) fn finish(self) -> Vec<Blame> {
        self.0
    }
}
