//! Tests of two groups.

use super::group::GroupSummary;
use super::rank::{mid_ranks, tie_sizes};
use super::{distribution, normal};

/// Result of Welch's test of two means with unequal variances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// Mean of the first less mean of the second, in standard errors.
    pub t: f64,
    /// Degrees of freedom (Satterthwaite 1946).
    pub freedom: f64,
    /// Probability of a larger `t` if the means were equal.
    pub p_greater: f64,
}

/// Welch's (1947) test that the first mean is larger. `None` for fewer than two values in a group. Where
/// neither group varies, `t` is infinite or 0, and `p_greater` is 0, 1/2 or 1.
pub fn welch(first: &[f64], second: &[f64]) -> Option<Welch> {
    welch_of_summaries(&GroupSummary::of(first)?, &GroupSummary::of(second)?)
}

/// Computes [`welch`] from the groups' summaries.
pub fn welch_of_summaries(first: &GroupSummary, second: &GroupSummary) -> Option<Welch> {
    if first.count < 2 || second.count < 2 {
        return None;
    }
    let gap = first.mean - second.mean;
    let (a, b) = (first.mean_variance(), second.mean_variance());
    if a + b <= 0.0 {
        let t = if gap == 0.0 { 0.0 } else { gap.signum() * f64::INFINITY };
        let p_greater = if gap > 0.0 {
            0.0
        } else if gap < 0.0 {
            1.0
        } else {
            0.5
        };
        return Some(Welch { t, freedom: first.freedom() + second.freedom(), p_greater });
    }
    let t = gap / (a + b).sqrt();
    // Uses shares of the variance, because the squares of tiny variances underflow to 0.
    let (share_a, share_b) = (a / (a + b), b / (a + b));
    let freedom = 1.0 / (share_a * share_a / first.freedom() + share_b * share_b / second.freedom());
    Some(Welch { t, freedom, p_greater: distribution::t_upper_tail(t, freedom)? })
}

/// Result of Mann and Whitney's test of two groups by ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Number of pairs in which the first group's value is larger; ties count half.
    pub u: f64,
    /// Two-sided p-value by the normal approximation, with corrections for ties and continuity.
    pub p: f64,
}

/// Mann and Whitney's (1947) test of two groups. `None` for an empty group or where all values are equal.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<MannWhitney> {
    let all: Vec<f64> = first.iter().chain(second).copied().collect();
    let (a, b, n) = (first.len() as f64, second.len() as f64, all.len() as f64);
    let u = mid_ranks(&all)[..first.len()].iter().sum::<f64>() - a * (a + 1.0) / 2.0;
    let ties: f64 = tie_sizes(&all).into_iter().map(|t| (t as f64).powi(3) - t as f64).sum();
    let variance = a * b / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let z = ((u - a * b / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    Some(MannWhitney { u, p: normal::two_sided_p(z) })
}
