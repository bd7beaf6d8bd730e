//! The expected improvement acquisition function.

use std::f64::consts::PI;

use crate::normal::cdf;

/// Logarithm of the expected improvement over `best` of a normal variable: `ln(s h(z))`, `z = (mean - best) /
/// s`, `h(z) = phi(z) + z Phi(z)` (Mockus 1975; the logarithm: Ament et al. 2023). Where `h` underflows or
/// cancels, the asymptotic series `phi(z) / z^2 (1 - 3 / z^2 + 15 / z^4 - 105 / z^6)` is used, whose relative
/// error is below 0.2% there.
pub(super) fn log_expected_improvement(mean: f64, variance: f64, best: f64) -> f64 {
    let s = variance.sqrt();
    let z = (mean - best) / s;
    let log_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    let log_h = if z > -8.0 {
        (log_density.exp() + z * cdf(z)).max(f64::MIN_POSITIVE).ln()
    } else {
        let u = 1.0 / (z * z);
        log_density + u.ln() + (1.0 - 3.0 * u + 15.0 * u * u - 105.0 * u * u * u).ln()
    };
    s.ln() + log_h
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with a numerical integral of `(x - best)+` times the density.
    #[test]
    fn it_is_the_integral() {
        for (mean, variance, best) in
            [(0.0_f64, 1.0_f64, 0.0), (1.0, 0.25, 0.4), (-1.0, 0.3, 0.9), (0.0, 1.0, 6.0), (0.0, 0.01, 1.1)]
        {
            let s: f64 = variance.sqrt();
            let step = s * 1e-4;
            let density = |x: f64| (-0.5 * ((x - mean) / s).powi(2)).exp() / (s * (2.0 * PI).sqrt());
            let sum: f64 = (0..200_000)
                .map(|i| (f64::from(i) + 0.5) * step)
                .map(|gain| gain * density(best + gain) * step)
                .sum();
            let log = log_expected_improvement(mean, variance, best);
            assert!((log - sum.ln()).abs() < 2e-3, "{mean} {variance} {best}: {log} {}", sum.ln());
        }
    }

    #[test]
    fn it_never_falls_with_the_mean() {
        let values: Vec<f64> =
            (-4000..400).map(|i| log_expected_improvement(f64::from(i) * 0.01, 1.0, 0.0)).collect();
        assert!(values.windows(2).all(|pair| pair[0] < pair[1] && pair[0].is_finite()));
    }
}
