//! Differences between models that were scored on the same rows.

use allometry_core::{ClassCounts, ValidationScores};

use super::Difference;
use crate::estimate::{Estimate, Method};
use crate::options::Options;
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

/// Whether scores are of the same rows with the same labels.
pub(crate) fn are_of_same_rows(first: &ValidationScores, second: &ValidationScores) -> bool {
    first.rows == second.rows && first.labels == second.labels
}

impl Paired {
    /// `None` where the scores are not of the same rows, or do not vary between the two models.
    pub(crate) fn new(first: &ValidationScores, second: &ValidationScores) -> Option<Self> {
        if !are_of_same_rows(first, second) {
            return None;
        }
        let numbers = |scores: &ValidationScores| {
            scores.scores.iter().map(|score| f64::from(*score)).collect::<Vec<f64>>()
        };
        let labels = &first.labels;
        let (first, second) = (numbers(first), numbers(second));
        if first.iter().chain(&second).any(|score| !score.is_finite()) {
            return None;
        }
        let paired = delong(labels, &[&first, &second])?;
        let (_, error) = paired.difference(0, 1);
        let correlation = paired.covariance[0][1] / (paired.standard_error(0) * paired.standard_error(1));
        if error.is_nan() || error <= 0.0 || !correlation.is_finite() {
            return None;
        }
        let positives = labels.iter().filter(|label| **label).count() as u64;
        let rows = ClassCounts { positives, negatives: labels.len() as u64 - positives };
        Some(Self { error, correlation, rows })
    }
}

impl Difference {
    /// Replaces assumed errors by that of the paired difference; nothing where there is none.
    pub(super) fn pair(&mut self, smaller: &ValidationScores, larger: &ValidationScores, options: &Options) {
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
