//! Fits of calibrations to the logits of labelled rows.

use super::{Calibration, CalibrationError, CalibrationMethod, isotonic, platt};

/// Smallest and largest factor of logits, the inverse temperature, that is accepted.
const FACTORS: [f64; 2] = [1e-4, 1e4];

/// Fits a calibration to rows. `logits` has one number per row and class, or one per row of a binary label,
/// for which `classes` is 0; `targets` are the numbers of the classes.
///
/// # Errors
/// [`CalibrationError`].
pub(crate) fn fit(
    method: CalibrationMethod,
    logits: &[f32],
    targets: &[f32],
    classes: usize,
) -> Result<Calibration, CalibrationError> {
    let rows = targets.len();
    let width = classes.max(1);
    let is_constant = logits.chunks_exact(width).all(|row| row == &logits[..width]);
    if is_constant {
        return Err(CalibrationError::Constant { rows });
    }
    match method {
        CalibrationMethod::Temperature => {
            let factor = factor(logits, targets, classes)?;
            Ok(Calibration::Temperature { temperature: 1.0 / factor })
        }
        CalibrationMethod::Platt => platt::fit(logits, targets),
        CalibrationMethod::Isotonic => isotonic::fit(logits, targets),
    }
}

/// Returns the factor of the logits with the smallest log loss: the zero of its derivative, which rises.
fn factor(logits: &[f32], targets: &[f32], classes: usize) -> Result<f64, CalibrationError> {
    let rows = targets.len();
    let at = |factor: f64| derivatives(logits, targets, classes, factor);
    let [mut low, mut high] = FACTORS;
    if at(low).0 >= 0.0 {
        return Err(CalibrationError::TooHot { rows });
    }
    if at(high).0 <= 0.0 {
        return Err(CalibrationError::Separated { rows });
    }
    let mut factor = 1.0;
    // Newton's steps; a step that leaves the bracket is replaced by the bracket's geometric mean.
    for _ in 0..200 {
        let (slope, curvature) = at(factor);
        if slope > 0.0 {
            high = factor;
        } else {
            low = factor;
        }
        let step = slope / curvature;
        if step.abs() <= 1e-13 * factor {
            break;
        }
        let next = factor - step;
        factor = if next > low && next < high { next } else { (low * high).sqrt() };
    }
    Ok(factor)
}

/// Returns the first two derivatives of the mean log loss by the factor of the logits.
fn derivatives(logits: &[f32], targets: &[f32], classes: usize, factor: f64) -> (f64, f64) {
    let (mut slope, mut curvature) = (0.0, 0.0);
    let mut add = |row: &mut dyn Iterator<Item = f64>, highest: f64, target: f64| {
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for z in row {
            let odds = (factor * (z - highest)).exp();
            sum += odds;
            first += odds * z;
            second += odds * z * z;
        }
        let mean = first / sum;
        slope += mean - target;
        curvature += (second / sum - mean * mean).max(0.0);
    };
    if classes == 0 {
        for (&z, target) in logits.iter().zip(targets) {
            let z = f64::from(z);
            add(&mut [0.0, z].into_iter(), z.max(0.0), if *target > 0.5 { z } else { 0.0 });
        }
    } else {
        for (row, target) in logits.chunks_exact(classes).zip(targets) {
            // The loss depends on differences only; the highest logit as origin keeps their digits.
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let centred = |z: &f32| f64::from(*z) - f64::from(highest);
            add(&mut row.iter().map(centred), 0.0, centred(&row[*target as usize]));
        }
    }
    let rows = targets.len() as f64;
    (slope / rows, curvature / rows)
}
