//! Monotone regression.

/// Direction of a monotone fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monotone {
    /// Never falls.
    Increasing,
    /// Never rises.
    Decreasing,
}

/// Returns the monotone sequence with the smallest weighted sum of squares from `values`, by pooling adjacent
/// violators (Ayer et al. 1955). Weights are positive, one per value.
pub fn isotonic(values: &[f64], weights: &[f64], monotone: Monotone) -> Vec<f64> {
    let sign = match monotone {
        Monotone::Increasing => 1.0,
        Monotone::Decreasing => -1.0,
    };
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(values.len());
    for (&value, &weight) in values.iter().zip(weights) {
        let (mut mean, mut total, mut count) = (sign * value, weight, 1);
        while let Some(&(before, before_weight, before_count)) = blocks.last() {
            if before <= mean {
                break;
            }
            mean = (before * before_weight + mean * total) / (before_weight + total);
            total += before_weight;
            count += before_count;
            blocks.pop();
        }
        blocks.push((mean, total, count));
    }
    blocks.into_iter().flat_map(|(mean, _, count)| std::iter::repeat_n(sign * mean, count)).collect()
}

/// Returns the weighted sum of squares between values and a fit.
pub fn distance(values: &[f64], weights: &[f64], fit: &[f64]) -> f64 {
    values
        .iter()
        .zip(weights)
        .zip(fit)
        .map(|((value, weight), fit)| weight * (value - fit) * (value - fit))
        .sum()
}
