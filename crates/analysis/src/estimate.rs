//! Numbers with their uncertainty.

use std::fmt;

use allometry_core::ClassCounts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::options::Options;
use crate::scores::Predictions;
use crate::stats::delong::delong;
use crate::stats::{auc, normal, proportion};

/// Difference from the AUC of the stored scores up to which a value is that AUC.
const SAME_AUC: f64 = 1e-6;

/// Two ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Interval {
    /// Whether a number lies inside, ends included.
    pub fn contains(&self, x: f64) -> bool {
        (self.lower..=self.upper).contains(&x)
    }

    /// The part of it that an AUC can lie in.
    #[must_use]
    pub(crate) fn of_auc(self) -> Self {
        Self { lower: self.lower.clamp(0.0, 1.0), upper: self.upper.clamp(0.0, 1.0) }
    }

    /// Whether no number inside is further from 0 than `limit`.
    pub fn is_within(&self, limit: f64) -> bool {
        self.lower >= -limit && self.upper <= limit
    }
}

impl From<(f64, f64)> for Interval {
    fn from((lower, upper): (f64, f64)) -> Self {
        Self { lower, upper }
    }
}

/// Where a standard error and an interval come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A number as observed; its uncertainty is unknown.
    Observed,
    /// Hanley & McNeil 1982 from the class counts, interval in the logit: covers new rows, not new seeds or searches.
    HanleyMcneil,
    /// Difference of two such numbers as if they came from different rows; an upper bound on the same rows.
    Independent,
    /// Difference of two such numbers at an assumed correlation (Hanley & McNeil 1983).
    AssumedCorrelation,
    /// Difference of two AUCs on the same rows from their scores (`DeLong` et al. 1988): covers new rows of the same mix.
    PairedDelong,
    /// Difference of two metrics of classes or numbers on the same rows, from what each row contributes to them (influence
    /// functions; of AUCs as `DeLong` et al. 1988): covers new rows of the same mix.
    PairedRows,
    /// Difference of two settings under the same seeds, whose spread over them is joined, where predictions are stored, with the error
    /// over rows; Student's t by Satterthwaite (1946): covers new seeds and, with predictions, new rows.
    PairedSeeds,
    /// Mean of one setting over seeds, with its error as that of [`Method::PairedSeeds`].
    SeedsAndRows,
    /// One AUC from its scores (`DeLong` et al. 1988), interval in the logit: covers new rows of the same mix, the model being fixed.
    Delong,
    /// One metric of classes or numbers, from what each row contributes to it: covers new rows of the same mix, the model being fixed.
    RowContributions,
    /// Values on the rows that resamples left out, percentiles scaled as a delete-d jackknife's: covers new rows and another choice among the same trials.
    LeftOutRows,
    /// Share with Wilson's interval.
    Wilson,
    /// Residuals resampled around a fit, percentile interval that may reach down to 0: covers new noise at the same configurations.
    ResidualBootstrap,
    /// Noncentralities at which the observed F is in no tail (Steiger 2004): covers new noise at the same configurations.
    NoncentralF,
    /// Coefficient of a linear model with HC3 errors, t interval.
    Hc3,
    /// Trials resampled, percentile interval: covers new trials of the same search, scored on the same rows.
    TrialBootstrap,
    /// Difference of two such numbers as if their trials were drawn apart, normal interval.
    IndependentTrials,
    /// Difference of one and the same thing: none, whatever the rows and trials.
    Identical,
    /// Probability that a value of one group is better than one of another, with the error of an AUC (`DeLong` et al. 1988)
    /// and an interval in the logit: covers new trials of the same searches.
    Superiority,
    /// Mean over seeds by a Gaussian process over the space, its parameters drawn from their posterior: covers new seeds on the same rows.
    GaussianProcess,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observed => "as observed",
            Self::HanleyMcneil => "Hanley-McNeil, logit interval",
            Self::Independent => "those of both values, as if independent",
            Self::AssumedCorrelation => "Hanley-McNeil, assumed correlation",
            Self::PairedDelong => "DeLong, paired",
            Self::PairedRows => "contributions of rows, paired",
            Self::PairedSeeds => "paired by seed, t interval",
            Self::SeedsAndRows => "spread over seeds, t interval",
            Self::Delong => "DeLong, logit interval",
            Self::RowContributions => "contributions of rows",
            Self::LeftOutRows => "rows left out of resamples, scaled percentiles",
            Self::Wilson => "Wilson",
            Self::ResidualBootstrap => "residual bootstrap",
            Self::NoncentralF => "noncentral F",
            Self::Hc3 => "HC3, t interval",
            Self::TrialBootstrap => "bootstrap of trials, percentile interval",
            Self::IndependentTrials => "bootstraps of trials, independent",
            Self::Identical => "none, being one and the same",
            Self::Superiority => "DeLong over trials, logit interval",
            Self::GaussianProcess => "Gaussian process",
        })
    }
}

/// A derived number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The number.
    pub point: f64,
    /// Its standard error, where known.
    pub standard_error: Option<f64>,
    /// Its interval, where known.
    pub interval: Option<Interval>,
    /// Probability with which such intervals cover.
    pub level: f64,
    /// How it was derived.
    pub method: Method,
}

impl Estimate {
    /// A number of unknown uncertainty.
    pub fn observed(point: f64, options: &Options) -> Self {
        Self { point, standard_error: None, interval: None, level: options.level, method: Method::Observed }
    }

    /// An AUC on validation rows; as [`Estimate::observed`] where its standard error cannot be computed.
    pub fn auc(point: f64, rows: ClassCounts, options: &Options) -> Self {
        let observed = Self::observed(point, options);
        let Some(error) = auc::hanley_mcneil(point, rows) else { return observed };
        let interval = auc::logit_interval(point, error, options.level).map(Interval::from);
        Self { standard_error: Some(error), interval, method: Method::HanleyMcneil, ..observed }
    }

    /// An AUC with the standard error that its scores give it; `None` where the scores have another AUC, or give it no error.
    pub fn scored_auc(point: f64, predictions: &Predictions<'_>, options: &Options) -> Option<Self> {
        let delong = delong(predictions.labels, &[&predictions.numbers()])?;
        let error = delong.standard_error(0);
        if (delong.auc[0] - point).abs() > SAME_AUC || error <= 0.0 {
            return None;
        }
        let interval = auc::logit_interval(point, error, options.level)?.into();
        let observed = Self::observed(point, options);
        Some(Self {
            standard_error: Some(error),
            interval: Some(interval),
            method: Method::Delong,
            ..observed
        })
    }

    /// A number with a normal standard error.
    pub fn normal(point: f64, standard_error: f64, method: Method, options: &Options) -> Self {
        let half = normal::half_width(options.level) * standard_error;
        Self {
            point,
            standard_error: Some(standard_error),
            interval: Some(Interval { lower: point - half, upper: point + half }),
            level: options.level,
            method,
        }
    }

    /// A share of counted things; `None` for a count of 0.
    pub fn share(successes: u64, count: u64, options: &Options) -> Option<Self> {
        let interval = proportion::wilson(successes, count, options.level)?;
        let point = successes as f64 / count as f64;
        Some(Self {
            interval: Some(interval.into()),
            method: Method::Wilson,
            ..Self::observed(point, options)
        })
    }

    /// The number in units of its standard error.
    pub fn z(&self) -> Option<f64> {
        self.standard_error.filter(|error| *error > 0.0).map(|error| self.point / error)
    }
}
