//! The kernel of the Gaussian process: a Matern covariance.

/// Parameters of the kernel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel {
    /// Inverse squared length scale of each axis, followed, in a joint model of several budgets, by that of
    /// the size.
    pub(super) weights: Vec<f64>,
    /// Variance of the function around its mean.
    pub(super) signal: f64,
    /// Variance of an observed value around the function.
    pub(super) noise: f64,
    /// Share of the noise variance that is specific to a configuration: an effect that a smooth function
    /// cannot represent, but that recurs when the configuration is trained again.
    pub(super) own: f64,
}

impl Kernel {
    /// Variance of the configuration-specific effect.
    pub(super) fn own_noise(&self) -> f64 {
        self.own * self.noise
    }
}

/// Assumed share of the noise variance that is specific to a configuration. `docs/adr/0014` has the
/// measurements. Intervals of the mean do not use it.
pub(super) const OWN_SHARE: f64 = 0.4;

/// Variance of the unknown mean of the function, whose values are standardized.
pub(super) const MEAN_VARIANCE: f64 = 1.0;

/// The Matern covariance with smoothness 5/2 and variance 1 at squared distance `r2` in length scales
/// (Rasmussen & Williams 2006, equation 4.17), and the factor `5/3 (1 + sqrt5 r) exp(-sqrt5 r)`, which is -2
/// times its derivative with respect to `r2`.
pub(super) fn matern(r2: f64) -> (f64, f64) {
    let root = (5.0 * r2).sqrt();
    let decay = (-root).exp();
    ((1.0 + root + 5.0 / 3.0 * r2) * decay, 5.0 / 3.0 * (1.0 + root) * decay)
}
