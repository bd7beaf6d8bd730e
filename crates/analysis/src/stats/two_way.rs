//! Standard errors of means over rows that depend on each other in two ways: rows of one time across series,
//! and rows of one series over time.
//!
//! With clusters by time and by series the variance is `V = V_time + V_series - V_both` (Cameron, Gelbach &
//! Miller 2011, Journal of Business & Economic Statistics 29; Thompson 2011, Journal of Financial Economics
//! 99). `V_time` is the long-run variance of the sums over each time, by the cosines of
//! [`long_run`](super::long_run), so that it also allows for common shocks that last and for labels that
//! overlap. `V_series` is the sum of the squares of the sums over each series. Both contain the variance that
//! the rows of one series have by themselves, with its dependence in time; `V_both` is this part, by the same
//! cosines.

use super::long_run::{Cosines, LongRun, TooShort, independent};

/// Series and times of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// Place of each row's series, without gaps.
    pub(crate) series: Vec<usize>,
    /// Place of each row's time among those that occur, in order.
    pub(crate) times: Vec<usize>,
    /// Number of series.
    pub(crate) all_series: usize,
    /// Number of times.
    pub(crate) all_times: usize,
    /// Number of times that a label looks ahead.
    horizon: u64,
}

/// Errors of means over rows with two-way clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoWay {
    clusters: Clusters,
    /// Rows in the order of their series and, within each, of their times.
    order: Vec<usize>,
    cosines: Cosines,
    /// Number of series that would give these degrees of freedom if all had as many rows.
    effective_series: f64,
}

/// Parts of a variance or covariance.
#[derive(Debug, Clone, Copy)]
struct Parts {
    time: f64,
    series: f64,
    both: f64,
}

impl Clusters {
    /// Makes clusters of rows by the numbers of their series and times. Labels look `horizon` rows ahead in
    /// their series.
    pub fn new(series: &[u32], times: &[u32], horizon: u64) -> Self {
        let (series, all_series) = without_gaps(series);
        let (times, all_times) = without_gaps(times);
        // The rows of a series may be several times apart: the usual step is the mean one.
        let mut span: Vec<Option<(usize, usize, usize)>> = vec![None; all_series];
        for (&series, &time) in series.iter().zip(&times) {
            let (first, last, count) = span[series].unwrap_or((time, time, 0));
            span[series] = Some((first.min(time), last.max(time), count + 1));
        }
        let (mut steps, mut length) = (0, 0);
        for (first, last, count) in span.into_iter().flatten() {
            steps += count - 1;
            length += last - first;
        }
        let step = if steps == 0 { 1.0 } else { (length as f64 / steps as f64).max(1.0) };
        let horizon = (horizon.max(1) as f64 * step).ceil() as u64;
        Self { series, times, all_series, all_times, horizon }
    }

    /// Returns the sum of the values of each time, in their order.
    pub(crate) fn by_time(&self, values: &[f64]) -> Vec<f64> {
        sums(values, &self.times, self.all_times)
    }

    /// Returns the number of times that a label looks ahead.
    pub(crate) fn horizon(&self) -> u64 {
        self.horizon
    }
}

impl TwoWay {
    /// Prepares the errors of any sum over rows with these clusters.
    ///
    /// # Errors
    /// [`TooShort::ForTimes`] for fewer times than eight blocks of the horizon.
    pub fn new(clusters: Clusters) -> Result<Self, TooShort> {
        let Clusters { all_times: times, horizon, .. } = clusters;
        let cosines = Cosines::new(times, horizon).map_err(|_| TooShort::ForTimes { times, horizon })?;
        let mut order: Vec<usize> = (0..clusters.series.len()).collect();
        order.sort_by_key(|&row| (clusters.series[row], clusters.times[row]));
        let sizes = sums(&vec![1.0; clusters.series.len()], &clusters.series, clusters.all_series);
        let squares: f64 = sizes.iter().map(|size| size * size).sum();
        let effective_series = sizes.iter().sum::<f64>().powi(2) / squares;
        Ok(Self { clusters, order, cosines, effective_series })
    }

    /// Returns the number of series.
    pub(crate) fn series(&self) -> usize {
        self.clusters.all_series
    }

    /// Returns the error of the mean of values with mean 0, one for each row.
    ///
    /// The variance is at least as large as each of the one-way variances, which also holds where the
    /// difference is not positive: a variance of two-way components is. The degrees of freedom are those of
    /// Satterthwaite (1946) for the two of them: the number of cosine terms, and the effective number of
    /// series less 1 (Carter, Schnepel & Steigerwald 2017).
    ///
    /// # Errors
    /// [`TooShort::ForMemory`] where the times depend on each other over too long a time.
    pub fn error(&self, values: &[f64]) -> Result<LongRun, TooShort> {
        let of_times = self.of_times(values);
        let time = self.cosines.error(&self.cosines.terms(&of_times), independent(&of_times))?;
        let parts = Parts { time: time.variance, ..self.parts(values, values, time.terms) };
        let variance = parts.floored();
        let of_series = (self.effective_series - 1.0).max(1.0);
        let inverse = (parts.time / variance).powi(2) / time.terms as f64
            + (parts.series / variance).powi(2) / of_series;
        let freedom = if inverse > 0.0 { (1.0 / inverse).min(time.terms as f64) } else { time.terms as f64 };
        let rows = values.len() as f64;
        let share = if variance > 0.0 { (independent(values) / variance).min(1.0) } else { 1.0 };
        Ok(LongRun { variance, terms: time.terms, freedom: freedom.max(1.0), effective_rows: rows * share })
    }

    /// Returns the covariance of the means of two lists of values with mean 0, from the first `terms` cosine
    /// terms. That of a list with itself is the variance of [`TwoWay::error`].
    pub fn covariance(&self, first: &[f64], second: &[f64], terms: usize) -> f64 {
        let parts = self.parts(first, second, terms);
        if first == second { parts.floored() } else { parts.difference() }
    }

    /// Returns the sum of the values of each time, scaled so that their mean over times is that over rows.
    fn of_times(&self, values: &[f64]) -> Vec<f64> {
        let scale = self.clusters.all_times as f64 / values.len() as f64;
        self.clusters.by_time(values).into_iter().map(|sum| sum * scale).collect()
    }

    fn parts(&self, first: &[f64], second: &[f64], terms: usize) -> Parts {
        let rows = first.len() as f64;
        let times = self.clusters.all_times as f64;
        let [a, b] = [first, second].map(|values| self.cosines.terms(&self.of_times(values)));
        let count = terms.min(a.len());
        let time = product(&a[..count], &b[..count]) / count as f64 / times;
        let [a, b] =
            [first, second].map(|values| sums(values, &self.clusters.series, self.clusters.all_series));
        // With one series the mean 0 leaves nothing.
        let few = self.effective_series.max(2.0);
        let series = product(&a, &b) / (rows * rows) * few / (few - 1.0);
        let scale = times / rows;
        let both: f64 = self
            .order
            .chunk_by(|a, b| self.clusters.series[*a] == self.clusters.series[*b])
            .map(|rows| {
                let own = |values: &[f64]| {
                    let placed = rows.iter().map(|&row| (self.clusters.times[row], values[row] * scale));
                    self.cosines.sparse_terms(&placed, count)
                };
                let a = own(first);
                if first == second { product(&a, &a) } else { product(&a, &own(second)) }
            })
            .sum();
        Parts { time, series, both: both / count as f64 / times }
    }
}

impl Parts {
    fn difference(self) -> f64 {
        self.time + self.series - self.both
    }

    /// Returns the difference, or the larger of the one-way variances if that is more.
    fn floored(self) -> f64 {
        self.difference().max(self.time).max(self.series)
    }
}

/// Returns numbers from 0 without gaps in the same order, and how many different ones there are.
fn without_gaps(numbers: &[u32]) -> (Vec<usize>, usize) {
    let mut different = numbers.to_vec();
    different.sort_unstable();
    different.dedup();
    let place = |number: &u32| different.binary_search(number).unwrap_or_else(|place| place);
    (numbers.iter().map(place).collect(), different.len())
}

/// Returns the sum of the values of each cluster.
fn sums(values: &[f64], clusters: &[usize], count: usize) -> Vec<f64> {
    let mut sums = vec![0.0; count];
    for (value, cluster) in values.iter().zip(clusters) {
        sums[*cluster] += value;
    }
    sums
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
