//! Sampling error of the area under the ROC curve, computed from the area and the class counts alone.

use allometry_core::ClassCounts;

use super::normal;

/// Returns the standard error of one AUC over new rows with the same class balance, for a fixed model (Hanley
/// & McNeil 1982, eq. 1 with the exponential approximations of `Q1` and `Q2`).
///
/// `None` for an AUC outside (0, 1) or a class without rows.
pub fn hanley_mcneil(auc: f64, rows: ClassCounts) -> Option<f64> {
    let (positives, negatives) = (rows.positives as f64, rows.negatives as f64);
    if !(auc > 0.0 && auc < 1.0) || positives < 1.0 || negatives < 1.0 {
        return None;
    }
    let both_positives_above = auc / (2.0 - auc);
    let above_both_negatives = 2.0 * auc * auc / (1.0 + auc);
    let variance = (auc * (1.0 - auc)
        + (positives - 1.0) * (both_positives_above - auc * auc)
        + (negatives - 1.0) * (above_both_negatives - auc * auc))
        / (positives * negatives);
    Some(variance.sqrt())
}

/// Returns an upper bound on the standard error, over new rows, of the mean over several classes of the AUC
/// of each against the rest, where the AUC of each is `auc`; `rows` has the number of rows of each class.
///
/// It is the mean of the errors of the classes: no correlation between them makes the error of their mean
/// larger. `None` for an AUC outside (0, 1) or a class without rows.
pub fn macro_error_bound(auc: f64, rows: &[u64]) -> Option<f64> {
    let all: u64 = rows.iter().sum();
    let of_class = |&own: &u64| hanley_mcneil(auc, ClassCounts { positives: own, negatives: all - own });
    let sum: f64 = rows.iter().map(of_class).sum::<Option<f64>>()?;
    (!rows.is_empty()).then(|| sum / rows.len() as f64)
}

/// Returns an interval of an AUC that stays inside (0, 1). It reaches `half_width` standard errors to each
/// side on the logit scale, where the standard error is `se / (A (1 - A))` by the delta method (Pepe 2003,
/// section 5.2). `None` for an AUC outside (0, 1).
pub fn logit_interval(auc: f64, standard_error: f64, half_width: f64) -> Option<(f64, f64)> {
    if !(auc > 0.0 && auc < 1.0) {
        return None;
    }
    let logit = (auc / (1.0 - auc)).ln();
    let half = half_width * standard_error / (auc * (1.0 - auc));
    let area = |x: f64| 1.0 / (1.0 + (-x).exp());
    Some((area(logit - half), area(logit + half)))
}

/// Returns the standard error of the difference of two AUCs on the same rows (Hanley & McNeil 1983, eq. 1),
/// given the standard error of each and their correlation.
pub fn difference_error(first: f64, second: f64, correlation: f64) -> f64 {
    (first * first + second * second - 2.0 * correlation * first * second).max(0.0).sqrt()
}

/// Returns the probability with which a two-sided test at level `1 - level` finds a positive difference of
/// which it knows the standard error.
pub fn power_to_detect(difference: f64, standard_error: f64, level: f64) -> f64 {
    normal::cdf(difference / standard_error - normal::half_width(level))
}

/// Returns the number of rows, with the same class balance, at which a two-sided test at level `1 - level`
/// finds the difference with probability `power`. `standard_error` is the standard error of the difference on
/// `rows` rows.
///
/// A standard error shrinks with the square root of the number of rows, so that `n = rows ((z_level +
/// z_power) standard_error / difference)^2`. `None` for a difference of 0.
pub fn rows_to_detect(
    difference: f64,
    standard_error: f64,
    rows: f64,
    level: f64,
    power: f64,
) -> Option<f64> {
    let needed = normal::half_width(level) + normal::quantile(power);
    let missing = needed * standard_error / difference;
    Some(rows * missing * missing).filter(|needed| needed.is_finite())
}
