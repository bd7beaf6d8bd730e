//! The covariance that distances give.

/// Parameters of the covariance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel {
    /// Inverse squared length scale of each axis, and behind them, where budgets are joined, that of the size.
    pub(super) weights: Vec<f64>,
    /// Variance of the function about its mean.
    pub(super) signal: f64,
    /// Variance of a told value about the function.
    pub(super) noise: f64,
}

/// Variance of the unknown mean of the function, whose values are standardised.
pub(super) const MEAN_VARIANCE: f64 = 1.0;

/// Matern covariance of smoothness 5/2 and variance 1 at squared distance `r2` in length scales (Rasmussen & Williams 2006,
/// equation 4.17), and the factor `5/3 (1 + sqrt5 r) exp(-sqrt5 r)`: minus twice its derivative by `r2`.
pub(super) fn matern(r2: f64) -> (f64, f64) {
    let root = (5.0 * r2).sqrt();
    let decay = (-root).exp();
    ((1.0 + root + 5.0 / 3.0 * r2) * decay, 5.0 / 3.0 * (1.0 + root) * decay)
}
