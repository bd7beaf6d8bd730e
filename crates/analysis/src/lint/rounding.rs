//! Bounds of the exact numbers behind rounded numbers.
//!
//! A root of a sum of squares is the length of a vector. A rounding error `e` changes this length by at most
//! its own length: `| |x + e| - |x| | <= |e|`. The root is therefore known to within the length of the vector
//! of rounding errors, each of which is at most half a unit of its last digit.

use super::stated::{Printed, StatedLevel, StatedStudy};

/// Bounds of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Bounds {
    pub(super) fn around(center: f64, error: f64) -> Self {
        Self { low: (center - error).next_down(), high: (center + error).next_up() }
    }

    /// Whether no number lies in both. False where a bound is NaN.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        self.low > other.high || self.high < other.low
    }
}

impl Printed {
    /// Returns the bounds of the number before rounding, if it was computed to within `error`.
    pub(super) fn bounds(&self, error: f64) -> Bounds {
        Bounds::around(self.value, self.half_unit + error)
    }

    /// Whether two printed forms cannot be the same number: they differ with equally many digits, or differ
    /// by more than their last digits allow.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        if self.half_unit == other.half_unit {
            self.value != other.value
        } else {
            self.bounds(0.0).excludes(&other.bounds(0.0))
        }
    }
}

/// Returns a bound of the floating-point error of a mean or a standard deviation of `count` values no larger
/// than `largest`. Summing in any order has an error of at most `(n - 1) u sum |x|` (Higham 2002, eq. 4.4),
/// where `u` is half the machine epsilon. A mean then has an error of at most `n u M`, deviations from it
/// have that error again, and rounding each operation adds less than that.
fn float_error(count: f64, largest: f64) -> f64 {
    4.0 * (count + 4.0) * f64::EPSILON * largest
}

/// Returns a bound of the floating-point error of any mean or standard deviation in the part about a budget.
/// No value is further from the mean than `sqrt(n)` standard deviations (Samuelson 1968).
pub(super) fn study_error(study: &StatedStudy) -> f64 {
    let trials = study.trials.as_ref().map_or(0, |trials| trials.value) as f64;
    let reach = |mean: Option<Printed>, sd: Option<Printed>, count: f64| {
        let largest = |printed: Option<Printed>| printed.map_or(0.0, |p| p.value.abs() + p.half_unit);
        largest(mean) + largest(sd) * count.sqrt()
    };
    let of = |stated: &Option<super::stated::Stated<Option<Printed>>>| stated.as_ref().and_then(|s| s.value);
    let levels = study.trends.iter().flat_map(|trend| &trend.levels);
    let largest = levels
        .map(|level| reach(Some(level.mean), Some(level.sd), level.count as f64))
        .fold(reach(of(&study.mean), of(&study.sd), trials), f64::max);
    let count: u64 = study.trends.iter().flat_map(|trend| &trend.levels).map(|level| level.count).sum();
    float_error(trials.max(count as f64), largest)
}

/// The groups of a trend's table, with a bound of the floating-point error of each figure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups<'r> {
    pub(super) levels: &'r [StatedLevel],
    pub(super) error: f64,
}

impl Groups<'_> {
    /// Returns the number of trials in all groups.
    pub(super) fn count(&self) -> u64 {
        self.levels.iter().map(|level| level.count).sum()
    }

    /// Returns the sum over the groups of count times `figure`.
    pub(super) fn weighted(&self, figure: impl Fn(&StatedLevel) -> f64) -> f64 {
        self.levels.iter().map(|level| level.count as f64 * figure(level)).sum()
    }

    /// Returns the mean of all trials in the groups.
    pub(super) fn mean(&self) -> Bounds {
        let count = self.count() as f64;
        let center = self.weighted(|level| level.mean.value) / count;
        Bounds::around(center, self.weighted(|level| level.mean.half_unit) / count + self.error)
    }

    /// Returns the root of the sum of squares between the groups.
    pub(super) fn between(&self) -> Bounds {
        let center = self.weighted(|level| level.mean.value) / self.count() as f64;
        self.root(|level| level.count as f64, |level| level.mean.value - center, |level| level.mean, 0.0)
    }

    /// Returns the root of the sum of squares of the groups' means around a printed mean.
    pub(super) fn around(&self, mean: Printed) -> Bounds {
        let own = mean.half_unit + self.error;
        self.root(|level| level.count as f64, |level| level.mean.value - mean.value, |level| level.mean, own)
    }

    /// Returns the root of the sum of squares within the groups.
    pub(super) fn within(&self) -> Bounds {
        self.root(|level| (level.count - 1) as f64, |level| level.sd.value, |level| level.sd, 0.0)
    }

    /// Returns the length of the vector `sqrt(weight) part`. The error of each part is at most the half unit
    /// of a printed number, plus the floating-point errors of both terms of a difference, plus `more`.
    fn root(
        &self,
        weight: impl Fn(&StatedLevel) -> f64,
        part: impl Fn(&StatedLevel) -> f64,
        printed: impl Fn(&StatedLevel) -> Printed,
        more: f64,
    ) -> Bounds {
        let (mut squares, mut errors) = (0.0, 0.0);
        for level in self.levels {
            let error = printed(level).half_unit + 2.0 * self.error + more;
            squares += weight(level) * part(level) * part(level);
            errors += weight(level) * error * error;
        }
        let length = squares.sqrt();
        let arithmetic = length * f64::EPSILON * (self.levels.len() + 4) as f64;
        let bounds = Bounds::around(length, errors.sqrt() + arithmetic);
        Bounds { low: bounds.low.max(0.0), ..bounds }
    }
}

/// Returns the root of the sum of the squares of lengths.
pub(super) fn length(parts: &[Bounds]) -> Bounds {
    let root = |end: fn(&Bounds) -> f64| parts.iter().map(|part| end(part) * end(part)).sum::<f64>().sqrt();
    let arithmetic = 1.0 + f64::EPSILON * (parts.len() + 4) as f64;
    Bounds { low: root(|part| part.low) / arithmetic, high: root(|part| part.high) * arithmetic }
}
