//! Limits on reported metrics.

use std::fmt;
use std::str::FromStr;

/// A bound on a metric that each trial reports, such as `latency_ms <= 20`. A trial beyond the bound violates
/// a constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Name of the metric, or `seconds`, `weights` or `non_embedding_weights`.
    pub metric: String,
    /// Whether the bound is an upper bound.
    pub is_upper: bool,
    /// The bound.
    pub bound: f64,
}

impl Limit {
    /// The constraint's value for a value of the metric: the distance beyond the bound, at most 0 where the
    /// bound is met.
    pub fn constraint(&self, value: f64) -> f64 {
        if self.is_upper { value - self.bound } else { self.bound - value }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.metric, if self.is_upper { "<=" } else { ">=" }, self.bound)
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "a limit is a metric, `<=` or `>=`, and a number: \"latency_ms <= 20\"";
        let (sign, is_upper) = if text.contains("<=") { ("<=", true) } else { (">=", false) };
        let (metric, bound) = text.split_once(sign).ok_or(form)?;
        let (metric, bound) = (metric.trim(), bound.trim());
        if metric.is_empty() {
            return Err(form.into());
        }
        let number: Option<f64> = bound.parse().ok().filter(|number: &f64| number.is_finite());
        let bound = number.ok_or_else(|| format!("`{bound}` is not a finite number; {form}"))?;
        Ok(Self { metric: metric.into(), is_upper, bound })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_say_how_far_a_value_is_beyond() {
        let upper: Limit = "latency_ms<=20".parse().unwrap();
        assert_eq!((upper.to_string().as_str(), upper.constraint(23.0)), ("latency_ms <= 20", 3.0));
        let lower: Limit = " recall@5 >= -1e-3 ".parse().unwrap();
        assert_eq!((lower.metric.as_str(), lower.constraint(0.0)), ("recall@5", -0.001));
        for bad in ["latency", "latency < 20", "<= 20", "latency <= fast", "latency <= inf", ""] {
            assert!(bad.parse::<Limit>().is_err(), "{bad}");
        }
    }
}
