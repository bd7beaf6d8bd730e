//! Differences between models that were scored on the same rows.

use super::Difference;
use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::outputs::Outputs;
use crate::scores::{Predictions, RowScores};
use crate::stats::delong::delong;
use crate::stats::influence::RowMetric;
use crate::stats::{auc, normal};

/// What the predictions of two models of the same rows say of the difference of their metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Paired {
    /// Standard error of the difference; above 0.
    pub(crate) error: f64,
    /// Correlation between the two metrics over new rows.
    pub(crate) correlation: f64,
    /// Number of rows.
    pub(crate) rows: f64,
    /// How the error was derived.
    pub(crate) method: Method,
}

impl Paired {
    /// `None` where the predictions are not of the same rows, or do not vary between the two models.
    pub(crate) fn new(first: &RowScores<'_>, second: &RowScores<'_>) -> Option<Self> {
        match (first, second) {
            (RowScores::Binary(first), RowScores::Binary(second)) => Self::of_scores(first, second),
            (RowScores::Other(first, metric), RowScores::Other(second, other)) if metric == other => {
                Self::of_outputs(*metric, first, second)
            }
            _ => None,
        }
    }

    fn of_outputs(metric: RowMetric, first: &Outputs<'_>, second: &Outputs<'_>) -> Option<Self> {
        if !first.same_rows(second) {
            return None;
        }
        let (error, correlation) = first.influence(metric)?.paired(&second.influence(metric)?);
        let rows = first.rows.len() as f64;
        let is_known = error > 0.0 && correlation.is_finite();
        is_known.then_some(Self { error, correlation, rows, method: Method::PairedRows })
    }

    fn of_scores(first: &Predictions<'_>, second: &Predictions<'_>) -> Option<Self> {
        if !first.same_rows(second) {
            return None;
        }
        let paired = delong(first.labels, &[&first.numbers(), &second.numbers()])?;
        let (_, error) = paired.difference(0, 1);
        let correlation = paired.covariance[0][1] / (paired.standard_error(0) * paired.standard_error(1));
        if error.is_nan() || error <= 0.0 || !correlation.is_finite() {
            return None;
        }
        let rows = first.labels.len() as f64;
        Some(Self { error, correlation, rows, method: Method::PairedDelong })
    }
}

/// Gain in AUC of the second of two models over the first, scored on the same rows (`DeLong` et al. 1988); `None` where the
/// rows are not the same or the error of the difference is not known.
pub fn paired_gain(first: &Predictions<'_>, second: &Predictions<'_>, options: &Options) -> Option<Estimate> {
    if !first.same_rows(second) {
        return None;
    }
    let (gain, error) = delong(first.labels, &[&second.numbers(), &first.numbers()])?.difference(0, 1);
    (error > 0.0).then(|| Estimate::normal(gain, error, Method::PairedDelong, options))
}

impl Difference {
    /// Replaces assumed errors by that of the paired difference; nothing where there is none.
    pub(super) fn pair(&mut self, smaller: &RowScores<'_>, larger: &RowScores<'_>, options: &Options) {
        let Some(Paired { error, correlation, rows, method }) = Paired::new(smaller, larger) else { return };
        let gain = self.gain.point;
        self.gain = Estimate::normal(gain, error, method, options);
        self.gain_correlated = self.gain;
        self.measured_correlation = Some(correlation);
        self.p = self.gain.z().map(normal::two_sided_p);
        self.rows_to_detect = auc::rows_to_detect(gain, error, rows, options.level, options.power);
        self.rows_to_detect_independent = self.rows_to_detect;
        self.deciding_correlation = None;
    }
}
