//! Numbers with their uncertainty.

use allometry_core::ClassCounts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::options::Options;
use crate::stats::distribution::t_half_width;
use crate::stats::long_run::LongRun;
use crate::stats::{auc, normal, proportion};

/// An interval with its two ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Interval {
    /// Whether a number lies inside the interval, ends included.
    pub fn contains(&self, x: f64) -> bool {
        (self.lower..=self.upper).contains(&x)
    }

    /// Returns the part of the interval between 0 and 1, where an AUC lies.
    #[must_use]
    pub(crate) fn of_auc(self) -> Self {
        Self { lower: self.lower.clamp(0.0, 1.0), upper: self.upper.clamp(0.0, 1.0) }
    }

    /// Whether all numbers inside are at most `limit` away from 0.
    pub fn is_within(&self, limit: f64) -> bool {
        self.lower >= -limit && self.upper <= limit
    }
}

impl From<(f64, f64)> for Interval {
    fn from((lower, upper): (f64, f64)) -> Self {
        Self { lower, upper }
    }
}

/// Method behind a standard error and an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// An observed number of unknown uncertainty.
    Observed,
    /// AUC with its error from the class counts (Hanley & McNeil 1982), interval in the logit. Covers new
    /// rows, not new seeds or searches.
    HanleyMcneil,
    /// Difference of two such AUCs as if they came from different rows; its error is an upper bound for AUCs
    /// on the same rows.
    Independent,
    /// Difference of two such AUCs at an assumed correlation (Hanley & McNeil 1983).
    AssumedCorrelation,
    /// Difference of two metrics on the same rows, from the influence of each row (for AUCs, `DeLong` et al.
    /// 1988) and the long-run variance of these influences in time order; Student's t. Covers new rows of the
    /// same mix.
    #[serde(alias = "paired_delong")]
    PairedRows,
    /// Difference of two settings under the same seeds, from its spread over seeds and, if predictions are
    /// stored, its error over rows; Student's t by Satterthwaite (1946). Covers new seeds and, with
    /// predictions, new rows.
    PairedSeeds,
    /// Mean of one setting over seeds, with an error computed as for [`Method::PairedSeeds`].
    SeedsAndRows,
    /// One metric from the influence of each row (for AUCs, `DeLong` et al. 1988, interval in the logit) and
    /// the long-run variance of these influences in time order; Student's t. Covers new rows of the same mix
    /// for a fixed model.
    #[serde(alias = "delong", alias = "row_contributions")]
    Rows,
    /// Value of a budget, or a sum of such values, with the error from the sources that the report names;
    /// Student's t by Satterthwaite (1946).
    Sources,
    /// Least-squares slope with one point per size; t interval with two degrees of freedom fewer than sizes.
    Sizes,
    /// Values on the rows that resamples left out; the percentiles are scaled as for a delete-d jackknife.
    /// Covers new rows and another choice among the same trials.
    LeftOutRows,
    /// Share with Wilson's interval.
    Wilson,
    /// Bootstrap of the residuals around a fit; percentile interval that may reach down to 0. Covers new
    /// noise at the same configurations.
    ResidualBootstrap,
    /// Noncentralities for which the observed F lies in neither tail (Steiger 2004). Covers new noise at the
    /// same configurations.
    NoncentralF,
    /// Coefficient of a linear model with HC3 errors; t interval.
    Hc3,
    /// Jackknife over trials. Covers new trials of the same search, scored on the same rows.
    #[serde(alias = "trial_bootstrap")]
    TrialJackknife,
    /// Difference of two such numbers as if they were independent.
    IndependentTrials,
    /// Difference of a number from itself: 0 for all rows and trials.
    Identical,
    /// Probability that a value of one group is better than one of another, with the error of an AUC
    /// (`DeLong` et al. 1988) and an interval in the logit. Covers new trials of the same searches.
    Superiority,
    /// Number of a power law over the sizes; percentiles of laws fitted to values that are drawn around it
    /// with their errors. Covers what these errors cover, not another form of law.
    LawDraws,
    /// Mean over seeds by a Gaussian process over the space, with parameters drawn from their posterior.
    /// Covers new seeds on the same rows.
    GaussianProcess,
}

/// A computed number with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The number.
    pub point: f64,
    /// The standard error, if known.
    pub standard_error: Option<f64>,
    /// The interval, if known.
    pub interval: Option<Interval>,
    /// Coverage probability of the interval.
    pub level: f64,
    /// Method behind the number.
    pub method: Method,
    /// Number of independent rows equivalent to the rows in time order, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_rows: Option<EffectiveRows>,
}

/// Number of independent rows that dependent rows are equivalent to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EffectiveRows {
    /// Number of independent rows with the same error; at most the number of rows.
    pub rows: f64,
    /// Number of terms of the long-run variance, which are the degrees of freedom of its t; fewer where rows
    /// also depend on each other within series.
    pub terms: u64,
}

impl From<&LongRun> for EffectiveRows {
    fn from(error: &LongRun) -> Self {
        Self { rows: error.effective_rows, terms: error.freedom as u64 }
    }
}

impl Estimate {
    /// Returns this number with the larger error of both, and an interval that contains both intervals.
    #[must_use]
    pub(crate) fn or_wider(self, other: Self) -> Self {
        let interval = self.interval.zip(other.interval);
        let errors = self.standard_error.zip(other.standard_error);
        Self {
            standard_error: errors.map(|(one, other)| one.max(other)),
            interval: interval.map(|(a, b)| (a.lower.min(b.lower), a.upper.max(b.upper)).into()),
            ..self
        }
    }

    /// Makes a number of unknown uncertainty.
    pub fn observed(point: f64, options: &Options) -> Self {
        Self {
            point,
            standard_error: None,
            interval: None,
            level: options.level,
            method: Method::Observed,
            effective_rows: None,
        }
    }

    /// Makes an AUC on validation rows; as [`Estimate::observed`] if its standard error cannot be computed.
    pub fn auc(point: f64, rows: ClassCounts, options: &Options) -> Self {
        let observed = Self::observed(point, options);
        let Some(error) = auc::hanley_mcneil(point, rows) else { return observed };
        let half = normal::half_width(options.level);
        let interval = auc::logit_interval(point, error, half).map(Interval::from);
        Self { standard_error: Some(error), interval, method: Method::HanleyMcneil, ..observed }
    }

    /// Makes a number with its error over rows and Student's t, in the logit for an AUC; `None` if the error
    /// is 0.
    pub(crate) fn of_rows(
        point: f64,
        error: &LongRun,
        method: Method,
        is_auc: bool,
        options: &Options,
    ) -> Option<Self> {
        let standard_error = error.variance.sqrt();
        if standard_error.is_nan() || standard_error <= 0.0 {
            return None;
        }
        let plain = Self::student(point, standard_error, error.freedom, method, options)?;
        let half = t_half_width(options.level, error.freedom)?;
        let interval =
            if is_auc { auc::logit_interval(point, standard_error, half)?.into() } else { plain.interval? };
        Some(Self { interval: Some(interval), effective_rows: Some(error.into()), ..plain })
    }

    /// Makes a number with an error of `freedom` degrees of freedom; `None` if these are undefined.
    pub(crate) fn student(
        point: f64,
        standard_error: f64,
        freedom: f64,
        method: Method,
        options: &Options,
    ) -> Option<Self> {
        let half = t_half_width(options.level, freedom)? * standard_error;
        Some(Self {
            standard_error: Some(standard_error),
            interval: Some(Interval { lower: point - half, upper: point + half }),
            method,
            ..Self::observed(point, options)
        })
    }

    /// Makes a number with a normal standard error.
    pub fn normal(point: f64, standard_error: f64, method: Method, options: &Options) -> Self {
        let half = normal::half_width(options.level) * standard_error;
        Self {
            standard_error: Some(standard_error),
            interval: Some(Interval { lower: point - half, upper: point + half }),
            method,
            ..Self::observed(point, options)
        }
    }

    /// Makes a share of `count` items; `None` for a count of 0.
    pub fn share(successes: u64, count: u64, options: &Options) -> Option<Self> {
        let interval = proportion::wilson(successes, count, options.level)?;
        let point = successes as f64 / count as f64;
        Some(Self {
            interval: Some(interval.into()),
            method: Method::Wilson,
            ..Self::observed(point, options)
        })
    }

    /// Returns the number in units of its standard error.
    pub fn z(&self) -> Option<f64> {
        self.standard_error.filter(|error| *error > 0.0).map(|error| self.point / error)
    }
}
