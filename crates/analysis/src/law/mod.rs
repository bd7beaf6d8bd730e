//! Scaling laws: the loss over weights, data or compute, with errors, and a forecast that is put to the test.

mod forecast;
mod isoflop;
mod optimum;
mod problem;
mod resample;
mod shared;

use std::collections::HashSet;

use allometry_core::rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Interval;
use crate::stats::bootstrap;
use crate::stats::kendall::kendall;
use crate::stats::robust_law::{EXPONENTS, Law, Sizes};

pub use forecast::{Forecast, Prediction};
pub use isoflop::IsoFlop;
pub(crate) use optimum::{MULTIPLES, optima_of};
pub use optimum::{OPERATIONS, Optimum};
pub use problem::LawProblem;
pub(crate) use problem::check;
use resample::Departure;
pub use resample::Resampled;
use shared::SharedNoise;

/// Threshold of Huber's loss on the residuals of `log loss` (Hoffmann et al. 2022).
pub const DELTA: f64 = 1e-3;
/// Fewest distinct sizes of an axis.
pub const FEWEST_SIZES: u64 = 5;
/// Fewest decades that the sizes of an axis span.
pub const FEWEST_DECADES: f64 = 1.5;
/// Ratio of neighbouring sizes above which the law between and beyond them is hardly tested.
pub const JUMP: f64 = 100.0;
/// Sizes that differ by less than this part are one size.
const SAME_SIZE: f64 = 1e-3;
/// Number of robust standard deviations above the law from which a run counts as diverged.
const DIVERGED: f64 = 8.0;
/// Largest number of times that diverged runs are looked for.
const MOST_ROUNDS: usize = 5;
/// Number of residuals with which [`DIVERGED`] is doubled; with more it is nearly itself.
const UNCERTAIN: f64 = 10.0;
/// Variance of `log loss` that is an error of rounding.
const ROUNDING: f64 = 1e-18;
/// Fewest runs of a size for a statement on their spread.
const SEVERAL: usize = 3;
/// Least relative excess of the loss of a diverged run.
const LEAST_EXCESS: f64 = 1e-3;

/// An axis of a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LawAxis {
    /// Number of weights, `N`.
    Weights,
    /// Number of rows or tokens trained on, `D`.
    Data,
    /// Number of floating-point operations, `C`.
    Compute,
}

impl LawAxis {
    /// Returns the letter of the axis in formulas.
    pub fn letter(self) -> char {
        match self {
            Self::Weights => 'N',
            Self::Data => 'D',
            Self::Compute => 'C',
        }
    }

    /// Returns the word for the axis.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Data => "data",
            Self::Compute => "compute",
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct LawPoint {
    /// Size on each axis.
    pub sizes: Vec<f64>,
    /// Loss of the run.
    pub loss: f64,
}

/// Settings of a law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LawOptions {
    /// Level of the intervals.
    pub level: f64,
    /// Number of resampled fits.
    pub replicates: u64,
    /// Seed of the resampling.
    pub seed: u64,
    /// Compute for which the best weights and data are asked, in operations; `None` for that of the largest
    /// run, ten times and a hundred times as much.
    pub compute: Option<f64>,
}

impl Default for LawOptions {
    fn default() -> Self {
        Self { level: 0.95, replicates: 1_000, seed: 0, compute: None }
    }
}

/// A number with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LawEstimate {
    /// Value of the fit to all runs.
    pub point: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
}

impl LawEstimate {
    /// Returns a number with the percentiles of its resampled values; without any, the number alone.
    fn new(point: f64, mut resampled: Vec<f64>, level: f64) -> Self {
        let (lower, upper) = bootstrap::percentile(&mut resampled, level).unwrap_or((point, point));
        Self { point, lower: lower.min(point), upper: upper.max(point) }
    }

    /// Returns the interval.
    pub fn interval(&self) -> Interval {
        Interval { lower: self.lower, upper: self.upper }
    }
}

/// The law along one axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AxisLaw {
    /// The axis.
    pub axis: LawAxis,
    /// Number of distinct sizes.
    pub distinct: u64,
    /// Smallest and largest size.
    pub range: [f64; 2],
    /// Amplitude `A` of `A / size^exponent`.
    pub amplitude: LawEstimate,
    /// Exponent.
    pub exponent: LawEstimate,
    /// Whether the interval of the exponent reaches an end of the searched range, so that the runs do not
    /// determine it.
    pub is_open: bool,
}

/// How far the runs are from the law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LawResiduals {
    /// Median distance of a run from the law, as a part of the loss.
    pub median: f64,
    /// Largest distance, as a part of the loss.
    pub largest: f64,
    /// Position of the run with the largest distance among the given ones, from 0.
    pub farthest: u64,
}

/// A fitted law `loss = E + sum_k A_k / size_k^exponent_k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LawAnalysis {
    /// Number of runs that were fitted.
    pub runs: u64,
    /// Number of runs that were left out because their loss is far above the law.
    pub diverged: u64,
    /// Whether a law of one axis has one run per size, so that a diverged run at an end may be missed.
    pub is_single: bool,
    /// Loss that infinite sizes approach, `E`.
    pub floor: LawEstimate,
    /// The law along each axis.
    pub axes: Vec<AxisLaw>,
    /// Sum that the fit minimises: with two axes of the Huber losses of the residuals of `log loss`, with the
    /// threshold [`DELTA`]; with one axis of half their squares.
    pub objective: f64,
    /// What the intervals cover.
    pub resampled: Resampled,
    /// Number of resampled fits.
    pub replicates: u64,
    /// Level of the intervals.
    pub level: f64,
    /// Distances of the runs from the law.
    pub residuals: LawResiduals,
    /// P-value of the departure of the means of repeated sizes from the law, beyond the noise of runs; `null`
    /// without repeated sizes. With two axes, of the medians of the sizes of weights.
    #[serde(default)]
    pub lack_of_fit: Option<f64>,
    /// Rank correlation of sizes and losses of a law of one axis (Kendall's tau-b).
    #[serde(default)]
    pub correlation: Option<f64>,
    /// Smallest and largest number of rows per weight; for laws over weights and data.
    #[serde(default)]
    pub rows_per_weight: Option<[f64; 2]>,
    /// Median over repeated sizes of the ratio of the third quartile of the losses to the smallest; `null`
    /// where few sizes have several runs.
    #[serde(default)]
    pub ratio_within: Option<f64>,
    /// Forecast of the largest size by the others.
    pub held_out: Option<Forecast>,
    /// Why the others cannot forecast it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_held_out: Option<LawProblem>,
    /// Prediction of the next size.
    pub next: Prediction,
    /// Sizes with the least loss for given compute; for laws over weights and data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optima: Vec<Optimum>,
    /// Runs of about equal compute with the weights of their least loss; for laws over weights and data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub isoflops: Vec<IsoFlop>,
    /// The law at sizes from the smallest to the next; for laws of one axis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<Prediction>,
    /// Number of runs that repeat the sizes and the loss of another run exactly.
    #[serde(default)]
    pub repeated: u64,
    /// Jumps between neighbouring sizes that are larger than [`JUMP`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jumps: Vec<SizeJump>,
}

/// Two neighbouring sizes of an axis that are far apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeJump {
    /// The axis.
    pub axis: LawAxis,
    /// The smaller and the larger size.
    pub sizes: [f64; 2],
}

impl SizeJump {
    /// Returns the jumps of an axis.
    fn all(axis: LawAxis, sizes: &[f64]) -> impl Iterator<Item = Self> {
        let far = sizes.windows(2).filter(|pair| pair[1] / pair[0] > JUMP);
        far.map(move |pair| Self { axis, sizes: [pair[0], pair[1]] })
    }
}

/// Fits a law to runs.
///
/// The law minimises Huber's loss of the residuals of `log loss` (Hoffmann et al. 2022, approach 3) by a
/// search over the exponents that needs no start. With one axis, runs far above the law are left out as
/// diverged, and the law of the others is fitted by least squares; the intervals come from fits to losses
/// drawn around the law, with the variance of the runs drawn from its own distribution. With two axes the
/// intervals come from resampled runs. The largest size is held out and forecast from the others.
///
/// # Errors
/// [`LawProblem`] where the runs cannot bear a law, with what would change that.
pub fn fit_law(
    axes: &[LawAxis],
    points: &[LawPoint],
    options: &LawOptions,
) -> Result<LawAnalysis, LawProblem> {
    check(axes, points)?;
    let fitted = Fitted::new(points).refined();
    let mut rng = stream(options.seed, "law", 0);
    let shared = SharedNoise::estimate(&fitted, &mut rng);
    let (laws, resampled) = resample::laws(&fitted, shared.as_ref(), options.replicates, &mut rng);
    let estimate = |of: &dyn Fn(&Law) -> f64| {
        LawEstimate::new(of(&fitted.law), laws.iter().map(of).collect(), options.level)
    };
    let kept: Vec<LawPoint> = fitted.kept.iter().map(|place| points[*place].clone()).collect();
    let axis_laws: Vec<AxisLaw> = axes
        .iter()
        .enumerate()
        .map(|(place, axis)| {
            let exponent = estimate(&|law| law.exponents[place]);
            let sizes = fitted.kept.iter().map(|point| points[*point].sizes[place]);
            let range = sizes.fold([f64::INFINITY, 0.0], |[low, high], x| [x.min(low), x.max(high)]);
            AxisLaw {
                axis: *axis,
                distinct: distinct(&kept, place).len() as u64,
                range,
                amplitude: estimate(&|law| law.amplitudes[place]),
                is_open: reaches_end(Some(exponent.interval())),
                exponent,
            }
        })
        .collect();
    let (held_out, not_held_out) = match forecast::held_out(axes, points, options) {
        Ok(forecast) => (Some(forecast), None),
        Err(problem) => (None, Some(problem)),
    };
    let next = forecast::next(points, &fitted, &laws, options);
    let isoflops = if axes == [LawAxis::Weights, LawAxis::Data] {
        isoflop::isoflops(points, &fitted.law, &laws, options.level)
    } else {
        Vec::new()
    };
    let curve = if let [_] = axes {
        forecast::curve(axis_laws[0].range[0], next.sizes[0], &fitted.law, &laws, options.level)
    } else {
        Vec::new()
    };
    Ok(LawAnalysis {
        runs: fitted.kept.len() as u64,
        diverged: (points.len() - fitted.kept.len()) as u64,
        is_single: axes.len() == 1 && distinct(points, 0).len() == points.len(),
        floor: estimate(&|law| law.floor),
        objective: fitted.law.objective,
        resampled,
        replicates: laws.len() as u64,
        level: options.level,
        residuals: fitted.residuals(),
        lack_of_fit: shared.map(|shared| shared.p).or_else(|| fitted.lack_of_fit()),
        correlation: correlation(axes, points),
        rows_per_weight: rows_per_weight(axes, points),
        ratio_within: fitted.ratio_within(),
        held_out,
        not_held_out,
        next,
        isoflops,
        curve,
        repeated: repeated(points),
        jumps: axes
            .iter()
            .enumerate()
            .flat_map(|(place, axis)| SizeJump::all(*axis, &distinct(points, place)).collect::<Vec<_>>())
            .collect(),
        optima: optimum::optima(axes, &axis_laws, points, &fitted.law, &laws, options),
        axes: axis_laws,
    })
}

/// Whether the interval of an exponent reaches an end of the searched range or is unknown, so that the
/// exponent is not determined.
pub(crate) fn reaches_end(exponent: Option<Interval>) -> bool {
    exponent.is_none_or(|ends| ends.lower <= EXPONENTS.0 * 1.01 || ends.upper >= EXPONENTS.1 * 0.99)
}

/// Returns the rank correlation of sizes and losses of one axis.
fn correlation(axes: &[LawAxis], points: &[LawPoint]) -> Option<f64> {
    let [_] = axes else { return None };
    let sizes: Vec<f64> = points.iter().map(|point| point.sizes[0]).collect();
    let losses: Vec<f64> = points.iter().map(|point| point.loss).collect();
    kendall(&sizes, &losses).map(|tau| tau.tau_b)
}

/// Returns the smallest and the largest number of rows per weight.
fn rows_per_weight(axes: &[LawAxis], points: &[LawPoint]) -> Option<[f64; 2]> {
    let [LawAxis::Weights, LawAxis::Data] = axes else { return None };
    let ratios = points.iter().map(|point| point.sizes[1] / point.sizes[0]);
    Some(ratios.fold([f64::INFINITY, 0.0], |[least, most], ratio| [ratio.min(least), ratio.max(most)]))
}

/// Returns the number of runs that are equal to another one before them.
fn repeated(points: &[LawPoint]) -> u64 {
    let bits = |point: &LawPoint| -> Vec<u64> {
        point.sizes.iter().chain([&point.loss]).map(|x| x.to_bits()).collect()
    };
    let mut known = HashSet::new();
    points.iter().filter(|point| !known.insert(bits(point))).count() as u64
}

/// The distinct sizes of an axis, ascending.
fn distinct(points: &[LawPoint], axis: usize) -> Vec<f64> {
    let mut sizes: Vec<f64> = points.iter().map(|point| point.sizes[axis]).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup_by(|a, b| is_same(*a, *b));
    sizes
}

fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME_SIZE * a.max(b)
}

/// A law fitted to the runs that did not diverge.
struct Fitted {
    law: Law,
    sizes: Sizes,
    /// Positions of the fitted runs among the given ones.
    kept: Vec<usize>,
    /// `log loss` of the law less that of each fitted run.
    residuals: Vec<f64>,
}

impl Fitted {
    /// Fits the law of checked runs. With one axis diverged runs are left out until none is found; with two
    /// axes they count as Huber's loss lets them.
    fn new(points: &[LawPoint]) -> Self {
        let mut kept: Vec<usize> = (0..points.len()).collect();
        if points[0].sizes.len() > 1 {
            return Self::of(points, kept);
        }
        for _ in 0..MOST_ROUNDS {
            let fitted = Self::of(points, kept.clone());
            let mut sizes: Vec<f64> = fitted.residuals.iter().map(|residual| residual.abs()).collect();
            sizes.sort_by(f64::total_cmp);
            // A robust fit meets as many runs as it has unknowns, whose residuals tell nothing.
            let unmet = &sizes[fitted.sizes.unknowns().min(sizes.len() - 1)..];
            let spread = 1.4826 * bootstrap::quantile(unmet, 0.5).unwrap_or(0.0);
            // The spread of few residuals is itself uncertain.
            let limit = (DIVERGED * spread * (1.0 + UNCERTAIN / unmet.len() as f64)).max(LEAST_EXCESS);
            let stays: Vec<usize> = kept
                .iter()
                .zip(&fitted.residuals)
                .filter(|(_, residual)| **residual >= -limit)
                .map(|(point, _)| *point)
                .collect();
            if stays.len() == kept.len() {
                return fitted;
            }
            kept = stays;
        }
        Self::of(points, kept)
    }

    fn of(points: &[LawPoint], kept: Vec<usize>) -> Self {
        let axes = points[0].sizes.len();
        let column = |axis: usize| kept.iter().map(|point| points[*point].sizes[axis]).collect();
        let columns: Vec<Vec<f64>> = (0..axes).map(column).collect();
        let losses: Vec<f64> = kept.iter().map(|point| points[*point].loss).collect();
        let sizes = Sizes::new(&columns, &losses).expect("the runs are checked");
        let law = sizes.fit(&vec![1.0; losses.len()], DELTA);
        let residuals = sizes.residuals(&law);
        Self { law, sizes, kept, residuals }
    }

    /// Fits the law by least squares, if it has one axis: once the diverged runs are left out, that is the
    /// estimate with the smallest error.
    fn refined(mut self) -> Self {
        if self.sizes.axes() == 1 {
            self.law = self.sizes.fit(&vec![1.0; self.kept.len()], f64::INFINITY);
            self.residuals = self.sizes.residuals(&self.law);
        }
        self
    }

    /// Returns the p-value of the departure of repeated sizes from a law of one axis.
    fn lack_of_fit(&self) -> Option<f64> {
        let departure = || Departure::new(&self.sizes, &self.residuals);
        (self.sizes.axes() == 1).then(departure).flatten().map(|departure| departure.p)
    }

    /// Returns the median over sizes with several runs of the ratio of their third quartile to their smallest
    /// loss. `None` where fewer than half of the runs are at such sizes.
    fn ratio_within(&self) -> Option<f64> {
        let groups = self.sizes.groups();
        let repeated: Vec<&Vec<usize>> = groups.iter().filter(|group| group.len() >= SEVERAL).collect();
        let runs: usize = repeated.iter().map(|group| group.len()).sum();
        if 2 * runs < self.kept.len() {
            return None;
        }
        let ratio = |group: &&Vec<usize>| {
            // Residuals are those of the law less the loss.
            let mut logs: Vec<f64> = group.iter().map(|row| -self.residuals[*row]).collect();
            logs.sort_by(f64::total_cmp);
            Some((bootstrap::quantile(&logs, 0.75)? - logs[0]).exp())
        };
        let mut ratios: Vec<f64> = repeated.iter().filter_map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        bootstrap::quantile(&ratios, 0.5)
    }

    fn residuals(&self) -> LawResiduals {
        let mut parts: Vec<f64> = self.residuals.iter().map(|residual| residual.exp_m1().abs()).collect();
        let farthest = (0..parts.len()).max_by(|a, b| parts[*a].total_cmp(&parts[*b])).unwrap_or(0);
        let largest = parts.get(farthest).copied().unwrap_or(0.0);
        parts.sort_by(f64::total_cmp);
        LawResiduals {
            median: bootstrap::quantile(&parts, 0.5).unwrap_or(0.0),
            largest,
            farthest: self.kept.get(farthest).map_or(0, |point| *point as u64),
        }
    }
}
