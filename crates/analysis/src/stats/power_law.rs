//! Saturating power laws.

/// Range of the exponents that are searched.
pub const EXPONENTS: (f64, f64) = (0.01, 3.0);
/// Number of exponents in the first search of the range.
const GRID: usize = 40;

/// A saturating power law, `value = limit - amplitude * size^-exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// Value that a model of infinite size approaches.
    pub limit: f64,
    /// Distance from `limit` at `size` 1, in units of the geometric mean of the sizes.
    pub amplitude: f64,
    /// Exponent at which the distance from `limit` shrinks with the size.
    pub exponent: f64,
    /// Residual sum of squares.
    pub residual: f64,
}

/// Fits a saturating power law by variable projection (Golub & Pereyra 1973): a search over [`EXPONENTS`]
/// finds the exponent, and least squares give the limit and the amplitude. Sizes are divided by their
/// geometric mean. `None` for fewer than three distinct sizes, or sizes that are not positive.
pub fn fit(sizes: &[f64], values: &[f64], weights: &[f64]) -> Option<PowerLaw> {
    if sizes.iter().any(|size| size.is_nan() || *size <= 0.0) {
        return None;
    }
    let mut distinct: Vec<f64> =
        sizes.iter().zip(weights).filter(|(_, weight)| **weight > 0.0).map(|(size, _)| *size).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 3 {
        return None;
    }
    let total: f64 = weights.iter().sum();
    let logs: Vec<f64> = sizes.iter().map(|size| size.ln()).collect();
    let center = logs.iter().zip(weights).map(|(log, weight)| log * weight).sum::<f64>() / total;
    let logs: Vec<f64> = logs.iter().map(|log| log - center).collect();
    let project = |exponent: f64| project(&logs, values, weights, total, exponent);
    let (low, high) = (EXPONENTS.0.ln(), EXPONENTS.1.ln());
    let at = |step: usize| (low + (high - low) * step as f64 / GRID as f64).exp();
    let best = (0..=GRID).min_by(|&a, &b| project(at(a)).residual.total_cmp(&project(at(b)).residual))?;
    // Golden-section search between the neighbours of the best exponent on the grid.
    let (mut left, mut right) = (at(best.saturating_sub(1)).ln(), at((best + 1).min(GRID)).ln());
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    while right - left > 1e-8 {
        let (a, b) = (right - ratio * (right - left), left + ratio * (right - left));
        if project(a.exp()).residual <= project(b.exp()).residual { right = b } else { left = a }
    }
    Some(project(f64::midpoint(left, right).exp()))
}

fn project(logs: &[f64], values: &[f64], weights: &[f64], total: f64, exponent: f64) -> PowerLaw {
    let basis = |log: f64| (-exponent * log).exp();
    let (mut mean_x, mut mean_y) = (0.0, 0.0);
    for ((&log, value), weight) in logs.iter().zip(values).zip(weights) {
        mean_x += weight * basis(log) / total;
        mean_y += weight * value / total;
    }
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for ((&log, value), weight) in logs.iter().zip(values).zip(weights) {
        let (x, y) = (basis(log) - mean_x, value - mean_y);
        xx += weight * x * x;
        xy += weight * x * y;
        yy += weight * y * y;
    }
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    PowerLaw {
        limit: mean_y - slope * mean_x,
        amplitude: -slope,
        exponent,
        residual: (yy - slope * xy).max(0.0),
    }
}
