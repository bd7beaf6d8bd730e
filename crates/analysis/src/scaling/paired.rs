//! Differences between models that were scored on the same rows.

use allometry_core::ClassCounts;

use super::Difference;
use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::scores::Predictions;
use crate::stats::delong::delong;
use crate::stats::{auc, normal};

impl Difference {
    /// Replaces assumed errors by that of the paired difference; nothing where the scores are not of the same rows, or do
    /// not vary between the two models.
    pub(super) fn pair(&mut self, smaller: &Predictions<'_>, larger: &Predictions<'_>, options: &Options) {
        if !smaller.same_rows(larger) {
            return;
        }
        let (first, second) = (smaller.numbers(), larger.numbers());
        let Some(paired) = delong(smaller.labels, &[&first, &second]) else { return };
        let (_, error) = paired.difference(0, 1);
        let correlation = paired.covariance[0][1] / (paired.standard_error(0) * paired.standard_error(1));
        if error.is_nan() || error <= 0.0 || !correlation.is_finite() {
            return;
        }
        let gain = self.gain.point;
        let (positives, negatives) = smaller.classes();
        let rows = ClassCounts { positives: positives as u64, negatives: negatives as u64 };
        self.gain = Estimate::normal(gain, error, Method::PairedDelong, options);
        self.gain_correlated = self.gain;
        self.measured_correlation = Some(correlation);
        self.p = self.gain.z().map(normal::two_sided_p);
        self.rows_to_detect = auc::rows_to_detect(gain, error, rows, options.level, options.power);
        self.rows_to_detect_independent = self.rows_to_detect;
        self.deciding_correlation = None;
    }
}
