//! The standard normal distribution.

use statrs::distribution::{ContinuousCDF, Normal};

/// Value below which a standard normal variable falls with probability `p`, in (0, 1).
pub fn quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// Half-width, in standard errors, of a two-sided interval that covers with probability `level`, in (0, 1).
pub fn half_width(level: f64) -> f64 {
    quantile(0.5 + level / 2.0)
}

/// Probability that a standard normal variable is at least `|z|` away from 0.
pub fn two_sided_p(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

/// Probability that a standard normal variable is at most `z`.
pub fn cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// Probability that a standard normal variable is above `z`.
pub fn upper_tail(z: f64) -> f64 {
    Normal::standard().sf(z)
}
