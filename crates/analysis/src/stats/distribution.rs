//! Tails of Student's t, Fisher's F and chi-squared.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};

use super::normal;

/// Degrees of freedom from which quantiles of t are expanded about the normal quantiles: the numerical search
/// does not converge for very many.
const MANY: f64 = 1000.0;
/// Degrees of freedom from which tails of t are approximated by the normal: the continued fraction loses
/// digits.
const VERY_MANY: f64 = 1e6;

/// Returns the probability that Student's t with `freedom` degrees of freedom is above `t`; `None` where
/// undefined.
pub fn t_upper_tail(t: f64, freedom: f64) -> Option<f64> {
    if t.is_nan() {
        return None;
    }
    if freedom >= VERY_MANY {
        // Abramowitz & Stegun 1964, 26.7.8.
        return Some(normal::cdf(-t * (1.0 - 0.25 / freedom) / (0.5 * t * t / freedom).sqrt().hypot(1.0)));
    }
    StudentsT::new(0.0, 1.0, freedom).ok().map(|distribution| distribution.sf(t))
}

/// Returns the probability that the absolute value of Student's t is at least `|t|`; `None` where undefined.
pub fn t_two_sided(t: f64, freedom: f64) -> Option<f64> {
    t_upper_tail(t.abs(), freedom).map(|tail| 2.0 * tail)
}

/// Returns the half-width, in standard errors, of a two-sided t interval at `level`; `None` where undefined.
/// From 1000 degrees of freedom on it uses the Cornish-Fisher expansion (Abramowitz & Stegun 1964, 26.7.5).
pub fn t_half_width(level: f64, freedom: f64) -> Option<f64> {
    if freedom >= MANY {
        let z = normal::half_width(level);
        let terms = [
            (z.powi(3) + z) / 4.0,
            (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
            (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        ];
        return Some(z + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom));
    }
    StudentsT::new(0.0, 1.0, freedom).ok().map(|distribution| distribution.inverse_cdf(0.5 + level / 2.0))
}

/// Returns the probability that F with `numerator` and `denominator` degrees of freedom is above `f`; `None`
/// where undefined.
pub fn f_upper_tail(f: f64, numerator: f64, denominator: f64) -> Option<f64> {
    if f.is_nan() {
        return None;
    }
    if f.is_infinite() {
        return Some(0.0);
    }
    FisherSnedecor::new(numerator, denominator).ok().map(|distribution| distribution.sf(f.max(0.0)))
}

/// Returns the probability that chi-squared with `freedom` degrees of freedom is above `x`; `None` where
/// undefined.
pub fn chi_squared_upper_tail(x: f64, freedom: f64) -> Option<f64> {
    if x.is_nan() {
        return None;
    }
    ChiSquared::new(freedom).ok().map(|distribution| distribution.sf(x.max(0.0)))
}
