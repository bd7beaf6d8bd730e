//! The quantities of architectures that constraints use, and the effects of constraints.

use allometry_core::space::QUANTITIES;
use allometry_core::{Condition, ModelSize};

use super::axis::Axis;

/// Default of `d_ff_ratio` where the space does not have it.
const D_FF_RATIO: f64 = 4.0;

/// Properties of an architecture that are known before training.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// Exact size.
    pub size: Option<ModelSize>,
    /// Floating-point operations of training on one window, forward and backward.
    pub flops: Option<f64>,
}

/// The place of a numeric parameter that constraints can use by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numeric {
    /// Index among the architecture parameters.
    Architecture(usize),
    /// Index among the other parameters.
    Other(usize),
}

/// Computes the values of the names in constraints that an architecture determines.
pub(super) struct Quantities {
    /// Index and level values of each of the first four quantities, where the space has it.
    axes: [Option<(usize, Vec<f64>)>; 4],
    /// Index and level values of each numeric parameter that is one of the architecture, in the order of the
    /// space.
    numeric: Vec<Option<(usize, Vec<f64>)>>,
}

impl Quantities {
    pub(super) fn new(axes: &[Axis], numeric: &[Numeric]) -> Self {
        let levels = |place: usize| {
            let levels = axes[place].levels.iter().map(|level| level.as_f64().unwrap_or(f64::NAN));
            (place, levels.collect::<Vec<f64>>())
        };
        let find = |name: &str| axes.iter().position(|axis| axis.name == name).map(levels);
        let numeric = numeric.iter().map(|numeric| match *numeric {
            Numeric::Architecture(place) => Some(levels(place)),
            Numeric::Other(_) => None,
        });
        Self {
            axes: [find(QUANTITIES[0]), find(QUANTITIES[1]), find(QUANTITIES[2]), find(QUANTITIES[3])],
            numeric: numeric.collect(),
        }
    }

    /// Writes the values of [`QUANTITIES`] and of the numeric parameters; NaN where unknown.
    pub(super) fn write(&self, digits: &[usize], measured: Measured, values: &mut Vec<f64>) {
        let axis = |i: usize| self.axes[i].as_ref().map(|(place, levels)| levels[digits[*place]]);
        let value = |i: usize| axis(i).unwrap_or(f64::NAN);
        let (d_model, n_heads, ratio) = (value(0), value(2), axis(3).unwrap_or(D_FF_RATIO));
        let weights = |count: fn(ModelSize) -> u64| measured.size.map_or(f64::NAN, |size| count(size) as f64);
        values.clear();
        values.extend([
            d_model,
            value(1),
            n_heads,
            ratio,
            d_model / n_heads,
            d_model * ratio,
            weights(|size| size.total),
            weights(|size| size.non_embedding),
            measured.flops.unwrap_or(f64::NAN),
        ]);
        let level = |(place, levels): &(usize, Vec<f64>)| levels[digits[*place]];
        values.extend(self.numeric.iter().map(|numeric| numeric.as_ref().map_or(f64::NAN, level)));
    }
}

/// The effect of a constraint in a budget without feasible architectures.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame {
    /// Constraint as text.
    pub constraint: String,
    /// Number of architectures of any size for which the constraint holds.
    pub holds: u64,
    /// Number of architectures that the budget would admit without the constraint.
    pub without: u64,
}

/// Counts the effects of constraints.
#[derive(Debug)]
pub(super) struct Blames(Vec<Blame>);

impl Blames {
    pub(super) fn new(constraints: &[Condition]) -> Self {
        let blame =
            |constraint: &Condition| Blame { constraint: constraint.to_string(), holds: 0, without: 0 };
        Self(constraints.iter().map(blame).collect())
    }

    /// Counts an architecture with matching heads, given which constraints hold and whether its size is
    /// admitted.
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
