//! Differences between models that were scored on the same rows.

use allometry_core::ClassCounts;

use super::Difference;
use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::scores::Predictions;
use crate::stats::delong::delong;
use crate::stats::{auc, normal};

/// What the scores of two models on the same rows say of the difference of their AUCs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Paired {
    /// Standard error of the difference; above 0.
    pub(crate) error: f64,
    /// Correlation between the two AUCs over new rows.
    pub(crate) correlation: f64,
    /// Classes of the rows.
    pub(crate) rows: ClassCounts,
}

impl Paired {
    /// `None` where the scores are not of the same rows, or do not vary between the two models.
    pub(crate) fn new(first: &Predictions<'_>, second: &Predictions<'_>) -> Option<Self> {
        if !first.same_rows(second) {
            return None;
        }
        let paired = delong(first.labels, &[&first.numbers(), &second.numbers()])?;
        let (_, error) = paired.difference(0, 1);
        let correlation = paired.covariance[0][1] / (paired.standard_error(0) * paired.standard_error(1));
        if error.is_nan() || error <= 0.0 || !correlation.is_finite() {
            return None;
        }
        let (positives, negatives) = first.classes();
        let rows = ClassCounts { positives: positives as u64, negatives: negatives as u64 };
        Some(Self { error, correlation, rows })
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
    pub(super) fn pair(&mut self, smaller: &Predictions<'_>, larger: &Predictions<'_>, options: &Options) {
        let Some(Paired { error, correlation, rows }) = Paired::new(smaller, larger) else { return };
        let gain = self.gain.point;
        self.gain = Estimate::normal(gain, error, Method::PairedDelong, options);
        self.gain_correlated = self.gain;
        self.measured_correlation = Some(correlation);
        self.p = self.gain.z().map(normal::two_sided_p);
        self.rows_to_detect = auc::rows_to_detect(gain, error, rows, options.level, options.power);
        self.rows_to_detect_independent = self.rows_to_detect;
        self.deciding_correlation = None;
    }
}
