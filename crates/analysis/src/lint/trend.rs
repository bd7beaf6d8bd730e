//! Check of trends, from the tables by value.

use allometry_core::{Direction, ParamValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conclusion::{Conclusion, Standing};
use super::groups::{FEW, best_values, summaries};
use super::reason::{BestValueReason, Claim, LintReason, TrendReason, TrendSlope, TrendTest};
use super::stated::{StatedLevel, StatedStudy, StatedTrend};
use crate::consistency::BestValueSet;
use crate::estimate::Interval;
use crate::options::Options;
use crate::stats::contrast::{Contrast, pooled, welch};
use crate::stats::distribution::t_half_width;
use crate::stats::group::GroupSummary;
use crate::stats::holm;
use crate::stats::two_sample::welch_of_summaries;
use crate::trend::{NAIVE_FLAT, NaiveDirection};

/// One parameter's trend in one budget, from its table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendLint {
    /// The parameter.
    pub parameter: String,
    /// Line of the report's word, or of the heading without a word.
    pub line: u64,
    /// The report's word.
    pub stated: Option<NaiveDirection>,
    /// Linear contrast with unequal variances; `null` without an order or where fewer than two values have
    /// two trials.
    pub contrast: Option<ContrastLint>,
    /// The contrast with one variance for all values.
    pub pooled: Option<ContrastLint>,
    /// Mean at the last value less the mean at the first, where each has two trials.
    pub change: Option<ChangeLint>,
    /// Values with fewer than five trials: adaptive sampling biases their means towards worse values.
    pub thin: Vec<ParamValue>,
    /// Values with one trial, which the first contrast leaves out.
    pub single: Vec<ParamValue>,
    /// The values that may be the best.
    pub best_values: BestValueSet,
    /// Test whether the value with the best mean is better than all others; `null` where fewer than two
    /// values have two trials.
    #[serde(default)]
    pub best: Option<BestLint>,
}

/// A test of the value with the best mean against every other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestLint {
    /// The value.
    pub value: ParamValue,
    /// Two-sided p-value: twice the largest of the one-sided Welch tests against the other values, all of
    /// which must be significant (Berger 1982). The factor of two allows for another value having the best
    /// mean by chance.
    pub p: f64,
    /// The p-value after Holm's adjustment over all tables of the report.
    pub p_holm: f64,
}

impl BestLint {
    fn new(levels: &[StatedLevel], groups: &[GroupSummary], direction: Direction) -> Option<Self> {
        let tested: Vec<usize> = (0..groups.len()).filter(|&place| groups[place].count > 1).collect();
        let ahead =
            |a: &usize, b: &usize| if direction.better(groups[*b].mean, groups[*a].mean) { *b } else { *a };
        let best = tested.iter().copied().reduce(|a, b| ahead(&a, &b))?;
        let others = tested.iter().filter(|place| **place != best);
        let p_values = others.map(|&other| {
            let better =
                |place: usize| GroupSummary { mean: direction.sign() * groups[place].mean, ..groups[place] };
            welch_of_summaries(&better(best), &better(other)).map(|test| test.p_greater)
        });
        let largest = p_values.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)?;
        let p = (2.0 * largest).min(1.0);
        Some(Self { value: levels[best].value.clone(), p, p_holm: p })
    }
}

/// A test of a linear contrast over the ordered values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContrastLint {
    /// Slope per step to the next value.
    pub slope: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom.
    pub freedom: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// The p-value after Holm's adjustment over all trends of the report.
    pub p_holm: f64,
}

/// The change from the first value to the last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeLint {
    /// Difference of the means.
    pub point: f64,
    /// Its interval (Welch).
    pub interval: Interval,
}

impl TrendLint {
    pub(super) fn new(trend: &StatedTrend, direction: Direction, options: &Options) -> Self {
        let values = |keep: fn(u64) -> bool| {
            trend.levels.iter().filter(|level| keep(level.count)).map(|level| level.value.clone()).collect()
        };
        let groups = summaries(&trend.levels);
        let scored: Vec<(f64, _)> =
            groups.iter().enumerate().map(|(rank, group)| (rank as f64, *group)).collect();
        let scored = if is_ordered(trend) { scored } else { Vec::new() };
        let ends = groups.first().zip(groups.last()).filter(|_| groups.len() > 1);
        Self {
            parameter: trend.parameter.clone(),
            line: trend.word.as_ref().map_or(trend.line, |word| word.line),
            stated: trend.word.as_ref().map(|word| word.value),
            contrast: welch(&scored).map(ContrastLint::new),
            pooled: pooled(&scored).map(ContrastLint::new),
            change: ends.and_then(|(first, last)| {
                let test = welch_of_summaries(last, first)?;
                let point = last.mean - first.mean;
                let error = (first.mean_variance() + last.mean_variance()).sqrt();
                let half = t_half_width(options.level, test.freedom)? * error;
                Some(ChangeLint { point, interval: Interval { lower: point - half, upper: point + half } })
            }),
            thin: values(|count| count < FEW),
            single: values(|count| count == 1),
            best_values: best_values(&trend.parameter, &trend.levels, direction, options),
            best: BestLint::new(&trend.levels, &groups, direction),
        }
    }

    /// Returns the significant direction of the contrast.
    pub fn told(&self, options: &Options) -> Option<NaiveDirection> {
        let contrast = self.contrast.filter(|contrast| contrast.p_holm < 1.0 - options.level)?;
        Some(if contrast.slope > 0.0 { NaiveDirection::Increasing } else { NaiveDirection::Decreasing })
    }

    pub(super) fn conclusions(&self, study: &StatedStudy, options: &Options) -> Vec<Conclusion> {
        let parameter = || self.parameter.clone();
        let word = self.stated.map(|direction| {
            let claim = Claim::Trend { parameter: parameter(), direction };
            let (standing, test) = self.weigh(direction, options);
            let names_thin = !matches!(test, TrendTest::OneValue | TrendTest::NoOrder);
            let thin = if names_thin { self.thin.clone() } else { Vec::new() };
            let reason = LintReason::Trend(TrendReason { test, thin, few: FEW });
            Conclusion::new(self.line, claim, (standing, reason)).of(&study.label)
        });
        let best = study.trend(&self.parameter).and_then(|trend| trend.best.as_ref()).map(|best| {
            let value = &best.value.0;
            let claim = Claim::BestValue { parameter: parameter(), value: value.clone() };
            let (standing, reason) = self.weigh_best(value, options);
            Conclusion::new(best.line, claim, (standing, LintReason::BestValue(reason))).of(&study.label)
        });
        word.into_iter().chain(best).collect()
    }

    fn weigh(&self, stated: NaiveDirection, options: &Options) -> (Standing, TrendTest) {
        if stated == NaiveDirection::InsufficientData {
            return (Standing::Stands, TrendTest::OneValue);
        }
        let Some(ContrastLint { slope, standard_error, p_holm, .. }) = self.contrast else {
            return (Standing::CannotBeTold, TrendTest::NoOrder);
        };
        let slope = TrendSlope { slope, standard_error, p_holm };
        match (stated, self.told(options)) {
            (stated, Some(told)) if stated == told => (Standing::Stands, TrendTest::AsStated(slope)),
            (_, Some(told)) => (Standing::DoesNotStand, TrendTest::Other(slope, told)),
            (NaiveDirection::Flat, None) => self.weigh_flat(),
            (_, None) => (Standing::DoesNotStand, TrendTest::Chance(slope)),
        }
    }

    /// Judges a flat trend. This is a claim of its own, that the change is small; the margin is the report's.
    fn weigh_flat(&self) -> (Standing, TrendTest) {
        let Some(ChangeLint { interval, .. }) = self.change else {
            return (Standing::CannotBeTold, TrendTest::SingleTrial);
        };
        let is_inside = interval.lower > -NAIVE_FLAT && interval.upper < NAIVE_FLAT;
        let standing = if is_inside { Standing::Stands } else { Standing::DoesNotStand };
        (standing, TrendTest::Change { interval, margin: NAIVE_FLAT })
    }

    fn weigh_best(&self, stated: &ParamValue, options: &Options) -> (Standing, BestValueReason) {
        let BestValueSet { tried, possible, .. } = &self.best_values;
        if tried.len() < 2 {
            return (Standing::Stands, BestValueReason::OnlyValue);
        }
        let others: Vec<ParamValue> =
            possible.iter().map(|step| step.value.clone()).filter(|value| value != stated).collect();
        let test = self.best.as_ref().filter(|test| test.value == *stated);
        let told = test.is_some_and(|test| test.p_holm < 1.0 - options.level);
        let p_holm = test.map(|test| test.p_holm);
        if others.iter().all(|value| self.single.contains(value)) && (told || test.is_none()) {
            return if others.is_empty() {
                (Standing::Stands, BestValueReason::OthersWorse { p_holm })
            } else {
                (Standing::CannotBeTold, BestValueReason::AllBut(others))
            };
        }
        let reason = if possible.len() == tried.len() {
            BestValueReason::AnyOf(tried.len() as u64)
        } else if others.is_empty() {
            BestValueReason::Chance { p_holm }
        } else {
            BestValueReason::Also(others)
        };
        (Standing::DoesNotStand, reason)
    }
}

impl ContrastLint {
    fn new(contrast: Contrast) -> Self {
        let Contrast { slope, standard_error, freedom, p, .. } = contrast;
        Self { slope, standard_error, freedom, p, p_holm: p }
    }
}

/// Whether the values are ascending numbers.
fn is_ordered(trend: &StatedTrend) -> bool {
    let numbers: Option<Vec<f64>> = trend.levels.iter().map(|level| level.value.as_f64()).collect();
    numbers.is_some_and(|numbers| numbers.windows(2).all(|pair| pair[0] < pair[1]))
}

/// Adjusts the tests of all trends of a report, given budget by budget.
pub(super) fn adjust<'t>(trends: impl Iterator<Item = &'t mut TrendLint>) {
    let mut contrasts: Vec<&mut ContrastLint> = Vec::new();
    let mut pooled: Vec<&mut ContrastLint> = Vec::new();
    let mut best: Vec<&mut BestLint> = Vec::new();
    for trend in trends {
        contrasts.extend(trend.contrast.as_mut());
        pooled.extend(trend.pooled.as_mut());
        best.extend(trend.best.as_mut());
    }
    let p_values: Vec<f64> = best.iter().map(|test| test.p).collect();
    for (test, p) in best.into_iter().zip(holm::adjust(&p_values)) {
        test.p_holm = p;
    }
    for tests in [contrasts, pooled] {
        let p_values: Vec<f64> = tests.iter().map(|test| test.p).collect();
        for (test, p) in tests.into_iter().zip(holm::adjust(&p_values)) {
            test.p_holm = p;
        }
    }
}
