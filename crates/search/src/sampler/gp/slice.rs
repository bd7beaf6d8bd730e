//! Slice sampling from an unnormalized density.

use allometry_core::TrialRng;
use allometry_core::rng::uniform;

/// Width of the first interval, in units of the coordinates.
const WIDTH: f64 = 1.5;
/// Largest number of steps by which an interval expands, on both sides together.
const STEPS: usize = 6;
/// Number of shrinking steps after which a coordinate keeps its value.
const CUTS: usize = 40;

/// Returns `count` draws from the density `exp(-energy)`, one after each sweep over all coordinates that
/// follows the first `warm_up` sweeps. The method is slice sampling with stepping out and shrinkage (Neal
/// 2003, figures 3 and 5), from `start`, whose energy must be finite.
pub(super) fn draws(
    energy: impl Fn(&[f64]) -> f64,
    mut start: Vec<f64>,
    warm_up: usize,
    count: usize,
    rng: &mut TrialRng,
) -> Vec<Vec<f64>> {
    let mut current = energy(&start);
    let mut kept = Vec::with_capacity(count);
    for sweep in 0..warm_up + count {
        for k in 0..start.len() {
            let level = current - uniform(rng).max(f64::MIN_POSITIVE).ln();
            let centre = start[k];
            let mut at = |x: f64| {
                start[k] = x;
                energy(&start)
            };
            let mut low = centre - WIDTH * uniform(rng);
            let mut high = low + WIDTH;
            let mut below = (uniform(rng) * STEPS as f64) as usize;
            let mut above = STEPS - 1 - below;
            while below > 0 && at(low) < level {
                (low, below) = (low - WIDTH, below - 1);
            }
            while above > 0 && at(high) < level {
                (high, above) = (high + WIDTH, above - 1);
            }
            let mut found = None;
            for _ in 0..CUTS {
                let x = low + uniform(rng) * (high - low);
                let value = at(x);
                if value < level {
                    found = Some((x, value));
                    break;
                }
                if x < centre {
                    low = x;
                } else {
                    high = x;
                }
            }
            (start[k], current) = found.unwrap_or((centre, current));
        }
        if sweep >= warm_up {
            kept.push(start.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use allometry_core::rng::stream;

    use super::*;

    /// Two normal coordinates with standard deviations 1 and 3 and correlation 0.6.
    #[test]
    fn draws_have_the_densitys_moments() {
        let energy = |x: &[f64]| {
            let (a, b) = (x[0] - 1.0, (x[1] + 2.0) / 3.0);
            (a * a - 1.2 * a * b + b * b) / (2.0 * 0.64)
        };
        let n = 20_000;
        let draws = draws(energy, vec![0.0, 0.0], 20, n, &mut stream(1, "test", 0));
        let mean = |f: &dyn Fn(&[f64]) -> f64| draws.iter().map(|x| f(x)).sum::<f64>() / n as f64;
        let (a, b) = (mean(&|x| x[0]), mean(&|x| x[1]));
        assert!((a - 1.0).abs() < 0.05 && (b + 2.0).abs() < 0.15, "{a} {b}");
        let (va, vb) = (mean(&|x| (x[0] - a).powi(2)), mean(&|x| (x[1] - b).powi(2)));
        assert!((va - 1.0).abs() < 0.05 && (vb - 9.0).abs() < 0.45, "{va} {vb}");
        let correlation = mean(&|x| (x[0] - a) * (x[1] - b)) / (va * vb).sqrt();
        assert!((correlation - 0.6).abs() < 0.03, "{correlation}");
    }
}
