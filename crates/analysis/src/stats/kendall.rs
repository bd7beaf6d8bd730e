//! Rank correlation.

use super::normal;
use super::rank::tie_sizes;

/// Kendall's rank correlation with its test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kendall {
    /// Tau-b, in [-1, 1]: pairs in the same order less pairs in opposite order, corrected for ties (Kendall
    /// 1945).
    pub tau_b: f64,
    /// Pairs in the same order less pairs in opposite order, in units of the standard deviation of this
    /// difference without association, with the correction for ties.
    pub z: f64,
    /// Two-sided p-value of `z`.
    pub p: f64,
}

/// Returns the rank correlation of pairs (`x[i]`, `y[i]`). `None` for fewer than two pairs, or where `x` or
/// `y` does not vary.
///
/// Counts pairs in `O(n log n)` by merging (Knight 1966). The p-value uses the normal approximation with the
/// tie-corrected variance of Kendall (1970, eq. 4.4).
pub fn kendall(x: &[f64], y: &[f64]) -> Option<Kendall> {
    let n = x.len().min(y.len());
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(y[a].total_cmp(&y[b])));
    let pairs = |count: usize| count as f64 * (count as f64 - 1.0) / 2.0;
    let total = pairs(n);
    let (ties_x, ties_y) = (tie_sizes(&x[..n]), tie_sizes(&y[..n]));
    let (tied_x, tied_y): (f64, f64) =
        (ties_x.iter().map(|&t| pairs(t)).sum(), ties_y.iter().map(|&t| pairs(t)).sum());
    let tied_both: f64 =
        order.chunk_by(|&a, &b| x[a] == x[b] && y[a] == y[b]).map(|group| pairs(group.len())).sum();
    if n < 2 || tied_x >= total || tied_y >= total {
        return None;
    }
    let mut sorted: Vec<f64> = order.iter().map(|&position| y[position]).collect();
    let discordant = inversions(&mut sorted);
    let score = total - tied_x - tied_y + tied_both - 2.0 * discordant;
    let n = n as f64;
    let sum = |ties: &[usize], term: fn(f64) -> f64| ties.iter().map(|&t| term(t as f64)).sum::<f64>();
    let cubic = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let twice = |t: f64| t * (t - 1.0);
    let thrice = |t: f64| t * (t - 1.0) * (t - 2.0);
    let mut variance = (cubic(n) - sum(&ties_x, cubic) - sum(&ties_y, cubic)) / 18.0
        + sum(&ties_x, twice) * sum(&ties_y, twice) / (2.0 * n * (n - 1.0));
    if n > 2.0 {
        variance += sum(&ties_x, thrice) * sum(&ties_y, thrice) / (9.0 * n * (n - 1.0) * (n - 2.0));
    }
    let z = score / variance.sqrt();
    z.is_finite().then(|| Kendall {
        tau_b: score / ((total - tied_x) * (total - tied_y)).sqrt(),
        z,
        p: normal::two_sided_p(z),
    })
}

/// Returns the number of pairs out of ascending order; sorts `values`.
fn inversions(values: &mut [f64]) -> f64 {
    let mut buffer = values.to_vec();
    let mut count = 0.0;
    let mut width = 1;
    while width < values.len() {
        for start in (0..values.len()).step_by(2 * width) {
            let middle = (start + width).min(values.len());
            let end = (start + 2 * width).min(values.len());
            let (mut left, mut right) = (start, middle);
            for slot in &mut buffer[start..end] {
                if left < middle && (right >= end || values[left] <= values[right]) {
                    *slot = values[left];
                    left += 1;
                } else {
                    *slot = values[right];
                    right += 1;
                    count += (middle - left) as f64;
                }
            }
        }
        values.copy_from_slice(&buffer);
        width *= 2;
    }
    count
}
