//! Weighted sums of the values of several budgets, such as differences and slopes, with their errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{EffectiveRows, Estimate, Method};
use crate::options::Options;
use crate::row_scores::RowScores;
use crate::rows::{NoRowError, RowErrors};
use crate::stats::distribution::t_two_sided;
use crate::stats::influence::Influence;
use crate::stats::long_run::LongRun;

/// Degrees of freedom of an error that is treated as known.
const KNOWN: f64 = 1e6;

/// A source of error: something that would differ if a value were measured again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Other validation rows, with the models fixed.
    Rows,
    /// Other seeds for the same configurations.
    Seeds,
    /// Another search, with other configurations and other seeds.
    Search,
}

/// The variance of the independent units that a value is computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Units {
    /// Variance of one unit.
    pub(crate) variance: f64,
    /// Number of units. The variance of the value is the variance of one unit divided by this number.
    pub(crate) count: f64,
    /// Degrees of freedom of `variance`.
    pub(crate) freedom: f64,
    /// The source that makes units differ.
    pub(crate) source: Source,
}

impl Units {
    /// Returns the units of a sample of independent trials.
    pub(crate) fn of_sample(variance: f64, trials: u64) -> Self {
        let count = trials as f64;
        Self { variance, count, freedom: count - 1.0, source: Source::Search }
    }
}

/// An additional variance of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct VariancePart {
    pub(crate) variance: f64,
    pub(crate) freedom: f64,
    pub(crate) source: Source,
}

/// The value of one budget with the sources of its error.
#[derive(Debug, Clone)]
pub(crate) struct BudgetPart<'a> {
    /// Label of the budget.
    pub(crate) label: String,
    /// Exact or nominal number of weights, where known.
    pub(crate) weights: Option<f64>,
    /// Floating-point operations of a training, where known.
    pub(crate) flops: Option<f64>,
    /// The value, in gains: larger is better.
    pub(crate) value: f64,
    /// The units that the value is computed from.
    pub(crate) units: Option<Units>,
    /// An additional part of its error.
    pub(crate) part: Option<VariancePart>,
    /// Models with their weights; the value is the weighted sum of their metrics.
    pub(crate) models: Vec<(f64, RowScores<'a>)>,
    /// Standard error over rows from class counts, where no predictions are stored.
    pub(crate) by_counts: Option<f64>,
}

impl BudgetPart<'_> {
    /// Returns a budget with its label alone.
    pub(crate) fn named(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            weights: None,
            flops: None,
            value: 0.0,
            units: None,
            part: None,
            models: Vec::new(),
            by_counts: None,
        }
    }
}

/// Values on one era of walk-forward folds, and what they gain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EraGain {
    /// Time of the era's first row; absent for a table without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Time of its last row; absent for a table without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Number of its rows.
    pub rows: u64,
    /// Value of each budget on them, in the order of the budgets; in a comparison, those of A and B.
    pub values: Vec<f64>,
    /// Gain per tenfold weights, or per step, on them; in a comparison, the value of B less that of A. Its
    /// error covers other rows of this era alone, for fixed models.
    pub gain: Estimate,
}

/// Several budgets with their common error over rows.
pub(crate) struct Budgets<'a> {
    pub(crate) parts: Vec<BudgetPart<'a>>,
    rows: Rows,
}

/// The error over rows.
enum Rows {
    /// All budgets predict the same rows.
    Paired(RowErrors),
    /// Each budget has a separate error, as if different rows judged each budget.
    Apart(Vec<LongRun>),
    /// The error of some budget is not known.
    Unknown,
}

/// The share of a source in the variance of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// The source.
    pub source: Source,
    /// Variance from this source over the variance from all known sources.
    pub share: f64,
}

/// A weighted sum of values with its error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summed {
    pub(crate) estimate: Estimate,
    pub(crate) freedom: f64,
    /// Two-sided p-value for zero; `None` without an error.
    pub(crate) p: Option<f64>,
    pub(crate) shares: Vec<Share>,
}

impl<'a> Budgets<'a> {
    /// Combines budgets.
    ///
    /// # Errors
    /// Returns [`NoRowError::TooShort`] where predictions are stored but the series of rows is too short for
    /// its dependence.
    pub(crate) fn new(parts: Vec<BudgetPart<'a>>) -> Result<Self, NoRowError> {
        let rows = rows(&parts)?;
        Ok(Self { parts, rows })
    }

    /// Whether the error over rows is known.
    pub(crate) fn knows_rows(&self) -> bool {
        !matches!(self.rows, Rows::Unknown)
    }

    /// Whether all budgets predict the same rows.
    pub(crate) fn is_paired(&self) -> bool {
        matches!(self.rows, Rows::Paired(_))
    }

    /// Whether the error over rows follows the order of the rows in time.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(&self.rows, Rows::Paired(errors) if errors.is_ordered())
    }

    /// Returns the number of series of the rows; `None` for rows of one and for unpaired rows.
    pub(crate) fn series(&self) -> Option<u64> {
        match &self.rows {
            Rows::Paired(errors) => errors.series().map(|series| series as u64),
            Rows::Apart(_) | Rows::Unknown => None,
        }
    }

    /// Returns the weighted sum of the values on each era of the rows; nothing without eras, and where the
    /// budgets do not predict the same rows. `sign` turns gains into values.
    pub(crate) fn of_eras(&self, weights: &[f64], sign: f64, options: &Options) -> Vec<EraGain> {
        let models = || self.parts.iter().flat_map(|part| &part.models).map(|(_, scores)| scores);
        let first = models().next().filter(|_| self.is_paired());
        let Some((first, eras, places)) =
            first.and_then(|first| Some((first, first.series.eras?, first.era_places()?)))
        else {
            return Vec::new();
        };
        let weights: Vec<f64> = self.spread_weights(weights).iter().map(|weight| weight * sign).collect();
        let of_era = |(era, rows): (usize, Vec<usize>)| {
            let influence =
                |scores: &RowScores<'_>| scores.on_rows(&rows, |part| part.without_eras().influence());
            let influences: Vec<Influence> = models().map(influence).collect::<Option<_>>()?;
            let mut next = influences.iter();
            let value = |part: &BudgetPart<'_>| {
                let own = part.models.iter().zip(next.by_ref());
                own.map(|((share, _), one)| share * one.value).sum::<f64>()
            };
            let values: Vec<f64> = self.parts.iter().map(value).collect();
            let point = weights.iter().zip(&influences).map(|(weight, one)| weight * one.value).sum();
            let gain = first
                .on_rows(&rows, |part| {
                    let errors = RowErrors::of(&part.without_eras(), influences).ok()?;
                    let error = errors.of_sum(&weights).ok()?;
                    Estimate::of_rows(point, &error, Method::PairedRows, false, options)
                })
                .unwrap_or(Estimate::observed(point, options));
            let (first, last) = eras.times()[era].clone();
            Some(EraGain { first, last, rows: rows.len() as u64, values, gain })
        };
        places.rows_of_each().into_iter().filter_map(of_era).collect()
    }

    /// Returns the number of eras of the rows; `None` without eras and for unpaired rows.
    pub(crate) fn eras(&self) -> Option<u64> {
        match &self.rows {
            Rows::Paired(errors) => errors.eras().map(|eras| eras as u64),
            Rows::Apart(_) | Rows::Unknown => None,
        }
    }

    /// Returns the weighted sum of the values with its error, by Student's t with the degrees of freedom of
    /// Satterthwaite (1946).
    ///
    /// The variances of the units are pooled over the budgets where that gives the larger error; otherwise
    /// each budget has its own variance, because a few units of a skewed distribution seldom reveal its
    /// tails.
    ///
    /// # Errors
    /// Returns [`NoRowError::TooShort`].
    pub(crate) fn sum(&self, weights: &[f64], options: &Options) -> Result<Summed, NoRowError> {
        let point = self.parts.iter().zip(weights).map(|(part, weight)| part.value * weight).sum();
        let mut parts = self.spread(weights);
        for (part, weight) in self.parts.iter().zip(weights) {
            let scaled =
                |part: VariancePart| VariancePart { variance: part.variance * weight * weight, ..part };
            parts.extend(part.part.map(scaled));
        }
        let rows = self.over_rows(weights)?;
        let other: f64 = parts.iter().map(|part| part.variance).sum();
        parts.extend(rows.map(|rows| {
            // Both variances contain the effect of units on single rows. It is counted once, and the sum
            // stays at least as large as either variance.
            let apart = rows.variance - self.counted_twice(weights, rows.terms);
            let variance = apart.max(rows.variance - other).clamp(0.0, rows.variance);
            VariancePart { variance, freedom: rows.freedom, source: Source::Rows }
        }));
        parts.retain(|part| part.variance > 0.0);
        let variance: f64 = parts.iter().map(|part| part.variance).sum();
        let inverse: f64 = parts.iter().map(|part| (part.variance / variance).powi(2) / part.freedom).sum();
        let freedom = 1.0 / inverse;
        let mut shares: Vec<Share> = Vec::new();
        for part in &parts {
            let share = part.variance / variance;
            match shares.iter_mut().find(|known| known.source == part.source) {
                Some(known) => known.share += share,
                None => shares.push(Share { source: part.source, share }),
            }
        }
        let error = variance.sqrt();
        let student = (error > 0.0)
            .then(|| Estimate::student(point, error, freedom, Method::Sources, options))
            .flatten();
        let effective_rows = rows.filter(|_| self.is_ordered()).map(|rows| EffectiveRows::from(&rows));
        Ok(Summed {
            p: student.and_then(|_| t_two_sided(point / error, freedom)),
            estimate: Estimate { effective_rows, ..student.unwrap_or(Estimate::observed(point, options)) },
            freedom,
            shares,
        })
    }

    /// Returns the covariance of the values of two budgets.
    pub(crate) fn covariance(&self, first: usize, second: usize) -> f64 {
        let of_rows = match &self.rows {
            Rows::Paired(errors) => {
                let only = |budget: usize| {
                    let weights: Vec<f64> =
                        (0..self.parts.len()).map(|b| f64::from(u8::from(b == budget))).collect();
                    self.spread_weights(&weights)
                };
                errors.covariance(&only(first), &only(second), usize::MAX)
            }
            Rows::Apart(own) if first == second => own[first].variance,
            Rows::Apart(_) | Rows::Unknown => 0.0,
        };
        let part = &self.parts[first];
        let own = part.units.map_or(0.0, |units| units.variance / units.count)
            + part.part.map_or(0.0, |part| part.variance);
        if first == second { own + of_rows } else { of_rows }
    }

    fn spread(&self, weights: &[f64]) -> Vec<VariancePart> {
        let units = || {
            let all = self.parts.iter().zip(weights);
            all.filter_map(|(part, weight)| Some((part.units?, *weight)))
        };
        let own = |(units, weight): (Units, f64)| VariancePart {
            variance: weight * weight * units.variance / units.count,
            freedom: units.freedom,
            source: units.source,
        };
        let apart: Vec<VariancePart> = units().map(own).collect();
        let freedom: f64 = units().map(|(units, _)| units.freedom).sum();
        // Pools by the number of units: heavy tails lower the degrees of freedom but not this number.
        let size = |units: Units| units.freedom.max(units.count - 1.0);
        let total: f64 = units().map(|(units, _)| size(units)).sum();
        let pool = units().map(|(units, _)| units.variance * size(units)).sum::<f64>() / total;
        let sum = |parts: &[VariancePart]| parts.iter().map(|part| part.variance).sum::<f64>();
        let spread: f64 = units().map(|(units, weight)| weight * weight / units.count).sum();
        match apart.first() {
            Some(first) if pool * spread > sum(&apart) => {
                vec![VariancePart { variance: pool * spread, freedom, source: first.source }]
            }
            _ => apart,
        }
    }

    /// Returns the part of the variance over rows that the variance of the units also contains: the part
    /// specific to each unit's model (as with readers and cases, Obuchowski & Rockette 1995). With the
    /// variance `A` of a budget's value, the mean variance `D` of its models and `m` equally weighted models,
    /// it is `(D - A) / (m - 1)`.
    fn counted_twice(&self, weights: &[f64], terms: usize) -> f64 {
        let Rows::Paired(errors) = &self.rows else { return 0.0 };
        let mut sum = 0.0;
        let mut start = 0;
        for (place, (part, weight)) in self.parts.iter().zip(weights).enumerate() {
            let models = start..start + part.models.len();
            start = models.end;
            let squares: f64 = part.models.iter().map(|(share, _)| share * share).sum();
            let count = 1.0 / squares;
            if part.units.is_none() || *weight == 0.0 || count < 1.5 {
                continue;
            }
            let single: f64 = models
                .zip(&part.models)
                .map(|(model, (share, _))| share * errors.variance(model, terms))
                .sum();
            let only: Vec<f64> = (0..self.parts.len()).map(|b| f64::from(u8::from(b == place))).collect();
            let only = self.spread_weights(&only);
            let joint = errors.covariance(&only, &only, terms);
            sum += weight * weight * ((single - joint) / (count - 1.0)).max(0.0);
        }
        sum
    }

    /// Returns the weights of all models of all budgets.
    fn spread_weights(&self, weights: &[f64]) -> Vec<f64> {
        let of = self.parts.iter().zip(weights);
        of.flat_map(|(part, weight)| part.models.iter().map(move |(share, _)| share * weight)).collect()
    }

    fn over_rows(&self, weights: &[f64]) -> Result<Option<LongRun>, NoRowError> {
        match &self.rows {
            Rows::Unknown => Ok(None),
            Rows::Paired(errors) => Ok(Some(errors.of_sum(&self.spread_weights(weights))?)),
            Rows::Apart(own) => {
                let parts =
                    || own.iter().zip(weights).map(|(own, weight)| (own, weight * weight * own.variance));
                let variance: f64 = parts().map(|(_, part)| part).sum();
                let inverse: f64 = parts().map(|(own, part)| (part / variance).powi(2) / own.freedom).sum();
                let effective_rows = own.iter().map(|own| own.effective_rows).fold(f64::INFINITY, f64::min);
                let freedom = if inverse > 0.0 { (1.0 / inverse).floor() } else { KNOWN };
                Ok(Some(LongRun { variance, terms: freedom as usize, freedom, effective_rows }))
            }
        }
    }
}

fn rows(parts: &[BudgetPart<'_>]) -> Result<Rows, NoRowError> {
    if parts.iter().all(|part| !part.models.is_empty()) {
        let models: Vec<RowScores<'_>> =
            parts.iter().flat_map(|part| part.models.iter().map(|(_, scores)| *scores)).collect();
        match RowErrors::new(&models) {
            Ok(errors) => return Ok(Rows::Paired(errors)),
            Err(too_short @ NoRowError::TooShort(_)) => return Err(too_short),
            Err(NoRowError::OtherRows | NoRowError::Undefined) => {}
        }
    }
    let own = |part: &BudgetPart<'_>| -> Result<Option<LongRun>, NoRowError> {
        let counted = part.by_counts.map(|error| LongRun {
            variance: error * error,
            terms: KNOWN as usize,
            freedom: KNOWN,
            effective_rows: f64::INFINITY,
        });
        let (weights, models): (Vec<f64>, Vec<RowScores<'_>>) = part.models.iter().copied().unzip();
        match RowErrors::new(&models) {
            Ok(errors) => Ok(Some(errors.of_sum(&weights)?)),
            Err(too_short @ NoRowError::TooShort(_)) => Err(too_short),
            Err(NoRowError::OtherRows | NoRowError::Undefined) => Ok(counted),
        }
    };
    let own: Option<Vec<LongRun>> = parts.iter().map(own).collect::<Result<_, _>>()?;
    Ok(own.map_or(Rows::Unknown, Rows::Apart))
}
