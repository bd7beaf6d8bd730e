//! The eras of walk-forward folds, over which a metric is the mean of its values on each.

use crate::stats::influence::Influence;
use crate::stats::long_run::{LongRun, independent};

/// The times of the first and the last row of an era; `None` where the table has no times.
pub type EraTimes = (Option<String>, Option<String>);

/// The eras of walk-forward folds, with the scored rows of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Eras {
    times: Vec<EraTimes>,
    /// Each row with the place of its era, by the numbers of the rows.
    rows: Vec<(u64, u32)>,
}

/// The era of each of some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EraPlaces {
    of_rows: Vec<u32>,
    count: usize,
}

impl Eras {
    /// Makes eras of their times, in order, and of rows in any order, each with the place of its era.
    pub fn new(
        times: impl IntoIterator<Item = EraTimes>,
        rows: impl IntoIterator<Item = (u64, u32)>,
    ) -> Self {
        let mut rows: Vec<(u64, u32)> = rows.into_iter().collect();
        rows.sort_unstable();
        Self { times: times.into_iter().collect(), rows }
    }

    /// Returns the times of each era.
    pub(crate) fn times(&self) -> &[EraTimes] {
        &self.times
    }

    /// Returns the era of each of these rows; `None` unless each belongs to one, as test rows do not.
    pub(crate) fn places(&self, rows: &[u64]) -> Option<EraPlaces> {
        let find = |row: &u64| {
            let place = self.rows.binary_search_by_key(row, |known| known.0).ok()?;
            Some(self.rows[place].1)
        };
        let of_rows: Vec<u32> = rows.iter().map(find).collect::<Option<_>>()?;
        let count = self.times.len();
        of_rows.iter().all(|era| (*era as usize) < count).then_some(EraPlaces { of_rows, count })
    }
}

impl EraPlaces {
    /// Returns the number of eras.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the places of the rows of each era that has any, in their order.
    pub(crate) fn rows_of_each(&self) -> Vec<(usize, Vec<usize>)> {
        let mut all: Vec<(usize, Vec<usize>)> = (0..self.count).map(|era| (era, Vec::new())).collect();
        for (place, era) in self.of_rows.iter().enumerate() {
            all[*era as usize].1.push(place);
        }
        all.retain(|(_, rows)| !rows.is_empty());
        all
    }

    /// Returns the mean over the eras of a metric, from its influences in each, with each row's influence on
    /// the mean.
    ///
    /// The influences include how far the value of a row's era is from the mean, because another era would
    /// have another value.
    pub(crate) fn mean(&self, eras: &[(Vec<usize>, Influence)]) -> Influence {
        let (rows, count) = (self.of_rows.len() as f64, eras.len() as f64);
        let value = eras.iter().map(|(_, one)| one.value).sum::<f64>() / count;
        let mut joined = Influence { value, rows: vec![0.0; self.of_rows.len()] };
        for (places, one) in eras {
            let weight = rows / (count * places.len() as f64);
            for (place, row) in places.iter().zip(&one.rows) {
                joined.rows[*place] = weight * (row + one.value - value);
            }
        }
        joined
    }

    /// Returns the covariance of the means of two lists of values with mean 0, if the eras are independent
    /// draws.
    pub(crate) fn covariance(&self, first: &[f64], second: &[f64]) -> f64 {
        let (a, b) = (self.sums(first), self.sums(second));
        let rows = first.len() as f64;
        // With one era the mean 0 leaves nothing.
        let count = (self.count as f64).max(2.0);
        a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>() / (rows * rows) * count / (count - 1.0)
    }

    /// Returns the error of the mean of values with mean 0: that over rows, or the larger one of the spread
    /// of the eras, whose degrees of freedom are their number less 1.
    ///
    /// With values of eras that differ, a t test of these values keeps its level, whatever rows of one era
    /// have in common (Ibragimov & Mueller 2010, Journal of Business & Economic Statistics 28).
    pub(crate) fn widened(&self, of_rows: LongRun, values: &[f64]) -> LongRun {
        let variance = self.covariance(values, values);
        if variance <= of_rows.variance {
            return of_rows;
        }
        let freedom = of_rows.freedom.min((self.count as f64 - 1.0).max(1.0));
        let effective_rows = values.len() as f64 * (independent(values) / variance).min(1.0);
        LongRun { variance, freedom, effective_rows, ..of_rows }
    }

    fn sums(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for (value, era) in values.iter().zip(&self.of_rows) {
            sums[*era as usize] += value;
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_over_eras_and_its_error_are_those_of_the_eras_values() {
        let eras = Eras::new(
            vec![(None, None); 3],
            (0..9).map(|row| (row, [0, 0, 1, 1, 1, 2, 2, 2, 2][row as usize])),
        );
        let places = eras.places(&(0..9).collect::<Vec<u64>>()).unwrap();
        let of_era = |rows: &[usize], value: f64| {
            let own =
                rows.iter().map(|row| (*row as f64) - rows.iter().sum::<usize>() as f64 / rows.len() as f64);
            (rows.to_vec(), Influence { value, rows: own.collect() })
        };
        let joined =
            places.mean(&[of_era(&[0, 1], 0.5), of_era(&[2, 3, 4], 0.8), of_era(&[5, 6, 7, 8], 0.2)]);
        assert!((joined.value - 0.5).abs() < 1e-12);
        assert!(joined.rows.iter().sum::<f64>().abs() < 1e-12);
        // The variance of the mean of 0.5, 0.8 and 0.2 is 0.09 / 3.
        assert!((places.covariance(&joined.rows, &joined.rows) - 0.03).abs() < 1e-12);
    }

    #[test]
    fn rows_outside_of_the_eras_have_none() {
        let eras = Eras::new(vec![(None, None); 2], [(7, 1), (3, 0)]);
        assert_eq!(eras.places(&[3, 7, 3]).unwrap().rows_of_each(), [(0, vec![0, 2]), (1, vec![1])]);
        assert!(eras.places(&[3, 8]).is_none());
    }
}
