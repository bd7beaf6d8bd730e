//! Scaling of features by statistics of the training part.

use std::ops::Range;

/// Subtracts from every feature its mean over the rows of `fitted` and divides by its standard deviation over
/// them (population form, in `f64`). Returns both.
///
/// A feature that is constant over those rows is only centred.
pub(super) fn standardise(values: &mut [f32], features: usize, fitted: &[Range<usize>]) -> Vec<(f64, f64)> {
    if features == 0 {
        return Vec::new();
    }
    let rows = fitted
        .iter()
        .flat_map(|range| values[range.start * features..range.end * features].chunks_exact(features));
    let scaling = moments_of(rows, features);
    scale(values, &scaling);
    scaling
}

/// Subtracts the mean of each feature and divides by its standard deviation.
pub(crate) fn scale(values: &mut [f32], scaling: &[(f64, f64)]) {
    let features = scaling.len();
    for (feature, (mean, deviation)) in scaling.iter().enumerate() {
        for value in values.iter_mut().skip(feature).step_by(features) {
            let scaled = (f64::from(*value) - mean) / deviation;
            // A feature that is nearly constant in training and jumps later must stay finite.
            *value = (scaled as f32).clamp(f32::MIN, f32::MAX);
        }
    }
}

/// Returns mean and standard deviation of each feature of row-major `values`. A deviation of 0 is replaced
/// by 1.
pub(crate) fn moments(values: &[f32], features: usize) -> Vec<(f64, f64)> {
    moments_of(values.chunks_exact(features), features)
}

/// Returns mean and standard deviation of each feature of `rows`.
fn moments_of<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone, features: usize) -> Vec<(f64, f64)> {
    let count = rows.clone().count() as f64;
    // Differences from the first row are summed, so that a constant feature has a deviation of exactly 0.
    let first: Vec<f64> = rows.clone().take(1).flatten().map(|&v| f64::from(v)).collect();
    let mut shifts = vec![0.0; features];
    for row in rows.clone() {
        for ((shift, &value), origin) in shifts.iter_mut().zip(row).zip(&first) {
            *shift += (f64::from(value) - origin) / count;
        }
    }
    let mut variances = vec![0.0; features];
    for row in rows {
        for (feature, variance) in variances.iter_mut().enumerate() {
            *variance += (f64::from(row[feature]) - first[feature] - shifts[feature]).powi(2) / count;
        }
    }
    let deviation = |variance: f64| if variance > 0.0 { variance.sqrt() } else { 1.0 };
    (0..features).map(|f| (first[f] + shifts[f], deviation(variances[f]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_matches_a_hand_computation() {
        // Feature 0 over the first 4 rows: mean 5, deviation sqrt(5); feature 1 is constant there.
        let mut values = vec![2.0, 0.1, 4.0, 0.1, 6.0, 0.1, 8.0, 0.1, 100.0, 3.1];
        standardise(&mut values, 2, &[0..2, 2..4]);
        let root = 5.0_f32.sqrt();
        let expected =
            [-3.0 / root, 0.0, -1.0 / root, 0.0, 1.0 / root, 0.0, 3.0 / root, 0.0, 95.0 / root, 3.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-5, "{value} {expected}");
        }
    }

    #[test]
    fn large_offsets_keep_small_deviations() {
        let raw: Vec<f32> = (0..1000_u16).map(|i| 1_000_000.0 + f32::from(i % 2)).collect();
        let (mean, deviation) = moments(&raw, 1)[0];
        assert!((mean - 1_000_000.5).abs() < 1e-6 && (deviation - 0.5).abs() < 1e-9);
    }

    #[test]
    fn leaps_stay_finite() {
        let mut values = vec![0.0, f32::MIN_POSITIVE, f32::MAX, f32::MIN];
        standardise(&mut values, 1, &[0..1, 1..2]);
        assert!(values.iter().all(|v| v.is_finite()));
    }
}
