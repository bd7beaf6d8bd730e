//! How much of the metric's variance goes with a parameter.

use crate::level::{Level, values_at};
use crate::stats::moments::{mean, sample_variance};

/// The classic report's importance: `sum_g n_g (m_g - m)^2 / N` over the sample variance, levels `g` of one parameter.
///
/// `N`, `m` and the variance are those of all `values`, also where some trials lack the parameter. No share of a whole:
/// the figures of several parameters do not add up to 1, and without any effect one of `k` levels expects
/// `(k - 1) / N`. 0 where nothing varies.
pub fn naive(values: &[f64], levels: &[Level]) -> f64 {
    let (Some(center), Some(variance)) =
        (mean(values.iter().copied()), sample_variance(values.iter().copied()))
    else {
        return 0.0;
    };
    if variance == 0.0 {
        return 0.0;
    }
    let mut between = 0.0;
    for level in levels {
        let distance = mean(values_at(values, level)).map_or(0.0, |m| m - center);
        between += level.members.len() as f64 * (distance * distance);
    }
    between / values.len() as f64 / variance
}
