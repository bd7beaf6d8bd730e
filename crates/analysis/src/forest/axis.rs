//! One parameter of the domain with its probability measure.

use allometry_core::{ChoiceOrder, Distribution, ParamValue};

/// A parameter's set of values with a probability measure on it.
///
/// Values become *positions*: numbers in `[0, 1]` on a continuous range, whole numbers from 0 on a set of
/// discrete values. A *cut* lies between positions. The measure is the space's, not the trials': a discrete
/// value is an atom of mass `1 / k`, a continuous range has the uniform measure of the unit interval, and on
/// a log scale both are measured between logarithms (an integer `i` from `i - 1/2` to `i + 1/2`).
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The parameter.
    pub parameter: String,
    set: Set,
}

#[derive(Debug, Clone, PartialEq)]
enum Set {
    /// A continuous range with its ends on the measured scale.
    Range { low: f64, high: f64, log: bool },
    /// `count` values from `low`, `step` apart, all `whole` numbers or not; with `log`, `low - step / 2` is
    /// positive.
    Steps { low: f64, step: f64, count: f64, log: bool, whole: bool },
    /// Distinct values, ascending in [`ParamValue::total_cmp`].
    Choices { values: Vec<ParamValue>, order: ChoiceOrder },
}

impl Axis {
    /// Returns the axis of `parameter`; `None` where the set has no values, no finite ends or no step.
    pub fn new(parameter: &str, set: &Distribution) -> Option<Self> {
        let set = match set {
            Distribution::Float { low, high, log, step: None } => Set::range(*low, *high, *log)?,
            Distribution::Float { low, high, log, step: Some(step) } => {
                Set::steps(*low, *high, *step, *log, false)?
            }
            Distribution::Int { low, high, log, step } => {
                Set::steps(*low as f64, *high as f64, *step as f64, *log, true)?
            }
            Distribution::Categorical { choices, order } => {
                let mut values = choices.clone();
                values.sort_by(ParamValue::total_cmp);
                values.dedup_by(|a, b| a.total_cmp(b).is_eq());
                (!values.is_empty()).then_some(Set::Choices { values, order: *order })?
            }
        };
        Some(Self { parameter: parameter.to_owned(), set })
    }

    /// Returns the position of `value`; `None` outside the set.
    pub fn position(&self, value: &ParamValue) -> Option<f64> {
        match &self.set {
            Set::Range { low, high, log } => {
                let x = value.as_f64()?;
                let x = if *log { x.ln() } else { x };
                let inside = (*low..=*high).contains(&x);
                inside.then(|| if high > low { (x - low) / (high - low) } else { 0.0 })
            }
            Set::Steps { low, step, count, .. } => {
                let steps = (value.as_f64()? - low) / step;
                let index = steps.round();
                ((steps - index).abs() < 1e-6 && (0.0..*count).contains(&index)).then_some(index)
            }
            Set::Choices { values, .. } => {
                values.binary_search_by(|choice| choice.total_cmp(value)).ok().map(|index| index as f64)
            }
        }
    }

    /// Returns up to `most` positions that lie evenly over the set, its ends included.
    pub fn grid(&self, most: usize) -> Vec<f64> {
        let last = self.atoms().map_or(1.0, |count| count - 1.0);
        let count = self.atoms().map_or(most, |count| count.min(most as f64) as usize);
        let step = last / count.saturating_sub(1).max(1) as f64;
        let at = (0..count).map(|place| place as f64 * step);
        if self.atoms().is_some() { at.map(f64::round).collect() } else { at.collect() }
    }

    /// Returns the value at a position of the set.
    pub fn value(&self, position: f64) -> ParamValue {
        match &self.set {
            Set::Range { low, high, log } => {
                let x = low + position * (high - low);
                ParamValue::Float(if *log { x.exp() } else { x })
            }
            Set::Steps { low, step, whole, .. } => {
                let x = low + position * step;
                if *whole { ParamValue::Int(x as i64) } else { ParamValue::Float(x) }
            }
            Set::Choices { values, .. } => values[position as usize].clone(),
        }
    }

    /// Returns the mass of the positions below `cut`.
    pub fn below(&self, cut: f64) -> f64 {
        match &self.set {
            Set::Range { .. } => cut,
            Set::Steps { low, step, count, log: true, .. } => {
                let end = |steps: f64| (low + (steps - 0.5) * step).ln();
                (end(cut) - end(0.0)) / (end(*count) - end(0.0))
            }
            Set::Steps { count, .. } => cut / count,
            Set::Choices { values, .. } => cut / values.len() as f64,
        }
    }

    /// Returns the cut between two positions of trials, `left < right`: the midpoint on a range, otherwise
    /// the boundary between atoms nearest to the midpoint.
    pub fn cut(&self, left: f64, right: f64) -> f64 {
        if matches!(self.set, Set::Range { .. }) {
            let middle = f64::midpoint(left, right);
            if middle > left { middle } else { right }
        } else {
            f64::midpoint(left, right).floor() + 1.0
        }
    }

    /// Returns the number of values of an unordered parameter, which a tree may split into any two sets.
    pub fn categories(&self) -> Option<usize> {
        match &self.set {
            Set::Choices { values, order: ChoiceOrder::Nominal } => Some(values.len()),
            _ => None,
        }
    }

    /// Returns the number of atoms; `None` for a continuous range.
    pub fn atoms(&self) -> Option<f64> {
        match &self.set {
            Set::Range { .. } => None,
            Set::Steps { count, .. } => Some(*count),
            Set::Choices { values, .. } => Some(values.len() as f64),
        }
    }
}

impl Set {
    fn range(low: f64, high: f64, log: bool) -> Option<Self> {
        let log = log && low > 0.0;
        let (low, high) = if log { (low.ln(), high.ln()) } else { (low, high) };
        (low <= high && (high - low).is_finite()).then_some(Self::Range { low, high, log })
    }

    fn steps(low: f64, high: f64, step: f64, log: bool, whole: bool) -> Option<Self> {
        let count = ((high - low) / step + 1e-9).floor() + 1.0;
        let log = log && low - step / 2.0 > 0.0;
        let is_sound = step > 0.0 && count >= 1.0 && count.is_finite();
        is_sound.then_some(Self::Steps { low, step, count, log, whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_on_a_log_scale_weigh_by_their_logarithm() {
        let axis = Axis::new("width", &Distribution::Int { low: 1, high: 64, log: true, step: 1 }).unwrap();
        assert_eq!(axis.position(&8.into()), Some(7.0));
        assert_eq!((axis.below(0.0), axis.below(64.0)), (0.0, 1.0));
        let expected = (7.5_f64 / 0.5).ln() / (64.5_f64 / 0.5).ln();
        assert!((axis.below(7.0) - expected).abs() < 1e-15);
    }

    #[test]
    fn lists_are_ranked_by_value_and_their_values_are_alike() {
        let axis =
            Axis::new("dropout", &Distribution::list(vec![0.5.into(), 0.1.into(), 0.3.into()])).unwrap();
        assert_eq!(axis.position(&0.3.into()), Some(1.0));
        assert_eq!(axis.position(&0.2.into()), None);
        assert_eq!(axis.below(axis.cut(0.0, 1.0)), 1.0 / 3.0);
        assert_eq!(axis.cut(0.0, 2.0), 2.0);
    }

    #[test]
    fn ranges_are_the_unit_interval_of_their_scale() {
        let set = Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None };
        let axis = Axis::new("learning_rate", &set).unwrap();
        assert!((axis.position(&1e-4.into()).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(axis.position(&2e-3.into()), None);
        assert_eq!(axis.position(&"1e-4".into()), None);
        assert!(axis.cut(0.3, 0.3_f64.next_up()) > 0.3);
    }

    #[test]
    fn a_grid_has_the_values_of_the_set() {
        let values = |set: Distribution, most: usize| -> Vec<ParamValue> {
            let axis = Axis::new("x", &set).unwrap();
            axis.grid(most).into_iter().map(|position| axis.value(position)).collect()
        };
        let int = |high| Distribution::Int { low: 1, high, log: false, step: 2 };
        assert_eq!(values(int(7), 5), [1.into(), 3.into(), 5.into(), 7.into()]);
        assert_eq!(values(int(21), 3), [1.into(), 11.into(), 21.into()]);
        assert_eq!(values(int(1), 3), [1.into()]);
        let list = Distribution::list(vec!["b".into(), "a".into()]);
        assert_eq!(values(list, 5), ["a".into(), "b".into()]);
        let range = Distribution::Float { low: 0.01, high: 1.0, log: true, step: None };
        let middle = values(range, 3)[1].as_f64().unwrap();
        assert!((middle - 0.1).abs() < 1e-12, "{middle}");
    }

    #[test]
    fn sets_without_values_or_ends_give_no_axis() {
        let float = |low, high| Distribution::Float { low, high, log: false, step: None };
        assert_eq!(Axis::new("x", &Distribution::list(vec![])), None);
        assert_eq!(Axis::new("x", &float(1.0, 0.0)), None);
        assert_eq!(Axis::new("x", &float(0.0, f64::INFINITY)), None);
        assert_eq!(Axis::new("x", &float(f64::NAN, 1.0)), None);
        assert_eq!(Axis::new("x", &Distribution::Int { low: 0, high: 5, log: false, step: 0 }), None);
        assert!(Axis::new("x", &float(1.0, 1.0)).is_some());
    }
}
