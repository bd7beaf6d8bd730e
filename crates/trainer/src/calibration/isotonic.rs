//! Centred isotonic regression of a binary label on the logit.
//!
//! Isotonic regression (Ayer et al. 1955) gives steps. Probabilities are interpolated between the centres of
//! the steps (Oron & Flournoy 2017): the map then rises without jumps, so that it keeps the order of rows
//! between the outer centres, and a rounding of the logit changes little.

use super::platt::smoothed;
use super::{Calibration, CalibrationError};

/// A step: rows that are neighbours by their logits.
struct Step {
    logits: f64,
    positives: f64,
    rows: f64,
}

impl Step {
    fn share(&self) -> f64 {
        self.positives / self.rows
    }
}

/// Fits the knots. The labels are replaced by those of Platt (1999), so that no probability is 0 or 1.
///
/// # Errors
/// [`CalibrationError::NoTrend`] for a single step.
pub(super) fn fit(logits: &[f32], targets: &[f32]) -> Result<Calibration, CalibrationError> {
    let mut pairs: Vec<(f32, f32)> = logits.iter().copied().zip(targets.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut steps: Vec<Step> = Vec::new();
    // `==` and not the total order, because 0.0 and -0.0 are equal logits.
    for equal in pairs.chunk_by(|a, b| a.0 == b.0) {
        let rows = equal.len() as f64;
        let positives = equal.iter().filter(|(_, target)| *target > 0.5).count() as f64;
        let mut step = Step { logits: f64::from(equal[0].0) * rows, positives, rows };
        while let Some(before) = steps.pop() {
            if before.share() < step.share() {
                steps.push(before);
                break;
            }
            step.logits += before.logits;
            step.positives += before.positives;
            step.rows += before.rows;
        }
        steps.push(step);
    }
    if steps.len() < 2 {
        return Err(CalibrationError::NoTrend { rows: targets.len() });
    }
    let [low, high] = smoothed(targets);
    Ok(Calibration::Isotonic {
        logits: steps.iter().map(|step| step.logits / step.rows).collect(),
        probabilities: steps.iter().map(|step| low + (high - low) * step.share()).collect(),
    })
}

/// Returns the probability at a logit between the knots, and that of the outer knot outside of them.
pub(super) fn interpolated(logits: &[f64], probabilities: &[f64], z: f64) -> f64 {
    let after = logits.partition_point(|knot| *knot <= z);
    match (after.checked_sub(1), logits.get(after)) {
        (None, _) => probabilities[0],
        (Some(before), None) => probabilities[before],
        (Some(before), Some(next)) => {
            let share = (z - logits[before]) / (next - logits[before]);
            probabilities[before] + share * (probabilities[after] - probabilities[before])
        }
    }
}
