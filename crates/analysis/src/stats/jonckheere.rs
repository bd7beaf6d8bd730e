//! Test of ordered groups.

use super::normal;
use super::rank::{mid_ranks, tie_sizes};

/// Result of Jonckheere and Terpstra's test of ordered groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JonckheereTerpstra {
    /// Number of pairs of trials from different groups in which the later group's value is larger; ties count
    /// half.
    pub statistic: f64,
    /// Expectation of the statistic under no order.
    pub mean: f64,
    /// Variance of the statistic under no order, with the correction for ties.
    pub variance: f64,
    /// Difference of the statistic from its expectation, in standard deviations.
    pub z: f64,
    /// Two-sided p-value of `z`.
    pub p: f64,
}

/// Tests whether values rise or fall over groups in the order given (Terpstra 1952, Jonckheere 1954; variance
/// with ties: Hollander, Wolfe & Chicken 2014, eq. 6.19), by the normal approximation. `None` for fewer than
/// two groups with values, or where all values are equal.
pub fn jonckheere_terpstra(groups: &[&[f64]]) -> Option<JonckheereTerpstra> {
    let sizes: Vec<f64> = groups.iter().map(|group| group.len() as f64).filter(|size| *size > 0.0).collect();
    let all: Vec<f64> = groups.iter().flat_map(|group| group.iter().copied()).collect();
    let n = all.len() as f64;
    // Mann-Whitney's count of each group against all groups before it, from ranks in their union.
    let mut statistic = 0.0;
    let mut before: Vec<f64> = Vec::with_capacity(all.len());
    for group in groups.iter().filter(|group| !group.is_empty()) {
        let start = before.len();
        before.extend_from_slice(group);
        let count = group.len() as f64;
        let ranks: f64 = mid_ranks(&before)[start..].iter().sum();
        statistic += ranks - count * (count + 1.0) / 2.0;
    }
    let ties: Vec<f64> = tie_sizes(&all).into_iter().map(|size| size as f64).collect();
    let sum = |sizes: &[f64], term: fn(f64) -> f64| sizes.iter().map(|&size| term(size)).sum::<f64>();
    let mean = (n * n - sum(&sizes, |m| m * m)) / 4.0;
    let cubic = |m: f64| m * (m - 1.0) * (2.0 * m + 5.0);
    let twice = |m: f64| m * (m - 1.0);
    let thrice = |m: f64| m * (m - 1.0) * (m - 2.0);
    let mut variance = (cubic(n) - sum(&sizes, cubic) - sum(&ties, cubic)) / 72.0;
    if n > 1.0 {
        variance += sum(&sizes, twice) * sum(&ties, twice) / (8.0 * n * (n - 1.0));
    }
    if n > 2.0 {
        variance += sum(&sizes, thrice) * sum(&ties, thrice) / (36.0 * n * (n - 1.0) * (n - 2.0));
    }
    if sizes.len() < 2 || variance.is_nan() || variance <= 1e-9 {
        return None;
    }
    let z = (statistic - mean) / variance.sqrt();
    Some(JonckheereTerpstra { statistic, mean, variance, z, p: normal::two_sided_p(z) })
}
