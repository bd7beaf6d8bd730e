//! The values of a discrete set by rank, in memory independent of their number.

use crate::param::ParamValue;

/// The values of a discrete set in order. Ranges are stored as bounds and step, lists as values.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// `count` integers from `low`.
    Ints { low: i64, step: u64, count: u64 },
    /// `count` floats from `low`, none above `high`.
    Floats { low: f64, high: f64, step: f64, count: u64 },
    /// Values of a list.
    List(Vec<ParamValue>),
}

impl Levels {
    /// An empty set of levels, which stands for a continuous set.
    pub fn none() -> Self {
        Self::list(Vec::new())
    }

    /// The integers from `low` to at most `high`.
    pub(crate) fn ints(low: i64, high: i64, step: i64) -> Self {
        let step = step.max(1) as u64;
        let count = if low <= high { (high.abs_diff(low) / step).saturating_add(1) } else { 0 };
        Self(Kind::Ints { low, step, count })
    }

    /// The floats from `low` to at most `high`.
    pub(crate) fn floats(low: f64, high: f64, step: f64) -> Self {
        let steps = ((high - low) / step + rounding(low, high, step)).floor();
        let count = if steps >= 0.0 && step > 0.0 { (steps as u64).saturating_add(1) } else { 0 };
        Self(Kind::Floats { low, high, step, count })
    }

    /// The values of a list.
    pub(crate) fn list(values: Vec<ParamValue>) -> Self {
        Self(Kind::List(values))
    }

    /// Number of values; one too small for the set of all 64-bit integers, whose number does not fit.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kind::Ints { count, .. } | Kind::Floats { count, .. } => *count,
            Kind::List(values) => values.len() as u64,
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a rank; `None` for ranks of at least [`Self::len`].
    pub fn get(&self, rank: u64) -> Option<ParamValue> {
        match &self.0 {
            Kind::List(values) => values.get(usize::try_from(rank).ok()?).cloned(),
            Kind::Ints { count, .. } | Kind::Floats { count, .. } if rank >= *count => None,
            Kind::Ints { low, step, .. } => Some(ParamValue::Int(low.wrapping_add_unsigned(rank * step))),
            Kind::Floats { low, high, step, .. } => {
                Some(ParamValue::Float((low + rank as f64 * step).min(*high)))
            }
        }
    }

    /// The value at a rank as a number; `None` where it is not a number.
    pub fn number(&self, rank: u64) -> Option<f64> {
        self.get(rank)?.as_f64()
    }

    /// The rank of a value, by exact equality on lists and integers and by the nearest step on floats; `None`
    /// where it is not among the values.
    pub fn rank(&self, value: &ParamValue) -> Option<u64> {
        let rank = match &self.0 {
            Kind::List(values) => {
                return values.iter().position(|level| level == value).map(|rank| rank as u64);
            }
            Kind::Ints { low, step, .. } => {
                let above = value.as_i64().filter(|i| i >= low)?.abs_diff(*low);
                (above % step == 0).then_some(above / step)?
            }
            Kind::Floats { low, high, step, .. } => nearest_step((*low, *high, *step), value.as_f64()?)?,
        };
        (rank < self.len()).then_some(rank)
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = ParamValue> + '_ {
        (0..self.len()).map_while(|rank| self.get(rank))
    }
}

/// The index of the grid point nearest to `x`; `None` where `x` is further from it than rounding errors
/// explain.
pub(crate) fn nearest_step((low, high, step): (f64, f64, f64), x: f64) -> Option<u64> {
    let steps = (x - low) / step;
    let nearest = steps.round();
    ((steps - nearest).abs() < rounding(low, high, step) && nearest >= 0.0).then_some(nearest as u64)
}

/// Largest accepted distance from a grid point, in steps: the rounding errors of the range's bounds.
fn rounding(low: f64, high: f64, step: f64) -> f64 {
    (1e-8 + 4.0 * f64::EPSILON * (low.abs().max(high.abs()) / step)).min(0.25)
}

#[cfg(test)]
mod tests {
    use crate::distribution::Distribution;

    #[test]
    fn ranges_take_no_memory_for_their_values() {
        let int = |low, high, step| Distribution::Int { low, high, log: false, step }.levels().unwrap();
        let wide = int(0, i64::MAX, 1);
        assert_eq!(wide.len(), 1 << 63);
        assert_eq!(wide.get(u64::MAX >> 1), Some(i64::MAX.into()));
        assert_eq!(wide.rank(&i64::MAX.into()), Some(u64::MAX >> 1));
        assert_eq!(wide.rank(&(-1).into()), None);
        let all = int(i64::MIN, i64::MAX, 1);
        assert_eq!(all.get(u64::MAX - 1), Some((i64::MAX - 1).into()));
        assert_eq!(int(2, 11, 3).iter().collect::<Vec<_>>(), [2.into(), 5.into(), 8.into(), 11.into()]);
        assert_eq!((int(2, 11, 3).rank(&8.into()), int(2, 11, 3).rank(&9.into())), (Some(2), None));
        assert!(int(3, 2, 1).is_empty());
        let fine =
            Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(1e-9) }.levels().unwrap();
        assert_eq!(fine.len(), 1_000_000_001);
        assert_eq!(fine.rank(&0.123_456_789.into()), Some(123_456_789));
    }
}
