//! How much of the metric's variance goes with a parameter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::level::{Level, values_at};
use crate::stats::moments::{mean, sample_variance};

/// One parameter's importance in one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Importance {
    /// The parameter.
    pub parameter: String,
    /// The classic report's figure, see [`naive`]: no share of a whole.
    pub naive: f64,
    /// Distinct values of the parameter.
    pub values: u64,
    /// What the naive figure is expected to be where the parameter has no effect: `(values - 1) / trials`.
    pub naive_by_chance: f64,
    /// Share of the variance, corrected for chance, on bins of values where there are many; `None` where it cannot be
    /// computed. One parameter at a time: what others have to do with it is not taken out.
    pub epsilon_squared: Option<f64>,
}

impl Importance {
    /// Computes the importance of `parameter` from its exact and its binned levels.
    pub fn new(parameter: &str, values: &[f64], exact: &[Level], binned: &[Level]) -> Self {
        Self {
            parameter: parameter.to_owned(),
            naive: naive(values, exact),
            values: exact.len() as u64,
            naive_by_chance: exact.len().saturating_sub(1) as f64 / values.len().max(1) as f64,
            epsilon_squared: epsilon_squared(values, binned),
        }
    }
}

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
    between(values, levels, center) / values.len() as f64 / variance
}

/// One-way effect size corrected for chance (Kelley 1935): `(SSB - (k - 1) MSW) / SST` over the trials at any level;
/// about 0, also below it, without an effect. `None` for fewer than two levels, without repeats, or where nothing varies.
pub fn epsilon_squared(values: &[f64], levels: &[Level]) -> Option<f64> {
    let present: Vec<f64> = levels.iter().flat_map(|level| values_at(values, level)).collect();
    let (n, k) = (present.len(), levels.len());
    if k < 2 || n <= k {
        return None;
    }
    let total = sample_variance(present.iter().copied())? * (n - 1) as f64;
    if total == 0.0 {
        return None;
    }
    let between = between(values, levels, mean(present)?);
    let within_mean_square = (total - between) / (n - k) as f64;
    Some((between - (k - 1) as f64 * within_mean_square) / total)
}

fn between(values: &[f64], levels: &[Level], center: f64) -> f64 {
    let mut between = 0.0;
    for level in levels {
        let distance = mean(values_at(values, level)).map_or(0.0, |m| m - center);
        between += level.members.len() as f64 * (distance * distance);
    }
    between
}
