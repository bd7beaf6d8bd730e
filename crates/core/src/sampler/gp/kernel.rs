//! Distances and the covariance that they give.

use crate::sampler::lattice::Scale;

/// Parameters of the covariance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel {
    /// Inverse squared length scale of each axis.
    pub(super) weights: Vec<f64>,
    /// Variance of the function about its mean.
    pub(super) signal: f64,
    /// Variance of a told value about the function.
    pub(super) noise: f64,
}

/// Variance of the unknown mean of the function, whose values are standardised.
pub(super) const MEAN_VARIANCE: f64 = 1.0;

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

/// Matern covariance of smoothness 5/2 and variance 1 at squared distance `r2` in length scales (Rasmussen & Williams 2006,
/// equation 4.17), and the factor `5/3 (1 + sqrt5 r) exp(-sqrt5 r)`: minus twice its derivative by `r2`.
pub(super) fn matern(r2: f64) -> (f64, f64) {
    let root = (5.0 * r2).sqrt();
    let decay = (-root).exp();
    ((1.0 + root + 5.0 / 3.0 * r2) * decay, 5.0 / 3.0 * (1.0 + root) * decay)
}
