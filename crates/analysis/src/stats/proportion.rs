//! Intervals of proportions.

use super::normal;

/// Returns Wilson's (1927) score interval of the proportion of `successes` in `count`, at a two-sided
/// `level`: lower and upper end in [0, 1]. `None` for a count of 0.
pub fn wilson(successes: u64, count: u64, level: f64) -> Option<(f64, f64)> {
    if count == 0 {
        return None;
    }
    let (n, z) = (count as f64, normal::half_width(level));
    let share = successes as f64 / n;
    let scale = 1.0 + z * z / n;
    let center = (share + z * z / (2.0 * n)) / scale;
    let half = z / scale * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // Without successes (or failures) an end is exactly 0 (or 1); the formula would miss it by a rounding
    // error.
    let lower = if successes == 0 { 0.0 } else { center - half };
    let upper = if successes == count { 1.0 } else { center + half };
    Some((lower, upper))
}
