//! Summaries of groups of values.

use super::moments::{mean, sample_variance};

/// Count, mean and variance of a group of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupSummary {
    /// Number of values.
    pub count: u64,
    /// Mean of the values.
    pub mean: f64,
    /// Sample variance of the values (divisor `n - 1`); 0 for one value.
    pub variance: f64,
}

impl GroupSummary {
    /// Summarises values; `None` without values.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            count: values.len() as u64,
            mean: mean(values.iter().copied())?,
            variance: sample_variance(values.iter().copied())?,
        })
    }

    /// Returns the squared standard error of the mean.
    pub(crate) fn mean_variance(&self) -> f64 {
        self.variance / self.count as f64
    }

    /// Returns the degrees of freedom of the variance.
    pub(crate) fn freedom(&self) -> f64 {
        self.count.saturating_sub(1) as f64
    }
}
