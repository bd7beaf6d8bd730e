//! Standard errors of means over rows that depend on their neighbours.
//!
//! The long-run variance of a series is estimated by equal-weighted cosines (Müller 2007, Journal of
//! Econometrics 141; Lazarus, Lewis, Stock & Watson 2018, JBES 36). With `B_j = sqrt(2/n) sum_t f_t cos(pi j
//! (t - 1/2) / n)` the estimate is the mean of `B_1^2 .. B_v^2`, and a mean over its standard error follows
//! Student's t with `v` degrees of freedom.

use std::f64::consts::PI;

use super::distribution::f_upper_tail;

/// Fewest cosine terms, if the series has that many rows.
const FLOOR: usize = 8;
/// Most cosine terms: more would hardly make the interval narrower.
const CEILING: usize = 64;
/// The number of terms is at most this times `n^(2/3)`, the rate at which bias and spread shrink together
/// (Lazarus et al. 2018, section 5).
const RATE: f64 = 0.4;
/// Fewest rows per term and per row of the horizon. Chosen by simulation: see `docs/methods/rows.md`.
const ROWS_PER_TERM: f64 = 3.0;
/// Level of the F test that halves the number of terms when the lower half has the larger mean square. Also
/// chosen by simulation.
const FLATNESS: f64 = 0.3;
/// Fewest blocks of the horizon's length; a series with fewer gives no error of its mean.
const FEWEST_BLOCKS: f64 = 8.0;
/// Fewest effective rows of a series. With fewer, more than half of its variance lies in the first eight
/// terms, which then follow a drift.
const FEWEST_EFFECTIVE: f64 = 16.0;

/// Error of the mean of a series of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongRun {
    /// Variance of the mean.
    pub variance: f64,
    /// Number of cosine terms.
    pub terms: usize,
    /// Degrees of freedom: the number of terms, unless other errors are part of this one.
    pub freedom: f64,
    /// Number of independent rows that would give this error; at most the number of rows.
    pub effective_rows: f64,
}

/// The reason why a series gives no error of its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooShort {
    /// The horizon leaves fewer than eight blocks of rows.
    ForHorizon {
        /// Rows of the series.
        rows: usize,
        /// Rows that a label looks ahead.
        horizon: u64,
    },
    /// The different times of rows of several series are fewer than eight blocks of the horizon.
    ForTimes {
        /// Number of different times.
        times: usize,
        /// Number of times that a label looks ahead.
        horizon: u64,
    },
    /// The rows are dependent over so long a time that fewer than sixteen effective rows are left.
    ForMemory {
        /// Rows of the series.
        rows: usize,
    },
}

/// Cosine transform of series with a given number of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Cosines {
    /// `cos(pi i / (2 n))` for `i` below `4 n`.
    table: Vec<f64>,
    rows: usize,
    most: usize,
}

impl Cosines {
    /// Prepares the transform of series of `rows` rows whose labels look `horizon` rows ahead.
    ///
    /// # Errors
    /// Returns [`TooShort::ForHorizon`] for fewer than eight blocks of the horizon.
    pub fn new(rows: usize, horizon: u64) -> Result<Self, TooShort> {
        let horizon = horizon.max(1);
        let n = rows as f64;
        if n < FEWEST_BLOCKS * horizon as f64 {
            return Err(TooShort::ForHorizon { rows, horizon });
        }
        let most = (RATE * n.powf(2.0 / 3.0)).min(n / (ROWS_PER_TERM * horizon as f64));
        let most = (most as usize).clamp(FLOOR, CEILING).min(rows - 1);
        let table = (0..4 * rows).map(|i| (PI * i as f64 / (2.0 * n)).cos()).collect();
        Ok(Self { table, rows, most })
    }

    /// Returns the cosine terms `B_1 .. ` of a series with mean 0, as many as the rows and the horizon allow.
    pub fn terms(&self, series: &[f64]) -> Vec<f64> {
        debug_assert_eq!(series.len(), self.rows);
        let (n, period) = (self.rows, self.table.len());
        let term = |j: usize| {
            // pi j (t + 1/2) / n = pi (j (2 t + 1)) / (2 n), t from 0.
            let mut place = j % period;
            let mut sum = 0.0;
            for value in series {
                sum += value * self.table[place];
                place = (place + 2 * j) % period;
            }
            sum * (2.0 / n as f64).sqrt()
        };
        (1..=self.most).map(term).collect()
    }

    /// Returns the first `count` cosine terms of a series that is 0 except for some values, each given with
    /// its place.
    pub(crate) fn sparse_terms(
        &self,
        values: &(impl Iterator<Item = (usize, f64)> + Clone),
        count: usize,
    ) -> Vec<f64> {
        let period = self.table.len();
        let scale = (2.0 / self.rows as f64).sqrt();
        let term = |j: usize| {
            let sum: f64 =
                values.clone().map(|(place, value)| value * self.table[j * (2 * place + 1) % period]).sum();
            sum * scale
        };
        (1..=count.min(self.most)).map(term).collect()
    }

    /// Returns the error of the mean of a series with these terms. `independent` is the variance of the mean
    /// if the rows were independent.
    ///
    /// The number of terms starts at the most that the rows and the horizon allow. It is halved, down to
    /// eight, as long as the lower half of the terms has a larger mean square than the upper half (F test at
    /// level 0.3): the spectrum of dependent rows falls, and only its low end estimates the variance of the
    /// mean.
    ///
    /// # Errors
    /// Returns [`TooShort::ForMemory`] where the effective rows are fewer than sixteen although the series
    /// has more.
    pub fn error(&self, terms: &[f64], independent: f64) -> Result<LongRun, TooShort> {
        let power = |range: &[f64]| range.iter().map(|term| term * term).sum::<f64>() / range.len() as f64;
        let mut count = terms.len();
        while count > FLOOR {
            let half = (count / 2).max(FLOOR);
            let (low, high) = (power(&terms[..half]), power(&terms[half..count]));
            let (a, b) = (half as f64, (count - half) as f64);
            if count - half < 3 || f_upper_tail(low / high, a, b).is_none_or(|p| p >= FLATNESS) {
                break;
            }
            count = half;
        }
        let variance = power(&terms[..count]) / self.rows as f64;
        let share = if variance > 0.0 { (independent / variance).min(1.0) } else { 1.0 };
        let effective_rows = self.rows as f64 * share;
        if effective_rows < FEWEST_EFFECTIVE.min(self.rows as f64 / 2.0) {
            return Err(TooShort::ForMemory { rows: self.rows });
        }
        Ok(LongRun { variance, terms: count, freedom: count as f64, effective_rows })
    }

    /// Returns the error of the mean of a series with mean 0.
    ///
    /// # Errors
    /// See [`Cosines::error`].
    pub fn error_of(&self, series: &[f64]) -> Result<LongRun, TooShort> {
        self.error(&self.terms(series), independent(series))
    }

    /// Returns the error of the mean of unordered rows, from their own variance, with the number of rows less
    /// 1 as degrees of freedom.
    pub fn unordered(series: &[f64]) -> LongRun {
        let rows = series.len();
        let terms = rows.saturating_sub(1);
        let effective_rows = rows as f64;
        LongRun { variance: independent(series), terms, freedom: terms as f64, effective_rows }
    }
}

/// Returns the variance of the mean of a series with mean 0 if its rows were independent.
pub fn independent(series: &[f64]) -> f64 {
    let n = series.len() as f64;
    series.iter().map(|value| value * value).sum::<f64>() / (n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_the_cosine_sums() {
        let series: Vec<f64> = (0..30).map(|t| f64::from(t * t % 7) - 3.0).collect();
        let cosines = Cosines::new(30, 1).unwrap();
        let terms = cosines.terms(&series);
        for (place, term) in terms.iter().enumerate() {
            let j = (place + 1) as f64;
            let sum: f64 = (0..30).map(|t| series[t] * (PI * j * (t as f64 + 0.5) / 30.0).cos()).sum();
            assert!((term - sum * (2.0_f64 / 30.0).sqrt()).abs() < 1e-12);
        }
        let sparse = cosines.sparse_terms(&series.iter().copied().enumerate(), 5);
        assert!(sparse.len() == 5 && sparse.iter().zip(&terms).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn the_horizon_and_the_rows_bound_the_terms() {
        assert_eq!(Cosines::new(717, 1).unwrap().most, 32);
        assert_eq!(Cosines::new(717, 20).unwrap().most, 11);
        assert_eq!(Cosines::new(100_000, 1).unwrap().most, CEILING);
        assert_eq!(Cosines::new(160, 20).unwrap().most, FLOOR);
        assert_eq!(Cosines::new(159, 20), Err(TooShort::ForHorizon { rows: 159, horizon: 20 }));
        assert_eq!(Cosines::new(8, 0).unwrap().most, 7);
    }

    #[test]
    fn a_drift_leaves_too_few_rows() {
        let series: Vec<f64> = (0..700).map(|t| f64::from(t) - 349.5).collect();
        let cosines = Cosines::new(700, 1).unwrap();
        assert_eq!(cosines.error_of(&series), Err(TooShort::ForMemory { rows: 700 }));
    }
}
