//! Means over seeds of one model's value, or of the difference of two models, with their errors.

use super::Trained;
use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use crate::row_scores::RowScores;
use crate::rows::RowErrors;
use crate::stats::distribution::t_two_sided;
use crate::stats::long_run::LongRun;
use crate::stats::moments::{mean, sample_variance};

/// Pairs of weight and training to sum for each seed, in equal number and order for every seed.
pub(crate) struct Contrast<'a> {
    seeds: Vec<Vec<(f64, Trained<'a>)>>,
}

/// The conclusion about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Significantly above 0, by Holm's method.
    Above,
    /// Significantly below 0, by Holm's method.
    Below,
    /// Smaller in size than the smallest effect of interest.
    Nothing,
    /// None of these conclusions is significant.
    Undecided,
}

impl Outcome {
    /// Returns the conclusion from an estimate and its adjusted p-value.
    pub(crate) fn new(estimate: &Estimate, p_holm: Option<f64>, options: &Options) -> Self {
        if p_holm.is_some_and(|p| p < 1.0 - options.level) {
            return if estimate.point > 0.0 { Self::Above } else { Self::Below };
        }
        match estimate.interval {
            Some(interval) if interval.is_within(options.effect()) => Self::Nothing,
            _ => Self::Undecided,
        }
    }
}

impl<'a> Contrast<'a> {
    /// Returns the mean of one configuration.
    pub(crate) fn mean(trained: &[Trained<'a>]) -> Self {
        Self { seeds: trained.iter().map(|one| vec![(1.0, *one)]).collect() }
    }

    /// Returns the first configuration less the second under the seeds that both have, times `sign`, so that
    /// a positive difference means better.
    pub(crate) fn difference(first: &[Trained<'a>], second: &[Trained<'a>], sign: f64) -> Self {
        let pair = |one: &Trained<'a>| {
            let other = second.iter().find(|other| other.seed == one.seed)?;
            Some(vec![(sign, *one), (-sign, *other)])
        };
        Self { seeds: first.iter().filter_map(pair).collect() }
    }

    /// Returns the mean over the seeds and its p-value for zero; `None` without a seed.
    ///
    /// The error has two sources. New rows, for fixed models, where predictions of the same rows are stored:
    /// the long-run variance of the rows' influences. New seeds: the variance over the seeds divided by their
    /// number. Rows and seeds are crossed: both variances contain the effect of a seed on single rows, which
    /// is counted once (as with readers and cases, Obuchowski & Rockette 1995). The p-value uses Student's t
    /// with Satterthwaite's (1946) degrees of freedom.
    pub(crate) fn estimate(&self, options: &Options) -> Option<(Estimate, Option<f64>)> {
        let value = |terms: &Vec<(f64, Trained<'_>)>| terms.iter().map(|(w, one)| w * one.value).sum::<f64>();
        let values: Vec<f64> = self.seeds.iter().map(value).collect();
        let point = mean(values.iter().copied())?;
        let observed = Estimate::observed(point, options);
        let is_nothing = |terms: &Vec<(f64, Trained<'_>)>| match terms[..] {
            [(_, first), (_, second)] => std::ptr::eq(first.trial, second.trial),
            _ => false,
        };
        if self.seeds.iter().all(is_nothing) {
            let nothing = Some(Interval { lower: 0.0, upper: 0.0 });
            return Some((Estimate { interval: nothing, method: Method::Identical, ..observed }, None));
        }
        let of_rows = self.over_rows();
        let of_seeds = sample_variance(values.iter().copied()).map_or(0.0, |v| v / values.len() as f64);
        let rows = of_rows.map_or(0.0, |rows| rows.mean.variance);
        let shared = of_rows.map_or(0.0, |rows| rows.of_single_seeds(values.len()));
        let variance = (rows + of_seeds - shared).max(rows).max(of_seeds);
        if variance <= 0.0 {
            return Some((observed, None));
        }
        let parts = of_rows
            .map(|rows| (rows.mean.variance, rows.mean.freedom))
            .into_iter()
            .chain((of_seeds > 0.0).then(|| (of_seeds, (values.len() - 1) as f64)));
        let inverse: f64 = parts.map(|(part, freedom)| (part / variance).powi(2) / freedom).sum();
        let (error, freedom) = (variance.sqrt(), 1.0 / inverse);
        let is_pair = self.seeds.iter().any(|terms| terms.len() > 1);
        let method = match (of_seeds > 0.0, is_pair) {
            (true, true) => Method::PairedSeeds,
            (true, false) => Method::SeedsAndRows,
            (false, true) => Method::PairedRows,
            (false, false) => Method::Rows,
        };
        let estimate = Estimate::student(point, error, freedom, method, options)?;
        let effective_rows = of_rows.map(|rows| (&rows.mean).into());
        Some((Estimate { effective_rows, ..estimate }, t_two_sided(point / error, freedom)))
    }

    /// Returns the variances over rows; `None` unless all trainings have predictions of the same rows that
    /// give an error.
    fn over_rows(&self) -> Option<OverRows> {
        let terms: Vec<&(f64, Trained<'_>)> = self.seeds.iter().flatten().collect();
        let predictions: Vec<RowScores<'_>> =
            terms.iter().map(|(_, one)| one.predictions).collect::<Option<_>>()?;
        let errors = RowErrors::new(&predictions).ok()?;
        let weights = |of: std::ops::Range<usize>, share: f64| -> Vec<f64> {
            (0..terms.len()).map(|i| if of.contains(&i) { terms[i].0 * share } else { 0.0 }).collect()
        };
        let mean_of = errors.of_sum(&weights(0..terms.len(), 1.0 / self.seeds.len() as f64)).ok()?;
        let width = terms.len() / self.seeds.len();
        let single = (0..self.seeds.len()).map(|seed| {
            let weights = weights(seed * width..(seed + 1) * width, 1.0);
            errors.covariance(&weights, &weights, mean_of.terms)
        });
        let single = mean(single.collect::<Vec<f64>>())?;
        Some(OverRows { mean: mean_of, single })
    }
}

/// Variances over new rows, for fixed models.
#[derive(Clone, Copy)]
struct OverRows {
    /// Variance of the mean over seeds.
    mean: LongRun,
    /// Mean of the variances under each seed.
    single: f64,
}

impl OverRows {
    /// Returns the part of the mean's variance that is specific to single seeds.
    fn of_single_seeds(self, seeds: usize) -> f64 {
        if seeds < 2 { 0.0 } else { ((self.single - self.mean.variance) / (seeds - 1) as f64).max(0.0) }
    }
}
