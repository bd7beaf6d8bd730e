//! The standard normal distribution.

pub use allometry_search::normal::{cdf, quantile, upper_tail};

/// Half-width, in standard errors, of a two-sided interval that covers with probability `level`, in (0, 1).
pub fn half_width(level: f64) -> f64 {
    quantile(0.5 + level / 2.0)
}

/// Probability that a standard normal variable is at least `|z|` away from 0.
pub fn two_sided_p(z: f64) -> f64 {
    2.0 * upper_tail(z.abs())
}
