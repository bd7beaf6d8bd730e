//! Numbers in the full report.

use allometry_analysis::{Estimate, Interval};
use allometry_core::ParamValue;

/// What stands where nothing is known.
pub(crate) const UNKNOWN: &str = "unknown";

pub(crate) use allometry_analysis::number::{
    about, counted, grouped, listed, p_is, p_value, percent, quoted,
};
pub(crate) use allometry_core::significant::{signed, significant as decimals};

/// Four decimals, or `unknown`.
pub(crate) fn known(x: Option<f64>) -> String {
    x.map_or_else(|| UNKNOWN.into(), decimals)
}

/// `0.6451 to 0.7811`, or `unknown`.
pub(crate) fn interval(interval: Option<Interval>) -> String {
    interval.map_or_else(
        || UNKNOWN.into(),
        |Interval { lower, upper }| format!("{} to {}", decimals(lower), decimals(upper)),
    )
}

/// A share with its interval: `6% (2% to 16%)`.
pub(crate) fn share(estimate: Estimate) -> String {
    let interval = estimate
        .interval
        .map_or_else(String::new, |i| format!(" ({} to {})", percent(i.lower), percent(i.upper)));
    format!("{}{interval}", percent(estimate.point))
}

/// Three decimals with a sign.
pub(crate) fn signed3(x: f64) -> String {
    format!("{x:+.3}")
}

/// A probability: `0.034`, `<0.001`, or `unknown`.
pub(crate) fn known_p(p: Option<f64>) -> String {
    p.map_or_else(|| UNKNOWN.into(), p_value)
}

/// A value of a parameter, or a range of values; floats in at most three digits where they are not a user's choice.
pub(crate) fn step(value: &ParamValue, upper: Option<&ParamValue>) -> String {
    match (value, upper) {
        (value, None) => value.to_string(),
        (value, Some(upper)) => format!("{} to {}", short(value), short(upper)),
    }
}

/// A name of at most `longest` characters.
pub fn shortened(name: &str, longest: usize) -> String {
    if name.chars().count() <= longest {
        return name.to_owned();
    }
    name.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// A value in three digits.
pub(crate) fn short(value: &ParamValue) -> String {
    value.rounded().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short() {
        assert_eq!(short(&0.000_123_456.into()), "0.000123");
        assert_eq!(short(&1.234_5e-5.into()), "1.23e-05");
        assert_eq!(short(&64.into()), "64");
        assert_eq!(step(&1e-5.into(), Some(&2.345_67e-5.into())), "1e-05 to 2.35e-05");
    }
}
