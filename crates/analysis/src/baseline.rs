//! Comparisons of the best trial with simple models.

use std::collections::BTreeMap;

use allometry_core::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Method};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scaling::ScalingPoint;
use crate::stats::{auc, normal};
use crate::summary::metric_estimate;
use allometry_core::is_usable;

/// Comparison of a simple model with the best trial of all budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineComparison {
    /// Short name.
    pub name: String,
    /// Data that it was fitted on.
    pub description: String,
    /// Its value of the ladder's metric; `null` if it is not finite.
    pub value: Option<Estimate>,
    /// Its other metrics by name.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// Label of the budget with the best trial.
    pub best_budget: Option<String>,
    /// Gain of the best observed trial over the baseline; negative if the baseline is better. It uses the
    /// assumed correlation if both errors are known. The best of many trials is biased towards better values.
    pub gain: Option<Estimate>,
}

impl BaselineComparison {
    /// Compares every baseline with the best of `points`.
    pub fn all(points: &[ScalingPoint], ladder: &LadderTrials, options: &Options) -> Vec<Self> {
        let best = points.iter().reduce(|best, next| {
            if ladder.direction().better(next.best.point, best.best.point) { next } else { best }
        });
        let widening = best.map_or(1.0, |point| widening(&point.best, ladder));
        ladder
            .baselines
            .iter()
            .map(|baseline| {
                let value = Some(baseline.value)
                    .filter(|value| is_usable(*value))
                    .map(|value| widened(metric_estimate(value, ladder, options), widening, options));
                let finite = |(name, metric): (&String, &f64)| {
                    (name.clone(), Some(*metric).filter(|metric| metric.is_finite()))
                };
                Self {
                    name: baseline.name.clone(),
                    description: baseline.description.clone(),
                    value,
                    metrics: baseline.metrics.iter().map(finite).collect(),
                    best_budget: best.map(|point| point.budget.clone()),
                    gain: best
                        .zip(value)
                        .map(|(point, value)| gain(point.best, value, ladder.direction(), options)),
                }
            })
            .collect()
    }
}

/// Returns the factor by which the dependence of the rows increases errors that assume independent rows,
/// measured on the best trial's predictions.
fn widening(best: &Estimate, ladder: &LadderTrials) -> f64 {
    let rows = ladder.rows.map(|rows| rows.positives as f64 + rows.negatives as f64);
    let share = rows.zip(best.effective_rows).map(|(rows, effective)| rows / effective.rows);
    share.map_or(1.0, |share| share.max(1.0).sqrt())
}

/// Returns an AUC whose error from the class counts is multiplied by a factor.
fn widened(value: Estimate, factor: f64, options: &Options) -> Estimate {
    let Some(error) = value.standard_error.filter(|_| factor > 1.0) else { return value };
    let interval = auc::logit_interval(value.point, factor * error, normal::half_width(options.level));
    let interval = interval.map(Interval::from).or(value.interval);
    Estimate { standard_error: Some(factor * error), interval, ..value }
}

fn gain(best: Estimate, baseline: Estimate, direction: Direction, options: &Options) -> Estimate {
    let gain = match direction {
        Direction::Maximize => best.point - baseline.point,
        Direction::Minimize => baseline.point - best.point,
    };
    match best.standard_error.zip(baseline.standard_error) {
        Some((first, second)) => {
            let error = auc::difference_error(first, second, options.correlation);
            Estimate::normal(gain, error, Method::AssumedCorrelation, options)
        }
        None => Estimate::observed(gain, options),
    }
}
