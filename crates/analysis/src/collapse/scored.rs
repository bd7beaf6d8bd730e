//! Collapse and calibration of a trial from its stored predictions.

use allometry_core::rng::stream;
use allometry_core::{TrialNumber, TrialRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CONSTANT, CollapseKind};
use crate::estimate::Estimate;
use crate::input::Series;
use crate::options::Options;
use crate::row_scores::{Predicted, RowScores};
use crate::scores::Scores;
use crate::stats::bootstrap::quantile;
use crate::stats::long_run::Cosines;
use crate::stats::moments::mean;
use crate::stats::random::uniform;

/// Bins of the calibration error, with nearly equal counts.
const BINS: usize = 10;
/// Random draws of the classes for the calibration error expected by chance.
const DRAWS: usize = 400;
/// Number of distinct predictions up to which a model counts as constant.
const FEW_SCORES: usize = 2;

/// Summary of a model's predictions on the validation rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreSummary {
    /// The trial.
    pub trial: TrialNumber,
    /// Kind of its predictions.
    pub kind: CollapseKind,
    /// Standard deviation of the predictions divided by that of the labels; only a perfect model reaches 1.
    pub sd_ratio: f64,
    /// First percentile of the predictions.
    pub low: f64,
    /// 99th percentile of the predictions.
    pub high: f64,
    /// Number of distinct predictions.
    pub distinct: u64,
    /// 1 minus the ratio of the Brier score to that of always predicting the share of positive rows; at 0 or
    /// below, the model is no better than that.
    pub brier_skill: f64,
    /// Mean log loss in nats.
    pub log_loss: f64,
    /// Log loss of always predicting the share of positive rows.
    pub log_loss_of_prior: f64,
    /// Expected calibration error in ten bins of equal mass (Naeini, Cooper & Hauskrecht 2015).
    pub calibration_error: f64,
    /// Mean calibration error of a calibrated model with the same predictions; it is never 0 on few rows.
    pub calibration_error_by_chance: f64,
    /// Share of draws from a calibrated model with at least this calibration error.
    pub p_calibration: f64,
    /// Share of the positive rows that are predicted above 0.5. It is small for a calibrated model if
    /// positives are rare.
    pub recall_at_half: f64,
    /// Share of the positive rows that are predicted above the share of positive rows.
    pub recall_at_prior: f64,
}

/// Mean, variance, and Brier score of predicted probabilities.
struct Moments {
    mean: f64,
    variance: f64,
    brier: f64,
    prior: f64,
}

impl Moments {
    fn new(predictions: &Scores<'_>) -> Option<Self> {
        let (positives, negatives) = predictions.classes();
        let are_probabilities = predictions.scores.iter().all(|score| (0.0..=1.0).contains(score));
        if positives == 0 || negatives == 0 || !are_probabilities {
            return None;
        }
        let n = predictions.labels.len() as f64;
        let mean = predictions.scores.iter().map(|score| f64::from(*score)).sum::<f64>() / n;
        let (mut variance, mut brier) = (0.0, 0.0);
        for (score, label) in predictions.scores.iter().zip(predictions.labels) {
            let score = f64::from(*score);
            variance += (score - mean) * (score - mean) / n;
            brier += (score - f64::from(u8::from(*label))).powi(2) / n;
        }
        Some(Self { mean, variance, brier, prior: positives as f64 / n })
    }

    fn label_variance(&self) -> f64 {
        self.prior * (1.0 - self.prior)
    }

    fn sd_ratio(&self) -> f64 {
        (self.variance / self.label_variance()).sqrt()
    }
}

/// Returns the kind of a trial by its predictions and its AUC; `None` if the predictions are not
/// probabilities or the rows are all of one class.
pub(super) fn kind(
    predictions: &Scores<'_>,
    auc: f64,
    series: Series<'_>,
    options: &Options,
) -> Option<CollapseKind> {
    let moments = Moments::new(predictions)?;
    Some(kind_of(predictions, &moments, auc, series, options))
}

fn kind_of(
    predictions: &Scores<'_>,
    moments: &Moments,
    auc: f64,
    series: Series<'_>,
    options: &Options,
) -> CollapseKind {
    if moments.sd_ratio() < CONSTANT || has_few_scores(predictions.scores) {
        return CollapseKind::Constant;
    }
    let orders = Estimate::scored_auc(auc, predictions, series, options)
        .and_then(|auc| auc.interval)
        .is_some_and(|interval| interval.lower > 0.5);
    if moments.brier < moments.label_variance() || !orders {
        return CollapseKind::Healthy;
    }
    let shift = moments.mean - moments.prior;
    if moments.brier - shift * shift < moments.label_variance() {
        CollapseKind::Shifted
    } else {
        CollapseKind::Shrunken
    }
}

fn has_few_scores(scores: &[f32]) -> bool {
    let mut seen: Vec<f32> = Vec::with_capacity(FEW_SCORES);
    scores.iter().all(|score| {
        let is_known = seen.contains(score);
        if !is_known && seen.len() < FEW_SCORES {
            seen.push(*score);
            return true;
        }
        is_known
    })
}

impl ScoreSummary {
    /// Summarizes the predictions of one trial; `None` if they are not probabilities or the rows are all of
    /// one class.
    pub(super) fn new(
        trial: TrialNumber,
        predictions: &Scores<'_>,
        auc: f64,
        series: Series<'_>,
        seed_name: &str,
        options: &Options,
    ) -> Option<Self> {
        let moments = Moments::new(predictions)?;
        let mut order: Vec<usize> = (0..predictions.scores.len()).collect();
        order.sort_by(|&a, &b| predictions.scores[a].total_cmp(&predictions.scores[b]));
        let scores: Vec<f64> = order.iter().map(|&row| f64::from(predictions.scores[row])).collect();
        let labels: Vec<bool> = order.iter().map(|&row| predictions.labels[row]).collect();
        let n = scores.len() as f64;
        let observed = calibration_error(&scores, &labels);
        let places = blocks(predictions, series);
        let blocks: Vec<usize> = order.iter().map(|&row| places[row]).collect();
        let chance = by_chance(&scores, &blocks, &mut stream(options.seed, seed_name, 4));
        let reached = chance.iter().filter(|error| **error >= observed).count();
        let prior = moments.prior;
        let recall_above = |threshold: f64| {
            let above =
                scores.iter().zip(&labels).filter(|(score, label)| **label && **score > threshold).count();
            above as f64 / (prior * n)
        };
        let loss = |score: f64, label: bool| {
            let right = if label { score } else { 1.0 - score };
            -right.max(f64::MIN_POSITIVE).ln()
        };
        Some(Self {
            trial,
            kind: kind_of(predictions, &moments, auc, series, options),
            sd_ratio: moments.sd_ratio(),
            low: quantile(&scores, 0.01)?,
            high: quantile(&scores, 0.99)?,
            distinct: scores.chunk_by(|a, b| a == b).count() as u64,
            brier_skill: 1.0 - moments.brier / moments.label_variance(),
            log_loss: scores.iter().zip(&labels).map(|(score, label)| loss(*score, *label)).sum::<f64>() / n,
            log_loss_of_prior: -(prior * prior.ln() + (1.0 - prior) * (1.0 - prior).ln()),
            calibration_error: observed,
            calibration_error_by_chance: chance.iter().sum::<f64>() / DRAWS as f64,
            p_calibration: (1 + reached) as f64 / (1 + DRAWS) as f64,
            recall_at_half: recall_above(0.5),
            recall_at_prior: recall_above(prior),
        })
    }
}

/// Returns the block of each row. Neighbours in time whose residuals count as one row share a block; with
/// several series, so do all rows of such times. Each row is its own block if the order of the rows is
/// unknown or there are too few rows.
fn blocks(predictions: &Scores<'_>, series: Series<'_>) -> Vec<usize> {
    let rows = predictions.rows.len();
    let scores = RowScores { predicted: Predicted::Binary(*predictions), series };
    let pairs = predictions.labels.iter().zip(predictions.scores);
    let mut residuals: Vec<f64> =
        pairs.map(|(label, score)| f64::from(u8::from(*label)) - f64::from(*score)).collect();
    let center = mean(residuals.iter().copied()).unwrap_or(0.0);
    for residual in &mut residuals {
        *residual -= center;
    }
    if let Some(clusters) = series.panel.and_then(|panel| panel.clusters(predictions.rows, series.horizon)) {
        let length = length(&clusters.by_time(&residuals), clusters.horizon());
        return clusters.times.iter().map(|time| time / length).collect();
    }
    let Some(order) = scores.time_order() else { return (0..rows).collect() };
    let in_time: Vec<f64> = order.iter().map(|&row| residuals[row]).collect();
    let length = length(&in_time, series.horizon);
    let mut blocks = vec![0; rows];
    order.iter().enumerate().for_each(|(place, &row)| blocks[row] = place / length);
    blocks
}

/// Returns the number of neighbours that count as one.
fn length(series: &[f64], horizon: u64) -> usize {
    let error = Cosines::new(series.len(), horizon).and_then(|cosines| cosines.error_of(series));
    error.map_or(1.0, |error| series.len() as f64 / error.effective_rows).round().max(1.0) as usize
}

/// Returns calibration errors of the given ascending predictions with classes drawn from them; the rows of a
/// block are drawn together.
fn by_chance(scores: &[f64], blocks: &[usize], rng: &mut TrialRng) -> Vec<f64> {
    let mut labels = vec![false; scores.len()];
    let count = blocks.iter().max().map_or(0, |last| last + 1);
    let mut drawn = vec![0.0; count];
    (0..DRAWS)
        .map(|_| {
            for drawn in &mut drawn {
                *drawn = uniform(rng);
            }
            for ((label, score), block) in labels.iter_mut().zip(scores).zip(blocks) {
                *label = drawn[*block] < *score;
            }
            calibration_error(scores, &labels)
        })
        .collect()
}

/// Returns the mean distance, weighted by rows, between the mean prediction and the share of positive rows in
/// each bin; `scores` ascend.
fn calibration_error(scores: &[f64], labels: &[bool]) -> f64 {
    let n = scores.len();
    (0..BINS)
        .map(|bin| bin * n / BINS..(bin + 1) * n / BINS)
        .map(|rows| {
            let predicted: f64 = scores[rows.clone()].iter().sum();
            let found = labels[rows].iter().filter(|label| **label).count() as f64;
            (predicted - found).abs() / n as f64
        })
        .sum()
}
