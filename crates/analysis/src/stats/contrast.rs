//! Tests of a rise or fall of means over ordered groups, from the groups' summaries.

use super::distribution;
use super::group::GroupSummary;

/// A linear contrast: a weighted sum of group means with expectation 0 where the means do not follow the
/// order of the groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// Least-squares slope of the means per step to the next group; all groups have equal weight.
    pub slope: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The slope in standard errors.
    pub t: f64,
    /// Degrees of freedom.
    pub freedom: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// Returns the linear contrast of the means, with a separate variance for each group and degrees of freedom
/// by Satterthwaite (1946) and Welch (1947): `L = sum c_g m_g`, `var L = sum c_g^2 s_g^2 / n_g`, `df = (var
/// L)^2 / sum (c_g^2 s_g^2 / n_g)^2 / (n_g - 1)`.
///
/// Groups are pairs (position in the order, summary). Groups of fewer than two values have no variance and
/// are left out. `None` where fewer than two groups remain or none of them varies.
pub fn welch(groups: &[(f64, GroupSummary)]) -> Option<Contrast> {
    let groups: Vec<&(f64, GroupSummary)> = groups.iter().filter(|(_, group)| group.count > 1).collect();
    let weights = weights(&groups)?;
    let parts: Vec<f64> = groups
        .iter()
        .zip(&weights)
        .map(|((_, group), weight)| weight * weight * group.mean_variance())
        .collect();
    let variance: f64 = parts.iter().sum();
    // Uses shares of the variance, because the squares of tiny variances underflow to 0.
    let inverse: f64 = groups
        .iter()
        .zip(&parts)
        .map(|((_, group), part)| (part / variance) * (part / variance) / group.freedom())
        .sum();
    contrast(&groups, &weights, variance, 1.0 / inverse)
}

/// Returns the linear contrast of the means with one variance for all groups, estimated within them: `var L =
/// MSW sum c_g^2 / n_g` on `N - k` degrees of freedom. Groups of one value count. Correct where the groups
/// have equal variance; the error is too small where a small group varies more.
pub fn pooled(groups: &[(f64, GroupSummary)]) -> Option<Contrast> {
    let groups: Vec<&(f64, GroupSummary)> = groups.iter().filter(|(_, group)| group.count > 0).collect();
    let weights = weights(&groups)?;
    let freedom: f64 = groups.iter().map(|(_, group)| group.freedom()).sum();
    let within = groups.iter().map(|(_, group)| group.freedom() * group.variance).sum::<f64>() / freedom;
    let spread: f64 =
        groups.iter().zip(&weights).map(|((_, group), weight)| weight * weight / group.count as f64).sum();
    contrast(&groups, &weights, within * spread, freedom)
}

/// Returns weights that make the contrast a slope per step.
fn weights(groups: &[&(f64, GroupSummary)]) -> Option<Vec<f64>> {
    let center = groups.iter().map(|(score, _)| score).sum::<f64>() / groups.len() as f64;
    let squares: f64 = groups.iter().map(|(score, _)| (score - center) * (score - center)).sum();
    (squares > 0.0).then(|| groups.iter().map(|(score, _)| (score - center) / squares).collect())
}

fn contrast(
    groups: &[&(f64, GroupSummary)],
    weights: &[f64],
    variance: f64,
    freedom: f64,
) -> Option<Contrast> {
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let slope: f64 = groups.iter().zip(weights).map(|((_, group), weight)| weight * group.mean).sum();
    let standard_error = variance.sqrt();
    let t = slope / standard_error;
    Some(Contrast { slope, standard_error, t, freedom, p: distribution::t_two_sided(t, freedom)? })
}
