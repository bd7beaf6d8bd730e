//! Metrics of predictions for binary labels, classes and numbers.
//!
//! Conventions are those of scikit-learn, so that users can check the values: a row is predicted positive
//! if its probability is at least the threshold, and a precision, recall or F1 with a denominator of zero
//! is 0.

use std::collections::BTreeMap;

/// Returns every metric by name, as stored with a trial.
///
/// The metrics are `auc`, `average_precision`, `log_loss`, `brier`; `precision_`, `recall_` and `f1_` with
/// the suffixes `at_half` (threshold 0.5) and `at_prior` (threshold `prior`, the share of positives in the
/// training part); and `pred_min`, `pred_max`, `pred_mean` and `pred_sd` (population standard deviation) of
/// the predictions. Undefined metrics are left out: `auc` if one class is absent, `average_precision`
/// without positives, all of them without rows.
///
/// # Panics
/// If the slices have different lengths.
pub fn evaluate(labels: &[bool], probabilities: &[f32], prior: f64) -> BTreeMap<String, f64> {
    let ranking = Ranking::new(labels, probabilities);
    let half = Confusion::at(labels, probabilities, 0.5);
    let at_prior = Confusion::at(labels, probabilities, prior as f32);
    let spread = Spread::of(probabilities);
    [
        ("auc", ranking.as_ref().and_then(Ranking::auc)),
        ("average_precision", ranking.as_ref().and_then(Ranking::average_precision)),
        ("log_loss", log_loss(labels, probabilities)),
        ("brier", brier(labels, probabilities)),
        ("precision_at_half", half.map(Confusion::precision)),
        ("recall_at_half", half.map(Confusion::recall)),
        ("f1_at_half", half.map(Confusion::f1)),
        ("precision_at_prior", at_prior.map(Confusion::precision)),
        ("recall_at_prior", at_prior.map(Confusion::recall)),
        ("f1_at_prior", at_prior.map(Confusion::f1)),
        ("pred_min", spread.map(|s| s.min)),
        ("pred_max", spread.map(|s| s.max)),
        ("pred_mean", spread.map(|s| s.mean)),
        ("pred_sd", spread.map(|s| s.sd)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// Returns every metric of predicted classes. `probabilities` has a row per label and a column per class.
///
/// The metrics are `auc`, the mean over the classes of the AUC of each against the rest (scikit-learn's
/// `ovr`, macro), left out if a class is absent; `log_loss`; and `accuracy`, the share of rows whose class
/// has the highest probability.
///
/// # Panics
/// If the number of probabilities is not a multiple of the number of labels.
pub fn evaluate_classes(labels: &[usize], probabilities: &[f32]) -> BTreeMap<String, f64> {
    if labels.is_empty() {
        return BTreeMap::new();
    }
    assert!(probabilities.len().is_multiple_of(labels.len()), "a column per class");
    let classes = probabilities.len() / labels.len();
    let one_class = |class: usize| {
        let own: Vec<bool> = labels.iter().map(|&l| l == class).collect();
        let scores: Vec<f32> = probabilities.iter().skip(class).step_by(classes).copied().collect();
        auc(&own, &scores)
    };
    let sum: Option<f64> = (0..classes).map(one_class).sum();
    let rows = || labels.iter().zip(probabilities.chunks_exact(classes));
    let certainty = |(label, p): (&usize, &[f32])| -f64::from(p[*label].max(f32::EPSILON)).ln();
    // With equal probabilities, the first class is the predicted one.
    let right = |(label, p): &(&usize, &[f32])| {
        let (before, after) = p.split_at(**label);
        before.iter().all(|other| *other < after[0]) && after.iter().all(|other| *other <= after[0])
    };
    let n = labels.len() as f64;
    let mut metrics = BTreeMap::from([
        ("log_loss".to_owned(), rows().map(certainty).sum::<f64>() / n),
        ("accuracy".to_owned(), rows().filter(right).count() as f64 / n),
    ]);
    metrics.extend(sum.map(|sum| ("auc".to_owned(), sum / classes as f64)));
    metrics
}

/// Returns every metric of predicted numbers: `mse`, `mae`, `r2` (1 minus the residual share of the
/// variance, left out if the variance is 0), and minimum, maximum, mean and standard deviation of the
/// predictions.
///
/// # Panics
/// If the slices have different lengths.
pub fn evaluate_numbers(targets: &[f64], predictions: &[f32]) -> BTreeMap<String, f64> {
    assert_eq!(targets.len(), predictions.len(), "one prediction per target");
    let n = targets.len() as f64;
    let Some(spread) = Spread::of(predictions) else { return BTreeMap::new() };
    let errors = || targets.iter().zip(predictions).map(|(t, &p)| f64::from(p) - t);
    let squares = errors().map(|e| e * e).sum::<f64>();
    let mean = targets.iter().sum::<f64>() / n;
    let variation = targets.iter().map(|t| (t - mean).powi(2)).sum::<f64>();
    let mut metrics = BTreeMap::from([
        ("mse".to_owned(), squares / n),
        ("mae".to_owned(), errors().map(f64::abs).sum::<f64>() / n),
        ("pred_min".to_owned(), spread.min),
        ("pred_max".to_owned(), spread.max),
        ("pred_mean".to_owned(), spread.mean),
        ("pred_sd".to_owned(), spread.sd),
    ]);
    if variation > 0.0 {
        metrics.insert("r2".to_owned(), 1.0 - squares / variation);
    }
    metrics
}

/// Returns the area under the ROC curve: the probability that a positive scores above a negative, with ties
/// counting half (Hanley & `McNeil` 1982).
///
/// The value is exact and takes O(n log n). It is `None` if one class is absent or a score is NaN.
///
/// # Panics
/// If the slices have different lengths.
pub fn auc(labels: &[bool], scores: &[f32]) -> Option<f64> {
    Ranking::new(labels, scores)?.auc()
}

/// Returns the average precision: the sum, over distinct thresholds in descending order, of the gain in
/// recall times the precision, without interpolation.
///
/// The value is `None` if there are no positives or a score is NaN.
///
/// # Panics
/// If the slices have different lengths.
pub fn average_precision(labels: &[bool], scores: &[f32]) -> Option<f64> {
    Ranking::new(labels, scores)?.average_precision()
}

/// Returns the mean negative log-likelihood in natural logarithms, or `None` without rows. Probabilities
/// are kept [`f32::EPSILON`] away from 0 and 1.
///
/// # Panics
/// If the slices have different lengths.
pub fn log_loss(labels: &[bool], probabilities: &[f32]) -> Option<f64> {
    const EDGE: f64 = f32::EPSILON as f64;
    mean(labels, probabilities, |label, p| {
        let p = p.clamp(EDGE, 1.0 - EDGE);
        if label { -p.ln() } else { -(-p).ln_1p() }
    })
}

/// Returns the mean squared difference of probability and class (Brier 1950), or `None` without rows.
///
/// # Panics
/// If the slices have different lengths.
pub fn brier(labels: &[bool], probabilities: &[f32]) -> Option<f64> {
    mean(labels, probabilities, |label, p| (p - f64::from(u8::from(label))).powi(2))
}

fn mean(labels: &[bool], scores: &[f32], term: impl Fn(bool, f64) -> f64) -> Option<f64> {
    assert_eq!(labels.len(), scores.len(), "one score per label");
    let sum: f64 = labels.iter().zip(scores).map(|(&label, &score)| term(label, f64::from(score))).sum();
    (!labels.is_empty()).then(|| sum / labels.len() as f64)
}

/// Counts of the rows with one score.
struct Tie {
    positives: u64,
    negatives: u64,
}

/// Rows grouped by score, highest first.
struct Ranking {
    ties: Vec<Tie>,
    positives: u64,
    negatives: u64,
}

impl Ranking {
    fn new(labels: &[bool], scores: &[f32]) -> Option<Self> {
        assert_eq!(labels.len(), scores.len(), "one score per label");
        if scores.iter().any(|s| s.is_nan()) {
            return None;
        }
        let mut rows: Vec<(f32, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        // `==` and not the total order, because 0.0 and -0.0 are equal scores.
        let ties: Vec<Tie> = rows
            .chunk_by(|a, b| a.0 == b.0)
            .map(|rows| {
                let positives = rows.iter().filter(|r| r.1).count() as u64;
                Tie { positives, negatives: rows.len() as u64 - positives }
            })
            .collect();
        let positives = ties.iter().map(|t| t.positives).sum();
        Some(Self { positives, negatives: rows.len() as u64 - positives, ties })
    }

    fn auc(&self) -> Option<f64> {
        if self.positives == 0 || self.negatives == 0 {
            return None;
        }
        // Twice the number of correctly ordered pairs is an integer, so the final division is the only
        // rounding.
        let mut above = 0_u128;
        let mut doubled = 0_u128;
        for tie in &self.ties {
            doubled += u128::from(tie.negatives) * (2 * above + u128::from(tie.positives));
            above += u128::from(tie.positives);
        }
        Some(doubled as f64 / (2.0 * self.positives as f64 * self.negatives as f64))
    }

    fn average_precision(&self) -> Option<f64> {
        let (mut found, mut seen, mut sum) = (0, 0, 0.0);
        for tie in &self.ties {
            found += tie.positives;
            seen += tie.positives + tie.negatives;
            sum += tie.positives as f64 * (found as f64 / seen as f64);
        }
        (self.positives > 0).then(|| sum / self.positives as f64)
    }
}

/// Counts of predictions at one threshold.
#[derive(Clone, Copy)]
struct Confusion {
    true_positives: f64,
    false_positives: f64,
    false_negatives: f64,
}

impl Confusion {
    /// Counts the predictions. The threshold is compared as `f32`, so a model that predicts exactly the
    /// prior is at its threshold.
    fn at(labels: &[bool], probabilities: &[f32], threshold: f32) -> Option<Self> {
        let count = |label: bool, positive: bool| {
            let rows = labels.iter().zip(probabilities);
            rows.filter(|&(&l, &p)| l == label && (p >= threshold) == positive).count() as f64
        };
        (!labels.is_empty()).then(|| Self {
            true_positives: count(true, true),
            false_positives: count(false, true),
            false_negatives: count(true, false),
        })
    }

    fn precision(self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    fn recall(self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    fn f1(self) -> f64 {
        ratio(
            2.0 * self.true_positives,
            2.0 * self.true_positives + self.false_positives + self.false_negatives,
        )
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// Range, mean and standard deviation of predictions.
#[derive(Clone, Copy)]
struct Spread {
    min: f64,
    max: f64,
    mean: f64,
    sd: f64,
}

impl Spread {
    fn of(probabilities: &[f32]) -> Option<Self> {
        let n = probabilities.len() as f64;
        let values = || probabilities.iter().map(|&p| f64::from(p));
        let mean = values().sum::<f64>() / n;
        let variance = values().map(|p| (p - mean).powi(2)).sum::<f64>() / n;
        let (min, max) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
        Some(Self { min, max, mean, sd: variance.sqrt() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        labels: Vec<u8>,
        probabilities: Vec<f32>,
        prior: f64,
        expected: BTreeMap<String, f64>,
    }

    #[test]
    fn agrees_with_scikit_learn() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../tests/oracle/metrics.json")).expect("oracle is valid");
        assert!(cases.len() >= 8);
        for case in cases {
            let labels: Vec<bool> = case.labels.iter().map(|&l| l == 1).collect();
            let metrics = evaluate(&labels, &case.probabilities, case.prior);
            let names: Vec<_> = metrics.keys().collect();
            assert_eq!(names, case.expected.keys().collect::<Vec<_>>(), "{}", case.name);
            for (metric, value) in &metrics {
                let expected = case.expected[metric];
                let close = (value - expected).abs() <= 1e-9 * expected.abs().max(1.0);
                assert!(close, "{} {metric}: {value}, scikit-learn {expected}", case.name);
            }
        }
    }

    #[test]
    fn what_is_undefined_is_left_out() {
        assert_eq!(auc(&[true, true], &[0.1, 0.2]), None);
        assert_eq!(auc(&[false], &[0.1]), None);
        assert_eq!(auc(&[true, false], &[0.1, f32::NAN]), None);
        assert_eq!(average_precision(&[false, false], &[0.1, 0.2]), None);
        assert!(evaluate(&[], &[], 0.5).is_empty());
        let one_class = evaluate(&[false, false], &[0.1, 0.2], 0.3);
        assert!(!one_class.contains_key("auc") && one_class.contains_key("log_loss"));
    }

    #[test]
    fn signed_zeros_are_one_score() {
        assert_eq!(auc(&[true, false], &[-0.0, 0.0]), Some(0.5));
    }

    #[test]
    fn a_constant_prediction_of_the_prior_is_at_its_threshold() {
        let prior = 2.0 / 7.0;
        let metrics = evaluate(&[true, false, false], &[prior as f32; 3], prior);
        assert_eq!(metrics["recall_at_prior"], 1.0);
        assert_eq!(metrics["auc"], 0.5);
        assert_eq!(metrics["pred_sd"], 0.0);
    }

    proptest! {
        #[test]
        fn auc_is_the_share_of_ordered_pairs(
            rows in prop::collection::vec((any::<bool>(), 0_u8..12), 2..60),
        ) {
            let labels: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let scores: Vec<f32> = rows.iter().map(|r| f32::from(r.1) / 12.0).collect();
            let (mut pairs, mut ordered) = (0.0, 0.0);
            for (i, &positive) in labels.iter().enumerate().filter(|l| *l.1) {
                debug_assert!(positive);
                for j in (0..labels.len()).filter(|&j| !labels[j]) {
                    pairs += 1.0;
                    ordered += f64::from(u8::from(scores[i] > scores[j]))
                        + 0.5 * f64::from(u8::from(scores[i] == scores[j]));
                }
            }
            let expected = (pairs > 0.0).then(|| ordered / pairs);
            prop_assert_eq!(auc(&labels, &scores), expected);
        }
    }
}
