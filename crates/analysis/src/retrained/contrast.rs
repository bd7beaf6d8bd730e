//! Means over seeds of what one model gives, or of the difference of two, with their errors.

use super::Trained;
use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use crate::scores::RowScores;
use crate::stats::delong::delong;
use crate::stats::distribution::{t_half_width, t_two_sided};
use crate::stats::influence::Influence;
use crate::stats::moments::{mean, sample_variance};
use crate::stats::normal;

/// For each seed, what is added up: weights and trainings, as many and in the same order for every seed.
pub(crate) struct Contrast<'a> {
    seeds: Vec<Vec<(f64, Trained<'a>)>>,
}

/// What a difference says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Above 0, by Holm's method.
    Above,
    /// Below 0, by Holm's method.
    Below,
    /// Smaller than the smallest effect of interest, whichever way.
    Nothing,
    /// None of these is told.
    Undecided,
}

impl Outcome {
    /// What an estimate with that adjusted p-value says.
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
    /// The mean of one configuration.
    pub(crate) fn mean(trained: &[Trained<'a>]) -> Self {
        Self { seeds: trained.iter().map(|one| vec![(1.0, *one)]).collect() }
    }

    /// What the first has over the second under the seeds that both have; the other way round where less is better.
    pub(crate) fn difference(first: &[Trained<'a>], second: &[Trained<'a>], sign: f64) -> Self {
        let pair = |one: &Trained<'a>| {
            let other = second.iter().find(|other| other.seed == one.seed)?;
            Some(vec![(sign, *one), (-sign, *other)])
        };
        Self { seeds: first.iter().filter_map(pair).collect() }
    }

    /// The mean over the seeds and the p-value of its being 0; `None` without a seed.
    ///
    /// The error joins what new rows would change, the models being fixed (DeLong, DeLong & Clarke-Pearson 1988, or what each row
    /// contributes to the metric), where predictions of the same rows are stored, and what new seeds would, the variance over them over their number. Rows and seeds
    /// are crossed: what a seed does to single rows is in both, and is counted once (as with readers and cases, Obuchowski & Rockette
    /// 1995). Student's t with Satterthwaite's (1946) degrees of freedom.
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
        let of_seeds = sample_variance(values.iter().copied()).map(|v| v / values.len() as f64);
        let (rows, seeds) = (of_rows.map_or(0.0, |rows| rows.mean), of_seeds.unwrap_or(0.0));
        let shared = of_rows.map_or(0.0, |rows| rows.of_single_seeds(values.len()));
        let variance = (rows + seeds - shared).max(rows).max(seeds);
        if variance <= 0.0 {
            return Some((observed, None));
        }
        let error = variance.sqrt();
        let is_pair = self.seeds.iter().any(|terms| terms.len() > 1);
        let (half, p, method) = match of_seeds.filter(|of_seeds| *of_seeds > 0.0) {
            None => {
                (normal::half_width(options.level), normal::two_sided_p(point / error), self.method_of_rows())
            }
            Some(of_seeds) => {
                let freedom = (values.len() - 1) as f64 * (variance / of_seeds).powi(2);
                let method = if is_pair { Method::PairedSeeds } else { Method::SeedsAndRows };
                (t_half_width(options.level, freedom)?, t_two_sided(point / error, freedom)?, method)
            }
        };
        let interval = Interval { lower: point - half * error, upper: point + half * error };
        let estimate = Estimate { standard_error: Some(error), interval: Some(interval), method, ..observed };
        Some((estimate, Some(p)))
    }

    /// Where the error is over rows alone.
    fn method_of_rows(&self) -> Method {
        let first = self.seeds.first().map(|terms| (terms.len() > 1, terms[0].1.predictions));
        match first {
            Some((true, Some(RowScores::Binary(_)))) => Method::PairedDelong,
            Some((true, _)) => Method::PairedRows,
            Some((false, Some(RowScores::Binary(_)))) => Method::Delong,
            Some((false, _)) | None => Method::RowContributions,
        }
    }

    /// `None` where not all have predictions of the same rows.
    fn over_rows(&self) -> Option<OverRows> {
        let terms: Vec<&(f64, Trained<'_>)> = self.seeds.iter().flatten().collect();
        let predictions: Vec<RowScores<'_>> =
            terms.iter().map(|(_, one)| one.predictions).collect::<Option<_>>()?;
        let covariance = covariance(&predictions)?;
        let variance = |of: std::ops::Range<usize>, share: f64| {
            let of = || of.clone();
            let entries = of().flat_map(|i| of().map(move |j| (i, j)));
            let sum: f64 = entries.map(|(i, j)| terms[i].0 * terms[j].0 * covariance[i][j]).sum();
            (sum * share * share).max(0.0)
        };
        let width = terms.len() / self.seeds.len();
        let single = mean((0..self.seeds.len()).map(|seed| variance(seed * width..(seed + 1) * width, 1.0)))?;
        Some(OverRows { mean: variance(0..terms.len(), 1.0 / self.seeds.len() as f64), single })
    }
}

/// Variances over new rows, the models being fixed.
#[derive(Clone, Copy)]
struct OverRows {
    /// Of the mean over seeds.
    mean: f64,
    /// Mean of the variances under each seed.
    single: f64,
}

impl OverRows {
    /// The part of the mean's variance that seeds do not have in common.
    fn of_single_seeds(self, seeds: usize) -> f64 {
        if seeds < 2 { 0.0 } else { ((self.single - self.mean) / (seeds - 1) as f64).max(0.0) }
    }
}

/// Covariances of the metric of several models over new rows; `None` where they are of different rows.
fn covariance(models: &[RowScores<'_>]) -> Option<Vec<Vec<f64>>> {
    let (first, others) = models.split_first()?;
    if others.iter().any(|other| !first.same_rows(other)) {
        return None;
    }
    if let RowScores::Binary(first) = first {
        let numbers: Vec<Vec<f64>> = models.iter().filter_map(RowScores::numbers).collect();
        let scores: Vec<&[f64]> = numbers.iter().map(Vec::as_slice).collect();
        return Some(delong(first.labels, &scores)?.covariance);
    }
    let influences: Vec<_> = models.iter().map(RowScores::influence).collect::<Option<_>>()?;
    let entry = |a: &Influence, b: &Influence| {
        let products: f64 = a.rows.iter().zip(&b.rows).map(|(a, b)| a * b).sum();
        products / (a.rows.len() as f64).powi(2)
    };
    Some(influences.iter().map(|a| influences.iter().map(|b| entry(a, b)).collect()).collect())
}
