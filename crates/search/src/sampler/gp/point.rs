//! The points of a Gaussian process.

use super::kernel::MEAN_VARIANCE;
use crate::sampler::lattice::{Cell, Lattice, Scale};

/// A configuration as positions on the axes of a lattice, with its budget.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// Position on each axis; NaN where the configuration lacks the parameter.
    pub(super) positions: Vec<f64>,
    /// 0 for the study's own budget, from 1 for other budgets.
    pub(super) budget: usize,
    /// Decimal logarithm of the ratio of the budget's weights to those of the study's own budget.
    pub(super) decades: f64,
}

impl Point {
    /// A point in the study's own budget.
    pub(super) fn own(lattice: &Lattice, cell: &Cell) -> Self {
        Self { positions: lattice.positions(cell), budget: 0, decades: 0.0 }
    }
}

/// The covariance of two points through the unknown means of their budgets. The means are independent,
/// because values are standardized in each budget separately, from trials that need not be equally good.
pub(super) fn mean_covariance(a: usize, b: usize) -> f64 {
    if a == b { MEAN_VARIANCE } else { 0.0 }
}

/// The squared difference along one axis. Where only one of two configurations has the parameter, the
/// difference is the full range.
pub(super) fn squared_difference(scale: Scale, a: f64, b: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    if scale == Scale::Nominal || a.is_nan() || b.is_nan() {
        return 1.0;
    }
    (a - b) * (a - b)
}
