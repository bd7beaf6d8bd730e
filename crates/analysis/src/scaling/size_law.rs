//! A saturating power law of the metric over weights, operations or training rows, and its forecasts.

use allometry_core::cholesky::Cholesky;
use allometry_core::rng::{TrialRng, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contrast::Budgets;
use crate::estimate::{Estimate, Interval, Method};
use crate::law;
use crate::options::Options;
use crate::stats::bootstrap;
use crate::stats::power_law::{self, PowerLaw};
use crate::stats::random::gauss;

/// Fewest distinct sizes for a law.
pub const SIZES_FOR_LAW: u64 = law::FEWEST_SIZES;
/// Fewest decades of weights for a law.
pub const DECADES_FOR_LAW: f64 = law::FEWEST_DECADES;
/// Number of fits to values drawn around the law.
const DRAWS: usize = 400;
/// The same for many budgets, whose fits take longer.
const DRAWS_OF_MANY: usize = 100;
/// Number of budgets from which there are [`DRAWS_OF_MANY`].
const MANY: usize = 60;
/// Largest number of budgets of a law, because the covariance of their values grows with its square.
const MOST: usize = 400;
/// Largest ratio of the next size to the largest.
const FARTHEST: f64 = 10.0;
/// Number of steps of the curve.
const CURVE: u32 = 16;
/// Distance in decades up to which two sizes are one.
const ONE_SIZE: f64 = 0.02;

/// A saturating power law of the judged value over sizes, `limit - amplitude / size^exponent` in gains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeLaw {
    /// Exponent of the sizes. It is not identified where its interval reaches an end of the searched range,
    /// 0.01 to 3.
    pub exponent: Estimate,
    /// Amplitude of `limit - amplitude / size^exponent`, in units of the metric at size 1.
    pub amplitude: Estimate,
    /// Value that the metric approaches for very large sizes.
    pub limit: Estimate,
    /// Forecast of the next size: as far beyond the largest as that is beyond the one before, at most
    /// tenfold.
    pub next: SizeForecast,
    /// The law at sizes from the smallest to the next.
    #[serde(default)]
    pub curve: Vec<SizeForecast>,
    /// Test of the law: the largest budget, forecast from the smaller ones. `null` where they are too few.
    pub held_out: Option<HeldOutBudget>,
}

impl SizeLaw {
    /// Whether the interval of the exponent reaches an end of the searched range, so that the sizes do not
    /// determine it.
    pub fn is_open(&self) -> bool {
        law::reaches_end(self.exponent.interval)
    }
}

/// The value that a law forecasts at a size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeForecast {
    /// Size: the number of weights, operations or rows.
    #[serde(alias = "weights")]
    pub size: f64,
    /// The value. Its interval covers what the errors of the budgets cover, not another form of law.
    pub value: Estimate,
}

/// The largest budget, forecast from the smaller ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeldOutBudget {
    /// Its label.
    pub budget: String,
    /// The forecast, with an interval that includes the error of the observed value.
    pub forecast: SizeForecast,
    /// Its observed value.
    pub observed: f64,
    /// Whether the observed value lies in the interval.
    pub is_inside: bool,
}

/// Fits the law to the values of budgets in order of their sizes, whose logarithms are `places`. `None` for
/// fewer than [`SIZES_FOR_LAW`] sizes, less than [`DECADES_FOR_LAW`] decades, more than 400 budgets, and
/// values without an error.
///
/// Intervals are percentiles of fits to values that are drawn around the law with the covariance of the
/// budgets; the error of each draw is that of Student's t with `freedom` degrees of freedom. `sign` turns
/// gains into values.
pub(super) fn size_law(
    budgets: &Budgets<'_>,
    places: &[f64],
    freedom: f64,
    sign: f64,
    options: &Options,
) -> Option<SizeLaw> {
    let count = places.len();
    if !bears_law(places) || count > MOST {
        return None;
    }
    let noise = Noise::new(budgets, freedom, options)?;
    let values: Vec<f64> = budgets.parts.iter().map(|part| part.value).collect();
    let law = Law::fit(places, &values)?;
    let last = places[count - 1];
    let before = places[..count - 1].iter().rev().find(|place| last - **place >= ONE_SIZE)?;
    let next = last + (last - before).min(FARTHEST.log10());
    let mut rng = stream(options.seed, "size law", 0);
    let laws: Vec<Law> = noise
        .draws(&mut rng)
        .iter()
        .filter_map(|drawn| {
            let around: Vec<f64> = places.iter().zip(drawn).map(|(x, noise)| law.at(*x) + noise).collect();
            Law::fit(places, &around)
        })
        .collect();
    let estimate = |of: &dyn Fn(&Law) -> f64, sign: f64| {
        with_draws(of(&law), laws.iter().map(of).collect(), sign, options)
    };
    let curve = (0..=CURVE).map(|step| {
        let place = places[0] + (next - places[0]) * f64::from(step) / f64::from(CURVE);
        Some(SizeForecast { size: 10.0_f64.powf(place), value: estimate(&|law| law.at(place), sign)? })
    });
    Some(SizeLaw {
        curve: curve.collect::<Option<_>>()?,
        exponent: estimate(&|law| law.fit.exponent, 1.0)?,
        amplitude: estimate(&Law::amplitude, 1.0)?,
        limit: estimate(&|law| law.fit.limit, sign)?,
        next: SizeForecast { size: 10.0_f64.powf(next), value: estimate(&|law| law.at(next), sign)? },
        held_out: held_out(budgets, places, &values, &noise, sign, options),
    })
}

/// Whether sizes identify an exponent.
pub(super) fn bears_law(places: &[f64]) -> bool {
    is_spread(places, SIZES_FOR_LAW as usize, DECADES_FOR_LAW)
}

fn is_spread(places: &[f64], sizes: usize, decades: f64) -> bool {
    let mut distinct = places.to_vec();
    distinct.dedup_by(|a, b| (*a - *b).abs() < ONE_SIZE);
    distinct.len() >= sizes && places[places.len() - 1] - places[0] >= decades
}

/// Forecasts the largest budget from the others. Its interval is that of the difference between forecast and
/// observation, in which errors that all budgets share cancel.
fn held_out(
    budgets: &Budgets<'_>,
    places: &[f64],
    values: &[f64],
    noise: &Noise,
    sign: f64,
    options: &Options,
) -> Option<HeldOutBudget> {
    let last = places.len() - 1;
    let (rest, place) = (&places[..last], places[last]);
    if !is_spread(rest, SIZES_FOR_LAW as usize - 1, 1.0) || place - rest[last - 1] < ONE_SIZE {
        return None;
    }
    let law = Law::fit(rest, &values[..last])?;
    let forecast = law.at(place);
    let mut rng = stream(options.seed, "size law", 1);
    let drawn: Vec<f64> = noise
        .draws(&mut rng)
        .iter()
        .filter_map(|drawn| {
            let around: Vec<f64> = rest.iter().zip(drawn).map(|(x, noise)| law.at(*x) + noise).collect();
            Some(Law::fit(rest, &around)?.at(place) - drawn[last])
        })
        .collect();
    let value = with_draws(forecast, drawn, sign, options)?;
    let observed = sign * values[last];
    Some(HeldOutBudget {
        budget: budgets.parts[last].label.clone(),
        forecast: SizeForecast { size: 10.0_f64.powf(place), value },
        observed,
        is_inside: value.interval.is_some_and(|interval| interval.contains(observed)),
    })
}

impl SizeLaw {
    /// Widens the intervals to those of `other`, the law of these budgets at equal effort.
    pub(super) fn widen(&mut self, other: &Self) {
        self.exponent = self.exponent.or_wider(other.exponent);
        self.amplitude = self.amplitude.or_wider(other.amplitude);
        self.limit = self.limit.or_wider(other.limit);
        self.next.value = self.next.value.or_wider(other.next.value);
        for (one, other) in self.curve.iter_mut().zip(&other.curve) {
            one.value = one.value.or_wider(other.value);
        }
        if let (Some(one), Some(other)) = (&mut self.held_out, &other.held_out) {
            one.forecast.value = one.forecast.value.or_wider(other.forecast.value);
            one.is_inside = one.forecast.value.interval.is_some_and(|ends| ends.contains(one.observed));
        }
    }

    /// Keeps the intervals within 0 and 1, where an AUC lies.
    pub(super) fn clamp_to_auc(&mut self) {
        let held_out = self.held_out.iter_mut().map(|one| &mut one.forecast.value);
        let curve = self.curve.iter_mut().map(|one| &mut one.value);
        for value in [&mut self.limit, &mut self.next.value].into_iter().chain(held_out).chain(curve) {
            value.point = value.point.clamp(0.0, 1.0);
            value.interval = value.interval.map(Interval::of_auc);
        }
    }
}

/// A law in gains over the logarithms of sizes.
struct Law {
    fit: PowerLaw,
    /// Logarithm of the size that the fit counts as 1.
    center: f64,
}

impl Law {
    fn fit(places: &[f64], gains: &[f64]) -> Option<Self> {
        let center = places.iter().sum::<f64>() / places.len() as f64;
        let sizes: Vec<f64> = places.iter().map(|place| 10.0_f64.powf(place - center)).collect();
        let fit = power_law::fit(&sizes, gains, &vec![1.0; sizes.len()])?;
        (fit.limit.is_finite() && fit.amplitude.is_finite()).then_some(Self { fit, center })
    }

    /// Returns the distance from the limit at size 1, in gains.
    fn amplitude(&self) -> f64 {
        self.fit.amplitude * 10.0_f64.powf(self.fit.exponent * self.center)
    }

    fn at(&self, place: f64) -> f64 {
        self.fit.limit - self.fit.amplitude * 10.0_f64.powf(-self.fit.exponent * (place - self.center))
    }
}

/// The joint error of the values.
pub(super) struct Noise {
    factor: Cholesky,
    count: usize,
    freedom: f64,
}

impl Noise {
    /// Takes the variance of each budget as its interval does, and the covariances over the rows.
    pub(super) fn new(budgets: &Budgets<'_>, freedom: f64, options: &Options) -> Option<Self> {
        let count = budgets.parts.len();
        let mut covariance = vec![0.0; count * count];
        for first in 0..count {
            for second in 0..first {
                let shared = budgets.covariance(first, second);
                covariance[first * count + second] = shared;
                covariance[second * count + first] = shared;
            }
            let mut only = vec![0.0; count];
            only[first] = 1.0;
            let error = budgets.sum(&only, options).ok()?.estimate.standard_error?;
            covariance[first * count + first] = (error * error).max(budgets.covariance(first, first));
        }
        Some(Self { factor: Cholesky::new(covariance, count)?, count, freedom })
    }

    /// Returns draws of the errors of all values, in gains.
    pub(super) fn draws(&self, rng: &mut TrialRng) -> Vec<Vec<f64>> {
        let number = if self.count < MANY { DRAWS } else { DRAWS_OF_MANY };
        (0..number).map(|_| self.draw(rng)).collect()
    }

    /// Draws the errors of all values from a multivariate t distribution.
    fn draw(&self, rng: &mut TrialRng) -> Vec<f64> {
        let scale = (self.freedom / chi_squared(self.freedom, rng)).sqrt();
        let independent: Vec<f64> = (0..self.count).map(|_| scale * gauss(rng)).collect();
        self.factor.times(&independent)
    }
}

/// Returns a draw of the chi-squared distribution by the approximation of Wilson & Hilferty (1931), which
/// also takes degrees of freedom that are not whole.
fn chi_squared(freedom: f64, rng: &mut TrialRng) -> f64 {
    let part = 2.0 / (9.0 * freedom);
    let root = 1.0 - part + part.sqrt() * gauss(rng);
    freedom * root.max(0.05).powi(3)
}

/// Returns a number of a law in gains, with the percentiles of its draws.
pub(super) fn with_draws(point: f64, mut draws: Vec<f64>, sign: f64, options: &Options) -> Option<Estimate> {
    let (low, high) = bootstrap::percentile(&mut draws, options.level)?;
    let (low, high) = (low.min(point), high.max(point));
    let interval = if sign < 0.0 { (-high, -low) } else { (low, high) };
    let mut estimate = Estimate::observed(sign * point, options);
    estimate.interval = Some(interval.into());
    estimate.method = Method::LawDraws;
    Some(estimate)
}
