//! The best learning rate of each budget, and how it changes with the size.

use allometry_core::is_usable;
use allometry_search::best_value;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::edge::LEARNING_RATES;
use crate::estimate::{Estimate, Method};
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::stats::bootstrap;
use crate::study::StudyAnalysis;

/// Fewest budgets for an exponent.
pub const BUDGETS_FOR_RATES: usize = 4;
/// Fewest decades that their sizes span.
const DECADES: f64 = 0.5;

/// Factor by which the distance of the draws from their median is stretched. In simulations intervals cover
/// too rarely without it, because a metric that drops suddenly is less smooth than the kernel assumes.
const STRETCH: f64 = 1.25;

/// The best learning rates of the budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearningRates {
    /// Name of the parameter.
    pub parameter: String,
    /// The budgets with a model, in the order of the ladder.
    pub budgets: Vec<BestRate>,
    /// Exponent of the weights in `rate = c * weights^exponent`; `null` for fewer than four budgets with
    /// known sizes that determine their rate.
    pub exponent: Option<Estimate>,
}

/// The best learning rate of a budget, at its recommended configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestRate {
    /// Label of the budget.
    pub budget: String,
    /// Exact weights of the recommended configuration, if known.
    pub weights: Option<u64>,
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
struct Drawn {
    rate: BestRate,
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
        let pairs: Vec<(&StudyAnalysis, &StudyTrials)> = studies.iter().zip(&ladder.studies).collect();
        let drawn: Vec<Drawn> =
            pairs.par_iter().filter_map(|(of, study)| drawn(parameter, of, study, ladder, options)).collect();
        if drawn.is_empty() {
            return None;
        }
        let exponent = exponent(&drawn, options);
        let budgets = drawn.into_iter().map(|one| one.rate).collect();
        Some(Self { parameter: parameter.to_owned(), budgets, exponent })
    }
}

fn drawn(
    parameter: &str,
    of: &StudyAnalysis,
    study: &StudyTrials,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<Drawn> {
    let recommended = of.recommended.trial.as_ref()?;
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
    let budget = of.budget.label.clone();
    Some(Drawn { rate: BestRate { budget, weights, rate, reaches_lowest, reaches_highest }, logs })
}

/// Returns the least-squares slope of log rates over log weights. Its error is the larger of that of the
/// draws and that of the residuals; Student's t with two degrees of freedom fewer than budgets.
fn exponent(drawn: &[Drawn], options: &Options) -> Option<Estimate> {
    let known: Vec<(f64, &Drawn)> = drawn
        .iter()
        .filter(|one| one.rate.is_inside())
        .filter_map(|one| Some(((one.rate.weights? as f64).log10(), one)))
        .collect();
    let count = known.len();
    let center = known.iter().map(|(x, _)| x).sum::<f64>() / count as f64;
    let ends = known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (x, _)| (a.min(*x), b.max(*x)));
    if count < BUDGETS_FOR_RATES || ends.1 - ends.0 < DECADES {
        return None;
    }
    let spread: f64 = known.iter().map(|(x, _)| (x - center).powi(2)).sum();
    let slope = |y: &dyn Fn(&Drawn) -> f64| -> f64 {
        known.iter().map(|(x, one)| (x - center) * y(one)).sum::<f64>() / spread
    };
    let log = |one: &Drawn| one.rate.rate.point.log10();
    let point = slope(&log);
    let mean = known.iter().map(|(_, one)| log(one)).sum::<f64>() / count as f64;
    let residual: f64 = known.iter().map(|(x, one)| (log(one) - mean - point * (x - center)).powi(2)).sum();
    let freedom = (count - 2) as f64;
    let of_residuals = residual / freedom / spread;
    // The variance of each budget's draws.
    let of_draws: f64 = known
        .iter()
        .map(|(x, one)| {
            let center_y = one.logs.iter().sum::<f64>() / one.logs.len() as f64;
            let variance =
                one.logs.iter().map(|log| (log - center_y).powi(2)).sum::<f64>() / one.logs.len() as f64;
            ((x - center) / spread).powi(2) * variance
        })
        .sum();
    Estimate::student(point, of_residuals.max(of_draws).sqrt(), freedom, Method::Sizes, options)
}
