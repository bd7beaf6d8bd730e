//! Trends adjusted for all other parameters, with a class for the conclusion that the trials support.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval, Method};
use crate::model::{Coding, Factor, Model};
use crate::options::Options;
use crate::stats::design::{Design, Term};
use crate::stats::isotonic::{Monotone, distance, isotonic};
use crate::stats::jonckheere::jonckheere_terpstra;
use crate::stats::kendall::kendall;
use crate::stats::least_squares::{Coefficient, Fit};
use crate::stats::moments::mean;
use crate::stats::{distribution, holm};

/// The shape of a trend, as far as the trials show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrendClass {
    /// The adjusted slope is above 0 after Holm's adjustment.
    Increasing,
    /// The adjusted slope is below 0 after Holm's adjustment.
    Decreasing,
    /// The metric is higher at an inner value than at both ends, after adjustment.
    PeakInside,
    /// The metric is lower at an inner value than at both ends, after adjustment.
    ValleyInside,
    /// The interval of the total change lies inside the smallest effect of interest.
    Flat,
    /// The trials do not decide.
    Undecided,
}

impl TrendClass {
    /// Returns the name of the class in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Increasing => "increasing",
            Self::Decreasing => "decreasing",
            Self::PeakInside => "peak inside",
            Self::ValleyInside => "valley inside",
            Self::Flat => "flat",
            Self::Undecided => "undecided",
        }
    }
}

/// Test whether values rise or fall with the levels, not adjusted for other parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderTest {
    /// Kendall's tau-b between level and metric.
    pub tau_b: f64,
    /// Jonckheere and Terpstra's statistic over the levels, in standard deviations, with the correction for
    /// ties.
    pub z: f64,
    /// Two-sided p-value of `z`.
    pub p: f64,
}

/// Shares of the variation between levels that monotone curves explain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonotoneShape {
    /// Share that the best increasing curve explains.
    pub increasing: f64,
    /// Share that the best decreasing curve explains.
    pub decreasing: f64,
}

/// The trend over an ordered parameter, from distinct evaluations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdjustedTrend {
    /// The conclusion.
    pub class: TrendClass,
    /// Change of the metric per step to the next level, with other parameters held fixed.
    pub slope: Option<Estimate>,
    /// Change of the metric over all steps.
    pub total_change: Option<Estimate>,
    /// P-value of the slope.
    pub p: Option<f64>,
    /// P-value after Holm's adjustment over the slopes of the budget.
    pub p_holm: Option<f64>,
    /// P-value of an inner peak or valley: the larger of the two one-sided p-values against the ends, times
    /// the number of candidate values.
    pub p_inside: Option<f64>,
    /// `p_inside` after Holm's adjustment over the parameters of the budget.
    pub p_inside_holm: Option<f64>,
    /// Test of the order of levels and metric.
    pub order: Option<OrderTest>,
    /// Fit of monotone curves to the levels' means.
    pub shape: Option<MonotoneShape>,
    /// Number of levels with fewer than five distinct evaluations. Where a model of earlier trials chose
    /// later ones, their means are biased towards worse values.
    pub sparse_levels: u64,
    /// Number of slopes in Holm's adjustment.
    pub family: u64,
}

/// Fewest evaluations at a level for an unmarked mean.
const SPARSE: usize = 5;

struct Draft {
    trend: AdjustedTrend,
    slope: Option<Coefficient>,
    is_valley: bool,
    spread: f64,
}

/// Returns the adjusted trend of each parameter; `None` for a parameter without an order or with a single
/// level.
pub(crate) fn adjusted_trends(model: &Model, options: &Options) -> Vec<Option<AdjustedTrend>> {
    let whole = model.coding.map(|coding| {
        let terms: Vec<Term> = model.included().map(|factor| factor.term(coding)).collect();
        Design::new(model.values.len(), &terms)
    });
    let whole = whole.as_ref().and_then(|design| Some((Fit::new(design, &model.values)?, design)));
    let mut drafts: Vec<Option<Draft>> = model
        .factors
        .par_iter()
        .map(|factor| {
            (factor.is_ordered && factor.levels > 1).then(|| draft(factor, model, whole.as_ref(), options))
        })
        .collect();
    let family = drafts.iter().flatten().filter(|draft| draft.trend.p.is_some()).count() as u64;
    adjust(&mut drafts, |trend| (&trend.p, &mut trend.p_holm));
    adjust(&mut drafts, |trend| (&trend.p_inside, &mut trend.p_inside_holm));
    drafts
        .into_iter()
        .map(|draft| {
            let mut draft = draft?;
            draft.trend.class = classify(&draft, options);
            draft.trend.family = family;
            Some(draft.trend)
        })
        .collect()
}

fn adjust(
    drafts: &mut [Option<Draft>],
    pick: impl Fn(&mut AdjustedTrend) -> (&Option<f64>, &mut Option<f64>),
) {
    let p_values: Vec<f64> =
        drafts.iter_mut().flatten().filter_map(|draft| *pick(&mut draft.trend).0).collect();
    let mut adjusted = holm::adjust(&p_values).into_iter();
    for draft in drafts.iter_mut().flatten() {
        let (p, slot) = pick(&mut draft.trend);
        if p.is_some() {
            *slot = adjusted.next();
        }
    }
}

fn classify(draft: &Draft, options: &Options) -> TrendClass {
    let told = |p: Option<f64>| p.is_some_and(|p| p < 1.0 - options.level);
    let inside =
        |interval: Interval| interval.lower >= -options.effect() && interval.upper <= options.effect();
    if told(draft.trend.p_inside_holm) {
        if draft.is_valley { TrendClass::ValleyInside } else { TrendClass::PeakInside }
    } else if told(draft.trend.p_holm) {
        if draft.slope.is_some_and(|slope| slope.estimate > 0.0) {
            TrendClass::Increasing
        } else {
            TrendClass::Decreasing
        }
    } else if draft.spread <= options.effect()
        && draft.trend.total_change.and_then(|change| change.interval).is_some_and(inside)
    {
        TrendClass::Flat
    } else {
        TrendClass::Undecided
    }
}

fn draft(factor: &Factor, model: &Model, whole: Option<&(Fit<'_>, &Design)>, options: &Options) -> Draft {
    let slope = model.coding.and_then(|coding| slope(factor, model, coding));
    let groups = groups(factor, &model.values);
    let extreme = whole.filter(|_| model.coding == Some(Coding::Levels)).and_then(|(fit, design)| {
        let position = model.included().position(|other| other.parameter == factor.parameter)?;
        inside(fit, design.terms()[position].start, factor.levels)
    });
    let estimate = |slope: Coefficient, steps: f64| {
        let half = distribution::t_half_width(options.level, slope.freedom)? * slope.standard_error * steps;
        let point = slope.estimate * steps;
        Some(Estimate {
            standard_error: Some(slope.standard_error * steps),
            interval: Some(Interval { lower: point - half, upper: point + half }),
            method: Method::Hc3,
            ..Estimate::observed(point, options)
        })
    };
    Draft {
        trend: AdjustedTrend {
            class: TrendClass::Undecided,
            slope: slope.and_then(|slope| estimate(slope, 1.0)),
            total_change: slope.and_then(|slope| estimate(slope, (factor.levels - 1) as f64)),
            p: slope.and_then(|slope| slope.p()),
            p_holm: None,
            p_inside: extreme.map(|extreme| extreme.p),
            p_inside_holm: None,
            order: order(factor, &model.values, &groups),
            shape: shape(&groups),
            sparse_levels: groups.iter().filter(|group| group.len() < SPARSE).count() as u64,
            family: 0,
        },
        slope,
        is_valley: extreme.is_some_and(|extreme| extreme.is_valley),
        spread: extreme.map_or(0.0, |extreme| extreme.spread),
    }
}

/// Returns the slope over the ranks of the levels, with all other parameters in the model.
fn slope(factor: &Factor, model: &Model, coding: Coding) -> Option<Coefficient> {
    let others = model.included().filter(|other| other.parameter != factor.parameter);
    let terms: Vec<Term> = others
        .map(|other| other.term(coding))
        .chain(factor.absence())
        .chain([Term::Score(factor.scores())])
        .collect();
    let design = Design::new(model.values.len(), &terms);
    Fit::new(&design, &model.values)?.robust(design.columns() - 1)
}

/// Returns the values at each level.
fn groups(factor: &Factor, values: &[f64]) -> Vec<Vec<f64>> {
    let mut groups = vec![Vec::new(); factor.levels];
    for (&code, &value) in factor.codes.iter().zip(values).filter(|(code, _)| **code < factor.levels) {
        groups[code].push(value);
    }
    groups
}

fn order(factor: &Factor, values: &[f64], groups: &[Vec<f64>]) -> Option<OrderTest> {
    let slices: Vec<&[f64]> = groups.iter().map(Vec::as_slice).collect();
    let test = jonckheere_terpstra(&slices)?;
    let present = || factor.codes.iter().zip(values).filter(|(code, _)| **code < factor.levels);
    let (codes, values): (Vec<f64>, Vec<f64>) = present().map(|(code, value)| (*code as f64, *value)).unzip();
    Some(OrderTest { tau_b: kendall(&codes, &values)?.tau_b, z: test.z, p: test.p })
}

fn shape(groups: &[Vec<f64>]) -> Option<MonotoneShape> {
    let filled = || groups.iter().filter(|group| !group.is_empty());
    let means: Vec<f64> = filled().filter_map(|group| mean(group.iter().copied())).collect();
    let weights: Vec<f64> = filled().map(|group| group.len() as f64).collect();
    let total: f64 = weights.iter().sum();
    let center = means.iter().zip(&weights).map(|(mean, weight)| mean * weight / total).sum::<f64>();
    let between = distance(&means, &weights, &vec![center; means.len()]);
    if between.is_nan() || between <= 0.0 {
        return None;
    }
    let share = |monotone| {
        (1.0 - distance(&means, &weights, &isotonic(&means, &weights, monotone)) / between).clamp(0.0, 1.0)
    };
    Some(MonotoneShape { increasing: share(Monotone::Increasing), decreasing: share(Monotone::Decreasing) })
}

/// The most significant peak or valley at an inner value.
#[derive(Debug, Clone, Copy)]
struct Extreme {
    p: f64,
    is_valley: bool,
    /// Largest adjusted difference of a level from the first.
    spread: f64,
}

/// Looks for an inner value whose adjusted effect is above, or below, those of both ends. Both differences
/// must be significant, so the larger of their one-sided p-values counts; it is multiplied by the number of
/// candidates, two per inner value.
fn inside(fit: &Fit<'_>, start: usize, levels: usize) -> Option<Extreme> {
    let column = |level: usize| level.checked_sub(1).map(|offset| start + offset);
    let (mut smallest, mut is_valley, mut spread) = (1.0_f64, false, 0.0_f64);
    for level in 1..levels {
        spread = spread.max(fit.contrast(column(level), None)?.estimate.abs());
    }
    for level in 1..levels.saturating_sub(1) {
        let first = fit.contrast(column(level), None)?;
        let last = fit.contrast(column(level), column(levels - 1))?;
        for valley in [false, true] {
            let tail = |contrast: Coefficient| {
                let t = contrast.estimate / contrast.standard_error;
                distribution::t_upper_tail(if valley { -t } else { t }, contrast.freedom)
            };
            let p = tail(first)?.max(tail(last)?);
            if p < smallest {
                (smallest, is_valley) = (p, valley);
            }
        }
    }
    let candidates = 2 * levels.saturating_sub(2);
    (candidates > 0).then(|| Extreme { p: (smallest * candidates as f64).min(1.0), is_valley, spread })
}
