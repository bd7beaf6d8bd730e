//! From points of the unit cube to configurations.

use super::feasible::{Configuration, Feasible};

impl Feasible {
    /// Number of parameters: coordinates of [`Self::at`].
    pub fn dimension(&self) -> usize {
        self.is_architecture.len()
    }

    /// The configuration at a point of `[0, 1)^d`, one coordinate per parameter in the space's order. Uniform points
    /// give every architecture the same chance, integers and floats on a log scale one in proportion to its logarithm.
    ///
    /// The architecture is found by the inverse of Rosenblatt's transformation (1952): each coordinate picks a value of
    /// its parameter from the conditional distribution given the values picked before, among admitted architectures
    /// alone. So nothing is rejected, and evenly spread points stay evenly spread in each parameter. Takes a binary
    /// search per parameter. Where a constraint over more than the architecture does not hold, another configuration stands in.
    ///
    /// # Panics
    /// Where `point` has fewer than [`Self::dimension`] coordinates.
    pub fn at(&self, point: &[f64]) -> Configuration {
        let mut configuration = self.combination_at(point);
        self.settle(&mut configuration);
        if self.meets(&configuration) { configuration } else { self.instead(point) }
    }

    /// As [`Self::at`], with a value also of each parameter that does not exist there.
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

    /// The architectures in `low..high`, which agree in all parameters before `d`, that have the value which `u` picks
    /// for `d`.
    fn narrow(&self, low: usize, high: usize, d: usize, u: f64) -> (usize, usize) {
        let picked = if self.shares.is_empty() {
            low + (u * (high - low) as f64) as usize
        } else {
            let before = if low == 0 { 0.0 } else { self.shares[low - 1] };
            let share = before + u * (self.shares[high - 1] - before);
            low + self.shares[low..high].partition_point(|s| *s <= share)
        };
        let digit = self.digit(picked.min(high - 1), d);
        // Within the range the parameter's ranks ascend.
        let start = partition_point(low, high, |i| self.digit(i, d) < digit);
        let end = partition_point(start, high, |i| self.digit(i, d) <= digit);
        (start, end)
    }
}

/// The first of `low..high` for which `before` does not hold.
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
