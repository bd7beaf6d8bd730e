//! The best learning rate of each budget, and how it changes with weights and training rows.

use allometry_core::{RowCount, is_usable};
use allometry_search::best_value;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::edge::LEARNING_RATES;
use crate::estimate::{Estimate, Method};
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::recommendation::Recommendation;
use crate::scaling::rows_of_studies;
use crate::stats::bootstrap;
use crate::stats::moments::mean;
use crate::study::StudyAnalysis;

/// Fewest sizes for an exponent over the weights.
pub const BUDGETS_FOR_RATES: usize = 4;
/// Fewest numbers of training rows for an exponent over them.
pub const PARTS_FOR_RATES: usize = 3;
/// Fewest decades that sizes or numbers of rows span.
const DECADES: f64 = 0.5;
/// Fewest degrees of freedom of the residuals of an exponent.
const FREEDOM: usize = 2;

/// Factor by which the distance of the draws from their median is stretched. In simulations intervals cover
/// too rarely without it, because a metric that drops suddenly is less smooth than the kernel assumes.
const STRETCH: f64 = 1.25;

/// The best learning rates of the budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearningRates {
    /// Name of the parameter.
    pub parameter: String,
    /// The budgets with a model, in the order of the ladder; those on parts of the training rows last.
    pub budgets: Vec<BestRate>,
    /// Exponent of the weights in `rate = c * weights^exponent`, on equal training rows; `null` for fewer
    /// than four sizes that determine their rate.
    pub exponent: Option<Estimate>,
    /// Exponent of the training rows in `rate = c * rows^exponent`, within budgets; `null` for fewer than
    /// three numbers of rows that determine their rate.
    #[serde(default)]
    pub rows_exponent: Option<Estimate>,
}

/// The best learning rate of a budget, at its recommended configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestRate {
    /// Label of the budget.
    pub budget: String,
    /// Exact weights of the recommended configuration, if known.
    pub weights: Option<u64>,
    /// Distinct training rows, or their share; `null` for a ladder that was not trained on parts of them.
    #[serde(default)]
    pub rows: Option<f64>,
    /// The rate: the median and the percentiles of its draws.
    pub rate: Estimate,
    /// Whether the interval reaches the lowest rate of the range, so that better rates may lie below it.
    pub reaches_lowest: bool,
    /// Whether the interval reaches the highest rate of the range.
    pub reaches_highest: bool,
}

impl BestRate {
    /// Whether the interval lies inside the range.
    pub fn is_inside(&self) -> bool {
        !self.reaches_lowest && !self.reaches_highest
    }

    /// Whether the trials say anything about the rate.
    pub fn is_known(&self) -> bool {
        !self.reaches_lowest || !self.reaches_highest
    }
}

/// A best rate with the logarithms of its draws.
struct Drawn<'a> {
    rate: BestRate,
    /// Label of the budget.
    of: &'a str,
    /// The part of the training rows; `None` for all of them.
    part: Option<RowCount>,
    logs: Vec<f64>,
}

impl LearningRates {
    /// Finds the best learning rates from the model of `gp`; `None` where no budget has one.
    pub(crate) fn new(studies: &[StudyAnalysis], ladder: &LadderTrials, options: &Options) -> Option<Self> {
        let parameter = LEARNING_RATES.into_iter().find(|name| {
            let has =
                |study: &StudyTrials| study.space.as_ref().is_some_and(|space| space.get(name).is_some());
            ladder.studies.iter().any(has)
        })?;
        let of_parts: Vec<Recommendation> = ladder
            .parts
            .par_iter()
            .map(|study| {
                Recommendation::new(&study.trials, study.space.as_ref(), ladder.direction(), options)
            })
            .collect();
        let recommended = studies.iter().map(|study| &study.recommended).chain(&of_parts);
        let pairs: Vec<(&Recommendation, &StudyTrials)> =
            recommended.zip(ladder.studies.iter().chain(&ladder.parts)).collect();
        let mut drawn: Vec<Drawn<'_>> =
            pairs.par_iter().filter_map(|(of, study)| drawn(parameter, of, study, ladder, options)).collect();
        if drawn.is_empty() {
            return None;
        }
        if !ladder.parts.is_empty() {
            let (rows, _) = rows_of_studies(ladder);
            for one in &mut drawn {
                let found = rows.iter().find(|rows| rows.label == one.rate.budget);
                one.rate.rows = found.map(|rows| rows.rows);
            }
        }
        let (weights, rows) = (over_weights(&drawn, options), over_rows(&drawn, options));
        let budgets = drawn.into_iter().map(|one| one.rate).collect();
        Some(Self { parameter: parameter.to_owned(), budgets, exponent: weights, rows_exponent: rows })
    }
}

fn drawn<'a>(
    parameter: &str,
    recommended: &Recommendation,
    study: &'a StudyTrials,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<Drawn<'a>> {
    let recommended = recommended.trial.as_ref()?;
    let space = study.space.as_ref()?;
    let usable = study.trials.iter().filter(|trial| trial.values.first().copied().is_none_or(is_usable));
    let best = best_value(usable, space, ladder.direction(), &recommended.params, parameter)?;
    let mut logs: Vec<f64> = best.draws.iter().map(|rate| rate.log10()).collect();
    let (low, high) = (best.range.0.log10(), best.range.1.log10());
    if low >= high || logs.iter().any(|log| !log.is_finite()) {
        return None;
    }
    logs.sort_by(f64::total_cmp);
    let median = bootstrap::quantile(&logs, 0.5)?;
    for log in &mut logs {
        *log = median + STRETCH * (*log - median);
    }
    let (lower, upper) = bootstrap::percentile(&mut logs, options.level)?;
    let (reaches_lowest, reaches_highest) = (lower <= low, upper >= high);
    let number = |log: f64| 10.0_f64.powf(log.clamp(low, high));
    let mut rate = Estimate::observed(number(median), options);
    rate.interval = Some((number(lower), number(upper)).into());
    rate.method = Method::GaussianProcess;
    let weights = recommended.size.map(|size| size.total);
    let budget = study.budget.label.clone();
    let part = study.budget.train.as_ref();
    let of = part.map_or(&study.budget.label, |part| &part.of);
    let rate = BestRate { budget, weights, rows: None, rate, reaches_lowest, reaches_highest };
    Some(Drawn { rate, of, part: part.map(|part| part.rows), logs })
}

/// A budget in a fit of log rates: its place on the axis and the group that it is compared in.
struct Placed<'a> {
    x: f64,
    group: usize,
    drawn: &'a Drawn<'a>,
}

/// Returns the exponent over the weights, on equal rows.
fn over_weights(drawn: &[Drawn<'_>], options: &Options) -> Option<Estimate> {
    let inside = drawn.iter().filter(|one| one.rate.is_inside());
    let parts = distinct(drawn.iter().map(|one| one.part));
    let placed = inside.filter_map(|drawn| {
        let x = (drawn.rate.weights? as f64).log10();
        let group = parts.iter().position(|part| *part == drawn.part)?;
        Some(Placed { x, group, drawn })
    });
    let placed: Vec<Placed<'_>> = placed.collect();
    // Configurations of one budget may have a few weights more or less.
    let budgets = distinct(placed.iter().map(|one| one.drawn.of)).len();
    (budgets >= BUDGETS_FOR_RATES).then(|| exponent(&placed, options)).flatten()
}

/// Returns the exponent over the rows, within budgets.
fn over_rows(drawn: &[Drawn<'_>], options: &Options) -> Option<Estimate> {
    let budgets = distinct(drawn.iter().map(|one| one.of));
    let inside = drawn.iter().filter(|one| one.rate.is_inside());
    let placed = inside.filter_map(|drawn| {
        let x = drawn.rate.rows.filter(|rows| *rows > 0.0)?.log10();
        let group = budgets.iter().position(|budget| *budget == drawn.of)?;
        Some(Placed { x, group, drawn })
    });
    let placed: Vec<Placed<'_>> = placed.collect();
    let parts = distinct(placed.iter().map(|one| one.drawn.part)).len();
    (parts >= PARTS_FOR_RATES).then(|| exponent(&placed, options)).flatten()
}

/// Returns the distinct items in the order of their first occurrence.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}

/// Returns the least-squares slope of log rates within groups, each with its own level. Its error is the
/// larger of that of the draws and that of the residuals; Student's t with the residuals' degrees of freedom.
/// `None` for too few of them or too short an axis.
fn exponent(placed: &[Placed<'_>], options: &Options) -> Option<Estimate> {
    let groups = distinct(placed.iter().map(|one| one.group));
    let freedom = placed.len().checked_sub(groups.len() + 1).filter(|freedom| *freedom >= FREEDOM)?;
    let ends =
        placed.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), one| (a.min(one.x), b.max(one.x)));
    if ends.1 - ends.0 < DECADES {
        return None;
    }
    let log = |one: &Placed<'_>| one.drawn.rate.rate.point.log10();
    let mean_of = |group: usize, of: &dyn Fn(&Placed<'_>) -> f64| {
        mean(placed.iter().filter(|one| one.group == group).map(of)).unwrap_or(0.0)
    };
    let centred = |of: &dyn Fn(&Placed<'_>) -> f64| -> Vec<f64> {
        placed.iter().map(|one| of(one) - mean_of(one.group, of)).collect()
    };
    let (xs, ys) = (centred(&|one| one.x), centred(&log));
    let spread: f64 = xs.iter().map(|x| x * x).sum();
    if spread <= 0.0 {
        return None;
    }
    let point = xs.iter().zip(&ys).map(|(x, y)| x * y).sum::<f64>() / spread;
    let residual: f64 = xs.iter().zip(&ys).map(|(x, y)| (y - point * x).powi(2)).sum();
    let of_residuals = residual / freedom as f64 / spread;
    let of_draws: f64 =
        xs.iter().zip(placed).map(|(x, one)| (x / spread).powi(2) * variance(&one.drawn.logs)).sum();
    Estimate::student(point, of_residuals.max(of_draws).sqrt(), freedom as f64, Method::Sizes, options)
}

fn variance(draws: &[f64]) -> f64 {
    let center = mean(draws.iter().copied()).unwrap_or(0.0);
    mean(draws.iter().map(|draw| (draw - center).powi(2))).unwrap_or(0.0)
}
