//! The metric over exact weights, from every trial.

use allometry_core::Direction;
use allometry_core::rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Method};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::sample::Sample;
use crate::stats::moments::sample_sd;
use crate::stats::random::below;
use crate::stats::{bootstrap, power_law};
use crate::verdict::Outcome;

/// Distinct sizes that an exponent needs.
pub const SIZES_FOR_EXPONENT: u64 = 5;
/// Decades of weights that an exponent needs.
pub const DECADES_FOR_EXPONENT: f64 = 1.5;
/// Evaluations that a trend needs.
const FEWEST: usize = 5;
/// Values drawn over all replicates of the trend, and of the power law, at most.
const BUDGETS: (usize, usize) = (2_000_000, 300_000);
/// Replicates of the power law at most, and at least for an interval.
const POWER_LAW_REPLICATES: (usize, usize) = (200, 50);

/// A saturating power law of the metric over weights, in gains: larger is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerLawFit {
    /// Exponent of the weights; the interval covers new trials of the same searches. At an end of the range searched,
    /// 0.01 to 3, it is not identified.
    pub exponent: Estimate,
    /// What the metric approaches for very large models.
    pub limit: f64,
}

/// A point of the picture of the metric over weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendCenter {
    /// Geometric mean of the exact weights.
    pub weights: f64,
    /// Mean value of the metric.
    pub value: f64,
}

/// How the metric goes with exact weights over the distinct evaluations of all budgets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeTrend {
    /// Distinct evaluations with a known size.
    pub evaluations: u64,
    /// Distinct sizes among them.
    pub sizes: u64,
    /// Fewest weights.
    pub smallest: u64,
    /// Most weights.
    pub largest: u64,
    /// Decades between them.
    pub decades: f64,
    /// Gain per tenfold weights: positive where more weights are better. Resampled within budgets: covers new trials of the
    /// same searches on the same validation rows.
    pub gain_per_decade: Estimate,
    /// Where the fitted line passes, whatever its slope.
    #[serde(default)]
    pub center: Option<TrendCenter>,
    /// What that interval says by itself: flat, holds, violated or undecided, in this order.
    pub outcome: Outcome,
    /// An exponent, where the sizes can identify one: at least 5 over 1.5 decades.
    pub power_law: Option<PowerLawFit>,
}

/// Evaluations of all budgets: those of one budget are neighbours.
struct Points {
    logs: Vec<f64>,
    gains: Vec<f64>,
    budgets: Vec<std::ops::Range<usize>>,
}

impl SizeTrend {
    /// Fits the trend; `None` for fewer than five distinct evaluations with a size, or a single size.
    pub(crate) fn new(ladder: &LadderTrials, options: &Options) -> Option<Self> {
        let points = Points::new(ladder);
        let mut sizes: Vec<f64> = points.logs.clone();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        if points.logs.len() < FEWEST || sizes.len() < 2 {
            return None;
        }
        let (low, high) = (*sizes.first()?, *sizes.last()?);
        let ones = vec![1.0; points.logs.len()];
        let slope = slope(&points, &ones)?;
        let n = points.logs.len();
        let mut replicates = Vec::new();
        let mut rng = stream(options.seed, "gain per decade", 0);
        for _ in 0..(BUDGETS.0 / n).min(options.bootstraps as usize) {
            replicates.extend(self::slope(&points, &points.resample(&mut rng)));
        }
        let mut gain = Estimate::observed(slope, options);
        if let Some(interval) = bootstrap::percentile(&mut replicates, options.level) {
            gain.standard_error = sample_sd(replicates.iter().copied());
            gain.interval = Some(interval.into());
            gain.method = Method::TrialBootstrap;
        }
        let mut trend = Self {
            evaluations: n as u64,
            sizes: sizes.len() as u64,
            smallest: 10.0_f64.powf(low).round() as u64,
            largest: 10.0_f64.powf(high).round() as u64,
            decades: high - low,
            gain_per_decade: gain,
            center: Some(points.center(ladder.direction)),
            outcome: outcome(gain.interval, options.effect()),
            power_law: None,
        };
        if trend.identifies_exponent() {
            trend.power_law = power_law(&points, options);
        }
        Some(trend)
    }

    /// Whether the sizes can identify an exponent.
    pub fn identifies_exponent(&self) -> bool {
        self.sizes >= SIZES_FOR_EXPONENT && self.decades >= DECADES_FOR_EXPONENT
    }
}

fn outcome(interval: Option<Interval>, smallest_effect: f64) -> Outcome {
    match interval {
        None => Outcome::Unknown,
        Some(interval) if interval.is_within(smallest_effect) => Outcome::Flat,
        Some(Interval { lower, .. }) if lower > 0.0 => Outcome::Holds,
        Some(Interval { upper, .. }) if upper < 0.0 => Outcome::Violated,
        Some(_) => Outcome::Undecided,
    }
}

fn power_law(points: &Points, options: &Options) -> Option<PowerLawFit> {
    let sizes: Vec<f64> = points.logs.iter().map(|log| 10.0_f64.powf(*log)).collect();
    let fit = |weights: &[f64]| power_law::fit(&sizes, &points.gains, weights);
    let point = fit(&vec![1.0; sizes.len()])?;
    let count = (BUDGETS.1 / sizes.len()).min(POWER_LAW_REPLICATES.0).min(options.bootstraps as usize);
    let mut replicates = Vec::new();
    if count >= POWER_LAW_REPLICATES.1 {
        let mut rng = stream(options.seed, "power law", 0);
        for _ in 0..count {
            replicates.extend(fit(&points.resample(&mut rng)).map(|fit| fit.exponent));
        }
    }
    let mut exponent = Estimate::observed(point.exponent, options);
    if let Some(interval) = bootstrap::percentile(&mut replicates, options.level) {
        exponent.interval = Some(interval.into());
        exponent.method = Method::TrialBootstrap;
    }
    let limit = if point.amplitude.is_finite() { point.limit } else { return None };
    limit.is_finite().then_some(PowerLawFit { exponent, limit })
}

impl Points {
    fn new(ladder: &LadderTrials) -> Self {
        let sign = ladder.direction.sign();
        let mut points = Self { logs: Vec::new(), gains: Vec::new(), budgets: Vec::new() };
        for study in &ladder.studies {
            let sample = Sample::new(study, ladder.direction);
            let start = points.logs.len();
            for position in sample.distinct_positions() {
                let total = sample.trials[position].record.size.map_or(0, |size| size.total);
                if total > 0 {
                    points.logs.push((total as f64).log10());
                    points.gains.push(sign * sample.values[position]);
                }
            }
            points.budgets.push(start..points.logs.len());
        }
        points
    }

    fn center(&self, direction: Direction) -> TrendCenter {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let gain = mean(&self.gains);
        let value = match direction {
            Direction::Maximize => gain,
            Direction::Minimize => -gain,
        };
        TrendCenter { weights: 10.0_f64.powf(mean(&self.logs)), value }
    }

    /// How often each evaluation occurs in a resample within its budget.
    fn resample(&self, rng: &mut allometry_core::TrialRng) -> Vec<f64> {
        let mut weights = vec![0.0; self.logs.len()];
        for budget in self.budgets.iter().filter(|budget| !budget.is_empty()) {
            for _ in budget.clone() {
                weights[budget.start + below(rng, budget.len())] += 1.0;
            }
        }
        weights
    }
}

/// Weighted least-squares slope; `None` where the sizes do not vary.
fn slope(points: &Points, weights: &[f64]) -> Option<f64> {
    let total: f64 = weights.iter().sum();
    let mean = |values: &[f64]| values.iter().zip(weights).map(|(x, weight)| x * weight / total).sum::<f64>();
    let (center_x, center_y) = (mean(&points.logs), mean(&points.gains));
    let (mut xx, mut xy) = (0.0, 0.0);
    for ((log, gain), weight) in points.logs.iter().zip(&points.gains).zip(weights) {
        xx += weight * (log - center_x) * (log - center_x);
        xy += weight * (log - center_x) * (gain - center_y);
    }
    (xx > 1e-12).then(|| xy / xx).filter(|slope| slope.is_finite())
}
