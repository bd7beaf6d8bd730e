//! The mapping from points of the unit cube to configurations.

use super::configuration::Configuration;
use super::feasible::Feasible;

impl Feasible {
    /// Number of parameters, which is the number of coordinates of [`Self::at`].
    pub fn dimension(&self) -> usize {
        self.is_architecture.len()
    }

    /// The configuration at a point of `[0, 1)^d`, with one coordinate per parameter in the order of the
    /// space. Uniform points give all architectures equal probability, except that integers on a log scale
    /// have probabilities in proportion to their logarithmic width.
    ///
    /// The architecture is found by the inverse Rosenblatt transformation (Rosenblatt 1952): each coordinate
    /// selects a value of its parameter from the conditional distribution given the values selected before,
    /// among the admitted architectures. So no point is rejected, and evenly spread points stay evenly spread
    /// in each parameter. Takes a binary search per parameter. Where a constraint on other parameters too
    /// does not hold, another configuration is substituted.
    ///
    /// # Panics
    /// Where `point` has fewer than [`Self::dimension`] coordinates.
    pub fn at(&self, point: &[f64]) -> Configuration {
        let mut configuration = self.combination_at(point);
        self.settle(&mut configuration);
        if self.meets(&configuration) { configuration } else { self.substitute(point) }
    }

    /// The combination at a point, mapped as in [`Self::at`], which also has values of inactive parameters.
    pub(super) fn combination_at(&self, point: &[f64]) -> Configuration {
        let (mut low, mut high) = (0, self.places.len());
        let mut rest = Vec::with_capacity(self.rest.len());
        let mut d = 0;
        for (u, is_architecture) in point.iter().zip(&self.is_architecture) {
            if *is_architecture {
                (low, high) = self.narrow(low, high, d, *u);
                d += 1;
            } else {
                rest.push(self.rest[rest.len()].at(*u));
            }
        }
        Configuration { architecture: low as u32, rest }
    }

    /// The architectures in `low..high`, which agree in all parameters before `d`, that have the value
    /// selected by `u` for parameter `d`.
    fn narrow(&self, low: usize, high: usize, d: usize, u: f64) -> (usize, usize) {
        let picked = if self.shares.is_empty() {
            low + (u * (high - low) as f64) as usize
        } else {
            let before = if low == 0 { 0.0 } else { self.shares[low - 1] };
            let share = before + u * (self.shares[high - 1] - before);
            low + self.shares[low..high].partition_point(|s| *s <= share)
        };
        let digit = self.digit(picked.min(high - 1), d);
        // Within the range the ranks of the parameter ascend.
        let start = partition_point(low, high, |i| self.digit(i, d) < digit);
        let end = partition_point(start, high, |i| self.digit(i, d) <= digit);
        (start, end)
    }
}

/// The first index of `low..high` for which `before` does not hold.
fn partition_point(mut low: usize, mut high: usize, before: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low.midpoint(high);
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
