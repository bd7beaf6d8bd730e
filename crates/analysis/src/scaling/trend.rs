//! Gain over exact weights: with sizes as units, and within budgets.

use allometry_core::{Direction, FrozenTrial};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judgement::Judgement;
use super::search::{Configuration, configurations};
use super::size_law::{DECADES_FOR_LAW, SIZES_FOR_LAW};
use crate::estimate::{Estimate, Interval, Method};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::stats::moments::mean;

/// Fewest sizes for an interval of the gain.
const SIZES_FOR_INTERVAL: usize = 3;
/// Fewest degrees of freedom for the slope within budgets.
const WITHIN: usize = 8;
/// Residuals below this share of the values are rounding error: the points lie on a line, and no error can be
/// estimated.
const ROUNDING: f64 = 1e-9;

/// A point on the fitted line of the metric over weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendCenter {
    /// Geometric mean of the weights.
    pub weights: f64,
    /// Mean value of the metric.
    pub value: f64,
}

/// Trend of the metric over exact weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeTrend {
    /// Number of different sizes of the budgets.
    #[serde(default)]
    pub sizes: u64,
    /// Fewest weights.
    pub smallest: u64,
    /// Most weights.
    pub largest: u64,
    /// Decades between the fewest and the most weights.
    pub decades: f64,
    /// Gain per tenfold weights, from one value per budget: positive where more weights are better. The
    /// interval treats the sizes as units (Student's t with the number of sizes less 2), so that it covers
    /// every cause of a budget's distance from the line. It requires three sizes.
    pub gain_per_decade: Estimate,
    /// A point on the fitted line: the means of log weights and values.
    #[serde(default)]
    pub center: Option<TrendCenter>,
    /// Conclusion from that interval alone: the first that applies of flat, holds, violated and undecided;
    /// unknown without an interval.
    pub outcome: Outcome,
}

/// One value per budget.
struct Points {
    logs: Vec<f64>,
    gains: Vec<f64>,
}

impl SizeTrend {
    /// Fits the trend to the judged values, or to single trials where each budget has one; `None` for fewer
    /// than two sizes.
    pub(crate) fn new(
        ladder: &LadderTrials,
        judgement: Option<&Judgement>,
        options: &Options,
    ) -> Option<Self> {
        let points =
            judgement.map_or_else(|| Points::of_single_trials(ladder), |one| Points::judged(one, ladder))?;
        let (low, high) = ends(&points.logs)?;
        let line = Line::fit(&points.logs, &points.gains)?;
        let gain = line.estimate(points.logs.len(), options);
        Some(Self {
            sizes: distinct(&points.logs),
            smallest: 10.0_f64.powf(low).round() as u64,
            largest: 10.0_f64.powf(high).round() as u64,
            decades: high - low,
            gain_per_decade: gain,
            center: Some(points.center(ladder.direction())),
            outcome: outcome(gain.interval, options.effect()),
        })
    }

    /// Whether the sizes can identify an exponent.
    pub fn identifies_exponent(&self) -> bool {
        self.sizes >= SIZES_FOR_LAW && self.decades >= DECADES_FOR_LAW
    }
}

/// Returns the number of different values.
fn distinct(values: &[f64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    sorted.len() as u64
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

/// A least-squares line.
struct Line {
    slope: f64,
    /// Sum of squared deviations of the places from their mean.
    spread: f64,
    /// Residual sum of squares.
    residual: f64,
    /// Sum of squared deviations of the values from their mean.
    total: f64,
}

impl Line {
    /// Fits the line; `None` where the places do not vary.
    fn fit(x: &[f64], y: &[f64]) -> Option<Self> {
        let (center_x, center_y) = (mean(x.iter().copied())?, mean(y.iter().copied())?);
        let pairs = || x.iter().zip(y).map(|(x, y)| (x - center_x, y - center_y));
        let spread: f64 = pairs().map(|(x, _)| x * x).sum();
        let slope = pairs().map(|(x, y)| x * y).sum::<f64>() / spread;
        let residual = pairs().map(|(x, y)| (y - slope * x).powi(2)).sum();
        let total = pairs().map(|(_, y)| y * y).sum();
        (spread > 1e-12).then_some(Self { slope, spread, residual, total })
    }

    fn estimate(&self, count: usize, options: &Options) -> Estimate {
        let observed = Estimate::observed(self.slope, options);
        if count < SIZES_FOR_INTERVAL || self.residual <= ROUNDING * self.total {
            return observed;
        }
        let freedom = (count - 2) as f64;
        let error = (self.residual / freedom / self.spread).sqrt();
        Estimate::student(self.slope, error, freedom, Method::Sizes, options).unwrap_or(observed)
    }
}

/// Returns the slope among configurations of one budget, with the budget means removed and HC3 errors
/// (`MacKinnon` & White 1985).
pub(super) fn within_budgets(ladder: &LadderTrials, options: &Options) -> Option<Estimate> {
    let (mut x, mut y, mut leverages, mut budgets) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for study in &ladder.studies {
        let sized = |trial: &FrozenTrial| trial.record.size.is_some_and(|size| size.total > 0);
        let all = configurations(study, ladder, sized);
        let log = |one: &Configuration<'_>| {
            one.trials[0].record.size.map_or(0.0, |size| (size.total as f64).log10())
        };
        let logs: Vec<f64> = all.iter().map(log).collect();
        let values: Vec<f64> = all.iter().map(Configuration::mean).collect();
        let (Some(center_x), Some(center_y)) = (mean(logs.iter().copied()), mean(values.iter().copied()))
        else {
            continue;
        };
        budgets += 1;
        x.extend(logs.iter().map(|log| log - center_x));
        y.extend(values.iter().map(|value| value - center_y));
        leverages.extend(logs.iter().map(|_| 1.0 / logs.len() as f64));
    }
    let spread: f64 = x.iter().map(|x| x * x).sum();
    let freedom = x.len().checked_sub(budgets + 1).filter(|freedom| *freedom >= WITHIN)?;
    if spread < 1e-6 * x.len() as f64 {
        return None;
    }
    let slope = x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>() / spread;
    let square = |((x, y), own): ((&f64, &f64), &f64)| {
        let remaining = (1.0 - own - x * x / spread).max(1e-6);
        (x * (y - slope * x) / remaining).powi(2)
    };
    let variance = x.iter().zip(&y).zip(&leverages).map(square).sum::<f64>() / (spread * spread);
    if variance <= 0.0 {
        return None;
    }
    Estimate::student(slope, variance.sqrt(), freedom as f64, Method::Hc3, options)
}

impl Points {
    fn judged(judgement: &Judgement, ladder: &LadderTrials) -> Option<Self> {
        if !judgement.is_per_decade {
            return None;
        }
        let sign = ladder.direction().sign();
        let values = &judgement.values;
        Some(Self {
            logs: values.iter().map(|one| Some(one.weights?.log10())).collect::<Option<_>>()?,
            gains: values.iter().map(|one| sign * one.value.point).collect(),
        })
    }

    /// Returns the points where no budget has more than one distinct trial.
    fn of_single_trials(ladder: &LadderTrials) -> Option<Self> {
        let mut points = Self { logs: Vec::new(), gains: Vec::new() };
        for study in &ladder.studies {
            match &configurations(study, ladder, |_| true)[..] {
                [] => {}
                [one] if one.values.len() == 1 => {
                    let exact = one.trials[0].record.size.map(|size| size.total as f64);
                    let weights =
                        exact.or(study.budget.nominal_weights()).filter(|w| *w > 0.0 && w.is_finite());
                    points.logs.push(weights?.log10());
                    points.gains.push(one.values[0]);
                }
                _ => return None,
            }
        }
        Some(points)
    }

    fn center(&self, direction: Direction) -> TrendCenter {
        let of = |values: &[f64]| mean(values.iter().copied()).unwrap_or(0.0);
        TrendCenter { weights: 10.0_f64.powf(of(&self.logs)), value: direction.sign() * of(&self.gains) }
    }
}

/// Returns the smallest and the largest value; `None` where they are equal.
fn ends(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    (high > low).then_some((low, high))
}
