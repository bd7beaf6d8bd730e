//! Learning rate schedules.

use allometry_ladder::{ModelSpec, Schedule};

/// Returns the factor of the peak learning rate in training step `step`, from 0.
///
/// The factor rises linearly over the warm-up epochs. Then it is constant, or falls by a half cosine or a
/// line that reaches zero at the end of the last epoch.
pub(crate) fn rate_factor(spec: &ModelSpec, steps_per_epoch: usize, step: u64) -> f64 {
    let per_epoch = steps_per_epoch as f64;
    let warmup = spec.warmup_epochs * per_epoch;
    let done = step as f64;
    if done < warmup {
        return ((done + 1.0) / warmup).min(1.0);
    }
    let decay_steps = (spec.epochs as f64 * per_epoch - warmup).max(1.0);
    let progress = ((done - warmup) / decay_steps).min(1.0);
    match spec.schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        Schedule::Linear => 1.0 - progress,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(schedule: Schedule, warmup_epochs: f64) -> ModelSpec {
        ModelSpec { epochs: 4, schedule, warmup_epochs, ..ModelSpec::new(8, 4, 4) }
    }

    #[test]
    fn warm_up_rises_to_the_peak_and_ends() {
        let constant = spec(Schedule::Constant, 0.5);
        let factors: Vec<f64> = (0..7).map(|s| rate_factor(&constant, 10, s)).collect();
        assert_eq!(factors, [0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn a_line_falls_from_the_peak_to_zero() {
        let linear = spec(Schedule::Linear, 1.0);
        let factors: Vec<f64> = [10, 20, 25, 40, 50].iter().map(|s| rate_factor(&linear, 10, *s)).collect();
        for (factor, expected) in factors.iter().zip([1.0, 2.0 / 3.0, 0.5, 0.0, 0.0]) {
            assert!((factor - expected).abs() < 1e-12, "{factors:?}");
        }
    }

    #[test]
    fn a_cosine_halves_midway_and_nears_zero_at_the_end() {
        let cosine = spec(Schedule::Cosine, 0.0);
        assert_eq!(rate_factor(&cosine, 10, 0), 1.0);
        assert!((rate_factor(&cosine, 10, 20) - 0.5).abs() < 1e-12);
        assert!(rate_factor(&cosine, 10, 40) < 1e-12);
        let after_warm_up = spec(Schedule::Cosine, 2.0);
        assert_eq!(rate_factor(&after_warm_up, 10, 20), 1.0);
        assert!((rate_factor(&after_warm_up, 10, 30) - 0.5).abs() < 1e-12);
    }
}
