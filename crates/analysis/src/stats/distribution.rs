//! Tails of Student's t, Fisher's F and chi-squared.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};

/// Probability that Student's t with `freedom` degrees of freedom is above `t`; `None` where undefined.
pub fn t_upper_tail(t: f64, freedom: f64) -> Option<f64> {
    if t.is_nan() {
        return None;
    }
    StudentsT::new(0.0, 1.0, freedom).ok().map(|distribution| distribution.sf(t))
}

/// Probability that Student's t is at least `|t|` away from 0; `None` where undefined.
pub fn t_two_sided(t: f64, freedom: f64) -> Option<f64> {
    t_upper_tail(t.abs(), freedom).map(|tail| 2.0 * tail)
}

/// Half-width, in standard errors, of a two-sided t interval at `level`; `None` where undefined.
pub fn t_half_width(level: f64, freedom: f64) -> Option<f64> {
    StudentsT::new(0.0, 1.0, freedom).ok().map(|distribution| distribution.inverse_cdf(0.5 + level / 2.0))
}

/// Probability that F with `numerator` and `denominator` degrees of freedom is above `f`; `None` where undefined.
pub fn f_upper_tail(f: f64, numerator: f64, denominator: f64) -> Option<f64> {
    if f.is_nan() {
        return None;
    }
    if f.is_infinite() {
        return Some(0.0);
    }
    FisherSnedecor::new(numerator, denominator).ok().map(|distribution| distribution.sf(f.max(0.0)))
}

/// Probability that chi-squared with `freedom` degrees of freedom is above `x`; `None` where undefined.
pub fn chi_squared_upper_tail(x: f64, freedom: f64) -> Option<f64> {
    if x.is_nan() {
        return None;
    }
    ChiSquared::new(freedom).ok().map(|distribution| distribution.sf(x.max(0.0)))
}
