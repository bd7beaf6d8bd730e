//! Platt's sigmoid (Platt 1999, with the numerics of Lin, Lin & Weng 2007).

use super::{Calibration, CalibrationError};
use crate::model::probability;

/// Targets of the two classes, which keep fitted probabilities away from 0 and 1: those that one more row of
/// each class would give.
pub(super) fn smoothed(targets: &[f32]) -> [f64; 2] {
    let positives = targets.iter().filter(|target| **target > 0.5).count() as f64;
    let negatives = targets.len() as f64 - positives;
    [1.0 / (negatives + 2.0), (positives + 1.0) / (positives + 2.0)]
}

/// Fits slope and intercept by Newton's method with step halving.
///
/// # Errors
/// [`CalibrationError::NoTrend`] for a slope that is not positive.
pub(super) fn fit(logits: &[f32], targets: &[f32]) -> Result<Calibration, CalibrationError> {
    let ends = smoothed(targets);
    // Standardised logits keep the equations well conditioned.
    let rows = logits.len() as f64;
    let mean = logits.iter().map(|&z| f64::from(z)).sum::<f64>() / rows;
    let variance = logits.iter().map(|&z| (f64::from(z) - mean).powi(2)).sum::<f64>() / rows;
    let deviation = variance.sqrt();
    let pairs: Vec<(f64, f64)> = logits
        .iter()
        .zip(targets)
        .map(|(&z, target)| ((f64::from(z) - mean) / deviation, ends[usize::from(*target > 0.5)]))
        .collect();
    let (mut slope, mut intercept) = (0.0, 0.0);
    let mut value = loss(&pairs, slope, intercept);
    for _ in 0..100 {
        let (gradient, hessian) = derivatives(&pairs, slope, intercept);
        let [[a, b], [_, d]] = hessian;
        let determinant = a * d - b * b;
        let step = [
            (d * gradient[0] - b * gradient[1]) / determinant,
            (a * gradient[1] - b * gradient[0]) / determinant,
        ];
        let mut share = 1.0;
        let (next, at) = loop {
            let at = (slope - share * step[0], intercept - share * step[1]);
            let next = loss(&pairs, at.0, at.1);
            if next <= value || share < 1e-10 {
                break (next, at);
            }
            share *= 0.5;
        };
        let is_over = step.iter().all(|step| step.abs() <= 1e-12) || share < 1e-10;
        (value, slope, intercept) = (next, at.0, at.1);
        if is_over {
            break;
        }
    }
    if slope <= 0.0 {
        return Err(CalibrationError::NoTrend { rows: targets.len() });
    }
    Ok(Calibration::Platt { slope: slope / deviation, intercept: intercept - slope * mean / deviation })
}

/// Returns the mean cross-entropy.
fn loss(pairs: &[(f64, f64)], slope: f64, intercept: f64) -> f64 {
    let of = |(x, target): &(f64, f64)| {
        let z = slope * x + intercept;
        z.max(0.0) - target * z + (-z.abs()).exp().ln_1p()
    };
    pairs.iter().map(of).sum::<f64>() / pairs.len() as f64
}

fn derivatives(pairs: &[(f64, f64)], slope: f64, intercept: f64) -> ([f64; 2], [[f64; 2]; 2]) {
    let (mut gradient, mut hessian) = ([0.0; 2], [[0.0; 2]; 2]);
    for (x, target) in pairs {
        let p = probability(slope * x + intercept);
        let (error, weight) = (p - target, p * (1.0 - p));
        gradient[0] += error * x;
        gradient[1] += error;
        hessian[0][0] += weight * x * x;
        hessian[0][1] += weight * x;
        hessian[1][1] += weight;
    }
    let rows = pairs.len() as f64;
    hessian[1][0] = hessian[0][1];
    (gradient.map(|sum| sum / rows), hessian.map(|row| row.map(|sum| sum / rows)))
}
