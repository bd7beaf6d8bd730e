//! The standard normal distribution.

pub use allometry_search::normal::{cdf, quantile, upper_tail};

/// Returns the half-width, in standard errors, of a two-sided interval with coverage `level`, in (0, 1).
pub fn half_width(level: f64) -> f64 {
    quantile(0.5 + level / 2.0)
}

/// Returns the probability that the absolute value of a standard normal variable is at least `|z|`.
pub fn two_sided_p(z: f64) -> f64 {
    2.0 * upper_tail(z.abs())
}
