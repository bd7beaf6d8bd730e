//! The data of a Gaussian process.

use std::collections::HashMap;

use super::point::Point;
use crate::sampler::lattice::{Cell, Lattice};

/// Number of identical repeats from which the evaluation is assumed not to depend on the seed; fewer can be
/// equal by chance where a metric has few values.
pub(super) const TELLING_REPEATS: f64 = 3.0;

/// The values of configurations: the mean of each, and how repeats deviate from it.
#[derive(Debug, Clone, Default)]
pub(super) struct Observations {
    /// The study's own configurations in the order of their first trials, then those of other budgets.
    pub(super) points: Vec<Point>,
    /// Mean of the values of each.
    pub(super) means: Vec<f64>,
    /// Number of the values of each.
    pub(super) counts: Vec<f64>,
    pub(super) repeats: Repeats,
    /// Index of each of the study's own configurations.
    places: HashMap<Cell, usize>,
}

/// Deviations of values from the mean of their configuration.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Repeats {
    /// Sum of the squared deviations.
    pub(super) squares: f64,
    /// Degrees of freedom: the number of values less the number of configurations.
    pub(super) freedom: f64,
}

impl Repeats {
    /// The negative logarithm of the density of the deviations, up to a constant, where values of one
    /// configuration are normal with variance `among`.
    pub(super) fn energy(self, among: f64) -> f64 {
        0.5 * (self.freedom * among.ln() + self.squares / among)
    }

    /// Whether there are several repeats, all with the value of their configuration's first trial.
    pub(super) fn are_identical(self) -> bool {
        self.freedom >= TELLING_REPEATS && self.squares <= 1e-20 * self.freedom
    }
}

impl Observations {
    /// The values of a study's own trials.
    pub(super) fn new<'c>(lattice: &Lattice, values: impl IntoIterator<Item = (&'c Cell, f64)>) -> Self {
        let mut own = Self::default();
        for (cell, value) in values {
            own.add(lattice, cell, value);
        }
        own
    }

    /// The same, where a value that equals an earlier one of its configuration does not count.
    pub(super) fn of_distinct<'c>(
        lattice: &Lattice,
        values: impl IntoIterator<Item = (&'c Cell, f64)>,
    ) -> Self {
        let mut seen: HashMap<&Cell, Vec<f64>> = HashMap::new();
        let is_new = |(cell, value): &(&'c Cell, f64)| {
            let seen = seen.entry(cell).or_default();
            let is_new = !seen.contains(value);
            seen.push(*value);
            is_new
        };
        Self::new(lattice, values.into_iter().filter(is_new))
    }

    /// Adds a value of one of the study's own configurations.
    pub(super) fn add(&mut self, lattice: &Lattice, cell: &Cell, value: f64) {
        let Some(&i) = self.places.get(cell) else {
            self.places.insert(cell.clone(), self.points.len());
            return self.extend([Point::own(lattice, cell)], &[value]);
        };
        // Welford (1962): the mean and the squared deviations with one more value.
        let (mean, count) = (&mut self.means[i], &mut self.counts[i]);
        let before = value - *mean;
        *count += 1.0;
        *mean += before / *count;
        self.repeats.squares += before * (value - *mean);
        self.repeats.freedom += 1.0;
    }

    /// Adds configurations with one value each.
    pub(super) fn extend(&mut self, points: impl IntoIterator<Item = Point>, values: &[f64]) {
        self.points.extend(points);
        self.means.extend(values);
        self.counts.resize(self.points.len(), 1.0);
    }

    /// The index of one of the study's own configurations.
    pub(super) fn place(&self, cell: &[u64]) -> Option<usize> {
        self.places.get(cell).copied()
    }
}

/// The variance of the mean of `count` values around the smooth function, as a multiple of the variance of
/// one value, where `own` is the share of that variance which is specific to a configuration.
pub(super) fn noise_factor(own: f64, count: f64) -> f64 {
    own + (1.0 - own) / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::tests::ordinals;

    #[test]
    fn repeats_are_one_configuration() {
        let lattice = Lattice::new(&ordinals(&[9, 9]));
        let cells: [Cell; 3] = [vec![0, 1], vec![2, 3], vec![4, 4]];
        let values = [(0, 1.0), (1, 5.0), (0, 4.0), (2, 7.0), (0, 1.0), (2, 7.0)];
        let values = values.map(|(i, value): (usize, f64)| (&cells[i], value));
        let all = Observations::new(&lattice, values);
        assert_eq!((all.means, all.counts), (vec![2.0, 5.0, 7.0], vec![3.0, 1.0, 2.0]));
        assert!((all.repeats.squares - 6.0).abs() < 1e-12, "1 + 4 + 1");
        assert_eq!(all.repeats.freedom, 3.0);
        assert!(!all.repeats.are_identical());
        let distinct = Observations::of_distinct(&lattice, values);
        assert_eq!((&distinct.means, &distinct.counts), (&vec![2.5, 5.0, 7.0], &vec![2.0, 1.0, 1.0]));
        assert!((distinct.repeats.squares - 4.5).abs() < 1e-12 && distinct.repeats.freedom == 1.0);
        assert_eq!((distinct.place(&[2, 3]), distinct.place(&[3, 2])), (Some(1), None));
    }

    #[test]
    fn three_equal_repeats_tell_that_seeds_do_not_matter() {
        let lattice = Lattice::new(&ordinals(&[9]));
        let cells: Vec<Cell> = (0..4).map(|i| vec![i]).collect();
        let mut all = Observations::new(&lattice, cells.iter().map(|cell| (cell, 0.1)));
        for (cell, identical) in cells.iter().zip([false, false, true, true]) {
            all.add(&lattice, cell, 0.1);
            assert_eq!(all.repeats.are_identical(), identical);
        }
        all.add(&lattice, &cells[0], 0.1001);
        assert!(!all.repeats.are_identical());
    }
}
