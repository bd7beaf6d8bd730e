//! A parameter of a search space with its values by rank.

use allometry_core::space::is_quantity;
use allometry_core::{Distribution, Levels, ParamName, ParamValue};

/// A parameter of a search space.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) name: ParamName,
    pub(super) set: Distribution,
    /// The values by rank; empty for a continuous range.
    pub(super) levels: Levels,
    /// Cumulative probabilities of the levels, ending with 1; empty where all levels have equal probability.
    shares: Vec<f64>,
}

impl Axis {
    pub(super) fn new(name: &str, set: &Distribution) -> Self {
        let levels = set.levels().unwrap_or_else(Levels::none);
        Self { name: name.into(), set: set.clone(), shares: cumulative(&level_weights(set, &levels)), levels }
    }

    pub(super) fn is_continuous(&self) -> bool {
        self.levels.is_empty() && matches!(self.set, Distribution::Float { .. })
    }

    /// Whether every value is a number.
    pub(super) fn is_quantity(&self) -> bool {
        is_quantity(&self.name, &self.set)
    }

    /// Weights of the levels in uniform sampling; empty where all are equal.
    pub(super) fn weights(&self) -> Vec<f64> {
        level_weights(&self.set, &self.levels)
    }

    /// The rank of a value.
    pub(super) fn rank(&self, value: &ParamValue) -> Option<u64> {
        self.levels.rank(value).filter(|_| self.set.contains(value))
    }

    /// Number of values of an architecture parameter, of which there are few enough to enumerate.
    pub(super) fn count(&self) -> usize {
        usize::try_from(self.levels.len()).unwrap_or(usize::MAX)
    }

    /// The value of a rank below [`Self::count`].
    pub(super) fn level(&self, rank: usize) -> ParamValue {
        self.levels.get(rank as u64).expect("ranks are below the number of values")
    }

    /// The coordinate at `u` in `[0, 1)`: a rank, or the bits of a continuous value.
    pub(super) fn at(&self, u: f64) -> u64 {
        if self.is_continuous() {
            return continuous(&self.set, u).to_bits();
        }
        let last = self.levels.len() - 1;
        if let Distribution::Int { low, high, log: true, step } = self.set
            && self.shares.is_empty()
        {
            // An integer represents the interval that rounds to it, as in Optuna.
            let (low, high) = (low as f64, high as f64);
            let x = ((low - 0.5).ln() + u * ((high + 0.5) / (low - 0.5)).ln()).exp();
            return (((x - low) / step as f64).round().max(0.0) as u64).min(last);
        }
        if self.shares.is_empty() {
            return ((u * self.levels.len() as f64) as u64).min(last);
        }
        (self.shares.partition_point(|share| *share <= u) as u64).min(last)
    }

    /// The value of a coordinate.
    pub(super) fn value(&self, coordinate: u64) -> ParamValue {
        if self.is_continuous() {
            return ParamValue::Float(f64::from_bits(coordinate));
        }
        self.levels.get(coordinate).expect("coordinates are below the number of values")
    }

    /// The coordinate of a value.
    pub(super) fn coordinate(&self, value: &ParamValue) -> Option<u64> {
        if self.is_continuous() {
            // Adding 0 turns -0 into 0.
            return value.as_f64().filter(|_| self.set.contains(value)).map(|x| (x + 0.0).to_bits());
        }
        self.rank(value)
    }
}

/// Largest number of values for which per-value data are stored; larger ranges are represented by their
/// bounds.
pub(crate) const MOST_LISTED: u64 = 1 << 17;

/// Weights of the levels on a log scale, where an integer represents the interval that rounds to it (as in
/// Optuna), so that small integers weigh more. Empty where there are too many levels to list.
fn level_weights(set: &Distribution, levels: &Levels) -> Vec<f64> {
    let Distribution::Int { log: true, .. } = set else { return Vec::new() };
    if levels.len() > MOST_LISTED {
        return Vec::new();
    }
    let values = levels.iter().filter_map(|value| value.as_f64());
    values.map(|v| ((v + 0.5) / (v - 0.5)).ln()).collect()
}

fn cumulative(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    weights
        .iter()
        .map(|weight| {
            sum += weight;
            sum / total
        })
        .collect()
}

/// The value at `u`, rounded to nine significant digits: readable, and equal on platforms whose logarithms
/// differ in the last bit. In a range too narrow for nine digits the value is not rounded.
fn continuous(set: &Distribution, u: f64) -> f64 {
    let Distribution::Float { low, high, log, .. } = *set else { return f64::NAN };
    let x = if log { (low.ln() + u * (high.ln() - low.ln())).exp() } else { low + u * (high - low) };
    let narrow = high - low < 1e-6 * low.abs().max(high.abs());
    let rounded = if narrow { x } else { format!("{x:.8e}").parse().unwrap_or(x) };
    rounded.clamp(low, high) + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_and_values_are_each_others_inverse() {
        let sets = [
            Distribution::Int { low: 2, high: 11, log: false, step: 3 },
            Distribution::Int { low: 1, high: 9, log: true, step: 1 },
            Distribution::Float { low: 0.0, high: 0.7, log: false, step: Some(0.1) },
            Distribution::Float { low: 1e-5, high: 1e-2, log: true, step: None },
            Distribution::Float { low: 0.5, high: 0.5, log: false, step: None },
            Distribution::list(vec![1e-4.into(), 3i64.into()]),
            Distribution::list(vec!["gelu".into(), ParamValue::Null, ParamValue::Bool(true)]),
        ];
        for set in sets {
            let axis = Axis::new("x", &set);
            for i in 0..100 {
                let coordinate = axis.at(f64::from(i) / 100.0);
                let value = axis.value(coordinate);
                assert!(set.contains(&value), "{set}: {value}");
                assert_eq!(axis.coordinate(&value), Some(coordinate), "{set}: {value}");
            }
            assert_eq!(axis.coordinate(&(-7.5).into()), None);
        }
    }

    #[test]
    fn log_integers_follow_the_log() {
        let axis = Axis::new("x", &Distribution::Int { low: 1, high: 100, log: true, step: 1 });
        let below_ten = (0..1000).filter(|i| axis.at(f64::from(*i) / 1000.0) < 9).count();
        let expected = (9.5_f64 / 0.5).ln() / (100.5_f64 / 0.5).ln();
        assert!((below_ten as f64 / 1000.0 - expected).abs() < 0.002, "{below_ten} {expected}");
    }

    #[test]
    fn log_ranges_have_their_geometric_mean_in_the_middle() {
        let axis = Axis::new("x", &Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None });
        let ParamValue::Float(middle) = axis.value(axis.at(0.5)) else { panic!("a float") };
        assert_eq!(middle, 1e-4);
    }
}
