//! Where values were told.

use super::kernel::MEAN_VARIANCE;
use crate::sampler::lattice::{Cell, Lattice, Scale};

/// A configuration by its positions on the axes of a lattice, in the study's own budget or in another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// One per axis; NaN where the configuration lacks the parameter.
    pub(super) positions: Vec<f64>,
    /// 0 for the study's own budget, from 1 for others.
    pub(super) budget: usize,
    /// Size of the budget's models in decimal logarithms of trainable weights above the study's own.
    pub(super) decades: f64,
}

impl Point {
    /// In the study's own budget.
    pub(super) fn own(lattice: &Lattice, cell: &Cell) -> Self {
        Self { positions: lattice.positions(cell), budget: 0, decades: 0.0 }
    }
}

/// Covariance that two points have through the unknown means of their budgets, which are independent: values are standardised in each budget by
/// itself, from trials that need not be equally good.
pub(super) fn mean_covariance(a: usize, b: usize) -> f64 {
    if a == b { MEAN_VARIANCE } else { 0.0 }
}

/// Squared difference along one axis. A parameter that only one of two configurations has sets them a full range apart.
pub(super) fn squared_difference(scale: Scale, a: f64, b: f64) -> f64 {
    if a == b || (a.is_nan() && b.is_nan()) {
        return 0.0;
    }
    if scale == Scale::Nominal || a.is_nan() || b.is_nan() {
        return 1.0;
    }
    (a - b) * (a - b)
}
