//! Whether scale pays: one test of the slope over all budgets, then of its last steps.

use std::fmt;

use allometry_core::cholesky::Cholesky;
use schemars::JsonSchema;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Difference;
use super::contrast::{Budgets, Share, Source};
use crate::estimate::Estimate;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::rows::NoRowError;
use crate::statement::Statement;
use crate::stats::distribution::f_upper_tail;
use crate::stats::holm;

/// The share of the level that goes to the lack of fit, where there are more than two budgets.
pub const FOR_LACK_OF_FIT: f64 = 0.1;
/// Budgets up to which each is compared with each: pairs grow with their square.
pub const MOST_IN_PAIRS: usize = 40;
/// Decades over which the sizes of the budgets must differ at least.
const FEWEST_DECADES: f64 = 0.02;

/// What the value of a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Quantity {
    /// The expected best of `k` trials of its search; of 1, the mean trial.
    BestOf {
        /// Trials.
        k: u64,
    },
    /// The mean over seeds of one configuration that was trained several times.
    Configuration,
    /// The mean on the test rows of what `allometry confirm` trained.
    Confirmed,
    /// The mean of all trials that a report tells.
    Mean,
}

/// The value of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedBudget {
    /// Label of the size budget.
    pub budget: String,
    /// Weights that stand for it: the geometric mean of the exact sizes of what its value is computed from,
    /// or those that its label names; `null` where neither is known.
    pub weights: Option<f64>,
    /// The value with its error.
    pub value: Estimate,
    /// Number of what it is computed from: configurations, seeds.
    pub units: u64,
}

/// What a larger model gains in the last steps of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LastStep {
    /// Label of the budget before the largest.
    pub from: String,
    /// Label of the largest.
    pub to: String,
    /// What the largest gains over it.
    pub gain: Estimate,
    /// p-value for zero.
    pub p: Option<f64>,
    /// Whether it is told from 0 by the closed test: every slope over more of the largest budgets is told as
    /// well.
    pub is_told: bool,
}

/// The test of scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// What the values are.
    pub quantity: Quantity,
    /// What the test says.
    pub outcome: Outcome,
    /// One per budget, from the smallest to the largest.
    pub values: Vec<JudgedBudget>,
    /// Whether the slope is one over decades of weights; else it is one over steps from budget to budget,
    /// sizes being unknown.
    pub is_per_decade: bool,
    /// Gain per tenfold weights, or per step; positive where larger is better.
    pub slope: Estimate,
    /// p-value of the slope for zero.
    pub p: Option<f64>,
    /// Gain of the largest budget over the smallest along the slope.
    pub whole: Estimate,
    /// p-value of no departure from a straight line; `null` for two budgets.
    pub lack_of_fit: Option<f64>,
    /// What the slope's error consists of, among the sources that are known.
    pub shares: Vec<Share>,
    /// Sources of which nothing is known: the errors leave them out.
    pub left_out: Vec<Source>,
    /// Whether the error over rows is that of the same rows for all budgets; `null` where it is not known.
    pub same_rows: Option<bool>,
    /// Whether that error follows the order of the rows in time; otherwise they count as independent.
    pub rows_in_order: bool,
    /// The last step, for three budgets or more.
    pub last_step: Option<LastStep>,
    /// The smallest budget for which no larger one is told to be better.
    pub sufficient: String,
    /// Whether the values of all differ from the values of few: the slope at the largest `k` has the other
    /// sign.
    #[serde(default)]
    pub k_decides: bool,
    /// Where budgets were searched with unequal numbers of trials: the fewest distinct configurations of any.
    /// Intervals then hold what the budgets give as they are and what they would give had all searches ended
    /// after as many; `null` where that makes no difference.
    #[serde(default)]
    pub cut_to: Option<u64>,
}

/// Why scale is not judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Withheld {
    /// Fewer than two budgets have a usable trial.
    TooFewBudgets {
        /// Budgets with a usable trial.
        budgets: u64,
    },
    /// A budget has one trial, which says nothing of seeds and of the search.
    OneTrial {
        /// Its label.
        budget: String,
    },
    /// A budget has too few trials for the value of its search.
    FewTrials {
        /// Its label.
        budget: String,
        /// Its distinct configurations.
        configurations: u64,
    },
    /// The searches learned from their trials, which are therefore no sample, and drew too few at random.
    Adaptive {
        /// Fewest trials of a budget that were drawn at random.
        at_random: u64,
    },
    /// Nothing says who chose the trials, and their values rise as those of a search that learns.
    SeeminglyAdaptive {
        /// Labels of the budgets.
        budgets: String,
    },
    /// Some budgets were searched adaptively and others not.
    SearchedDifferently {
        /// Labels of those searched adaptively.
        adaptive: String,
    },
    /// Many more trials of one budget than of another ended without a value.
    Lost {
        /// Label of the budget with the largest share of such trials.
        budget: String,
        /// That share: `3 of 40`.
        #[schemars(with = "String")]
        most: CountOf,
        /// Label of that with the smallest.
        other: String,
        /// That share.
        #[schemars(with = "String")]
        least: CountOf,
    },
    /// Many more trials of one budget than of another were stopped early.
    PrunedDifferently {
        /// Label of the budget with the largest share of such trials.
        budget: String,
        /// That share: `3 of 40`.
        #[schemars(with = "String")]
        most: CountOf,
        /// Label of that with the smallest.
        other: String,
        /// That share.
        #[schemars(with = "String")]
        least: CountOf,
    },
    /// Nothing varies.
    NothingVaries,
    /// The budgets have the same sizes.
    SameSizes,
    /// The rows are too few for how long they depend on each other.
    TooFewRows {
        /// Why.
        why: Statement<NoRowError>,
    },
}

/// A count with the number that it is part of; in documents it is a text such as `3 of 40`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountOf {
    /// The count.
    pub count: u64,
    /// What it is part of.
    pub of: u64,
}

impl fmt::Display for CountOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.count, self.of)
    }
}

impl Serialize for CountOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CountOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.split_once(" of ");
        let parsed = parts.and_then(|(count, of)| Some((count.parse().ok()?, of.parse().ok()?)));
        let unread = || D::Error::invalid_value(Unexpected::Str(&text), &"a text such as `3 of 40`");
        parsed.map(|(count, of)| Self { count, of }).ok_or_else(unread)
    }
}

impl Withheld {
    /// The outcome: unknown where something is missing that more trials of the same kind would not add; else
    /// undecided.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::TooFewBudgets { .. } | Self::OneTrial { .. } | Self::NothingVaries | Self::SameSizes => {
                Outcome::Unknown
            }
            Self::FewTrials { .. }
            | Self::Adaptive { .. }
            | Self::SeeminglyAdaptive { .. }
            | Self::SearchedDifferently { .. }
            | Self::Lost { .. }
            | Self::PrunedDifferently { .. }
            | Self::TooFewRows { .. } => Outcome::Undecided,
        }
    }
}

impl From<NoRowError> for Withheld {
    fn from(error: NoRowError) -> Self {
        Self::TooFewRows { why: Statement::Reason(error) }
    }
}

/// Tests the slope of values over sizes. `sign` turns gains into values; `left_out` are sources that the
/// parts do not tell, beside the rows.
///
/// The slope is that of least squares over `log10` of the weights, every budget counting alike; its error
/// follows from the covariance of the values. (Weights by estimated errors would favour the budgets whose
/// error is underestimated.) For more than two budgets nine tenths of the level go to the slope, and one
/// tenth to the lack of fit (F of the generalised least squares residuals), so that a reversal in the middle
/// is seen. After that the slopes over the largest budgets, one less each time, are tested in turn down to
/// the last step, as long as all before are told: a closed test (Marcus, Peritz & Gabriel 1976).
///
/// # Errors
/// [`Withheld`].
pub(crate) fn judge(
    budgets: &Budgets<'_>,
    quantity: Quantity,
    sign: f64,
    mut left_out: Vec<Source>,
    options: &Options,
) -> Result<(Judgement, Vec<Difference>), Withheld> {
    if !budgets.knows_rows() {
        left_out.push(Source::Rows);
    }
    let count = budgets.parts.len();
    let (places, is_per_decade) = places(budgets);
    let range = places[count - 1] - places[0];
    if is_per_decade && range < FEWEST_DECADES {
        return Err(Withheld::SameSizes);
    }
    let alpha = 1.0 - options.level;
    let slope = budgets.sum(&slope_weights(&places, 0), options)?;
    let Some(p) = slope.p else { return Err(Withheld::NothingVaries) };
    let differences = differences(budgets, options)?;
    let lack_of_fit = (count > 2).then(|| lack_of_fit(budgets, &places, slope.freedom)).flatten();
    let of_slope = if count > 2 { alpha * (1.0 - FOR_LACK_OF_FIT) } else { alpha };
    let is_told = p < of_slope;
    let departs = lack_of_fit.is_some_and(|p| p < alpha * FOR_LACK_OF_FIT);

    // Slopes over fewer and fewer of the largest budgets, as long as they are told.
    let (mut beaten, mut is_last_told) = (0, false);
    for first in (0..count - 1).take_while(|first| places[count - 1] - places[*first] >= FEWEST_DECADES) {
        let told = if first == 0 {
            is_told
        } else {
            let next = budgets.sum(&slope_weights(&places, first), options)?;
            next.p.is_some_and(|p| p < alpha) && next.estimate.point * slope.estimate.point > 0.0
        };
        if !told {
            break;
        }
        (beaten, is_last_told) = (first + 1, first + 2 == count);
    }
    let pays = is_told && slope.estimate.point > 0.0;
    let is_beaten = |place: usize| {
        let label = &budgets.parts[place].label;
        let better = |d: &&Difference| d.gain.point > 0.0 && d.p_holm.is_some_and(|p| p < alpha);
        differences.iter().filter(better).any(|d| d.smaller == *label)
    };
    // Also where no slope is told a single larger budget may be.
    let least = if pays { beaten } else { 0 };
    let sufficient = (least..count).find(|&place| !is_beaten(place)).unwrap_or(count - 1);
    let last_differs = places[count - 1] - places[count - 2] >= FEWEST_DECADES;
    let last_step = (count > 2 && last_differs)
        .then(|| {
            let mut weights = vec![0.0; count];
            (weights[count - 2], weights[count - 1]) = (-1.0, 1.0);
            let gain = budgets.sum(&weights, options).ok()?;
            let label = |place: usize| budgets.parts[place].label.clone();
            let (from, to) = (label(count - 2), label(count - 1));
            Some(LastStep { from, to, gain: gain.estimate, p: gain.p, is_told: is_last_told })
        })
        .flatten();

    let effect = options.effect();
    // Two budgets that are not compared differ by no more than their differences from the largest together.
    let near = if count > MOST_IN_PAIRS { effect / 2.0 } else { effect };
    let inside = |d: &Difference| effect > 0.0 && d.gain.interval.is_some_and(|i| i.is_within(near));
    let harmful = |d: &Difference| d.gain.point < 0.0 && d.p_holm.is_some_and(|p| p < alpha);
    let outcome = if differences.iter().all(inside) {
        Outcome::Flat
    } else if departs && differences.iter().any(harmful) {
        Outcome::Violated
    } else if pays {
        Outcome::Holds
    } else if is_told {
        Outcome::Violated
    } else {
        Outcome::Undecided
    };
    let values = (0..count)
        .map(|place| {
            let mut weights = vec![0.0; count];
            weights[place] = sign;
            let part = &budgets.parts[place];
            let value = budgets.sum(&weights, options)?.estimate;
            let units = part.units.map_or(0, |units| units.count as u64);
            Ok(JudgedBudget { budget: part.label.clone(), weights: part.weights, value, units })
        })
        .collect::<Result<_, NoRowError>>()?;
    let ends = slope.estimate;
    let whole = Estimate {
        point: ends.point * range,
        standard_error: ends.standard_error.map(|error| error * range),
        interval: ends.interval.map(|i| (i.lower * range, i.upper * range).into()),
        ..ends
    };
    let judgement = Judgement {
        quantity,
        outcome,
        values,
        is_per_decade,
        slope: slope.estimate,
        p: Some(p),
        whole,
        lack_of_fit,
        shares: slope.shares,
        left_out,
        same_rows: budgets.knows_rows().then(|| budgets.is_paired()),
        rows_in_order: budgets.is_ordered(),
        last_step,
        sufficient: budgets.parts[sufficient].label.clone(),
        k_decides: false,
        cut_to: None,
    };
    Ok((judgement, differences))
}

impl Judgement {
    /// Whether the budgets are told to depart from a straight line, at the level of `options`.
    pub(crate) fn departs(&self, options: &Options) -> bool {
        self.lack_of_fit.is_some_and(|p| p < (1.0 - options.level) * FOR_LACK_OF_FIT)
    }

    /// Labels of the first two neighbours whose models have the same size.
    pub(crate) fn of_one_size(&self) -> Option<(&str, &str)> {
        self.values.windows(2).find_map(|pair| {
            let [smaller, larger] = [&pair[0], &pair[1]];
            let decades = (larger.weights? / smaller.weights?).log10();
            (decades < FEWEST_DECADES).then_some((smaller.budget.as_str(), larger.budget.as_str()))
        })
    }

    /// Takes back what is told where the slope of another quantity of the same trials has the other sign.
    pub(super) fn check_against(&mut self, slope: f64) {
        if slope * self.slope.point < 0.0 && matches!(self.outcome, Outcome::Holds | Outcome::Violated) {
            self.outcome = Outcome::Undecided;
            self.k_decides = true;
            self.sufficient.clone_from(&self.values[0].budget);
            if let Some(last) = &mut self.last_step {
                last.is_told = false;
            }
        }
    }
}

/// Where the budgets lie: at the logarithms of their weights, or one step apart where these are not known.
pub(super) fn places(budgets: &Budgets<'_>) -> (Vec<f64>, bool) {
    let known: Option<Vec<f64>> = budgets.parts.iter().map(|part| part.weights.map(f64::log10)).collect();
    match known {
        Some(places) => (places, true),
        None => ((0..budgets.parts.len()).map(|place| place as f64).collect(), false),
    }
}

/// Weights that make a sum the least-squares slope over the places from `first` on.
pub(super) fn slope_weights(places: &[f64], first: usize) -> Vec<f64> {
    let used = &places[first..];
    let center = used.iter().sum::<f64>() / used.len() as f64;
    let spread: f64 = used.iter().map(|x| (x - center) * (x - center)).sum();
    let weight = |(place, x): (usize, &f64)| if place < first { 0.0 } else { (x - center) / spread };
    places.iter().enumerate().map(weight).collect()
}

/// Whether two of `count` budgets are compared: all pairs of up to [`MOST_IN_PAIRS`]; of more the neighbours,
/// and each with the smallest and the largest.
fn is_compared(smaller: usize, larger: usize, count: usize) -> bool {
    count <= MOST_IN_PAIRS || larger - smaller == 1 || smaller == 0 || larger + 1 == count
}

fn differences(budgets: &Budgets<'_>, options: &Options) -> Result<Vec<Difference>, NoRowError> {
    let count = budgets.parts.len();
    let mut differences = Vec::new();
    for larger in 0..count {
        for smaller in (0..larger).filter(|smaller| is_compared(*smaller, larger, count)) {
            let mut weights = vec![0.0; count];
            (weights[smaller], weights[larger]) = (-1.0, 1.0);
            let gain = budgets.sum(&weights, options)?;
            differences.push(Difference {
                larger: budgets.parts[larger].label.clone(),
                smaller: budgets.parts[smaller].label.clone(),
                gain: gain.estimate,
                shares: gain.shares,
                p: gain.p,
                p_holm: None,
            });
        }
    }
    let adjusted = holm::adjust_known(differences.iter().map(|difference| difference.p));
    for (difference, p_holm) in differences.iter_mut().zip(adjusted) {
        difference.p_holm = p_holm;
    }
    Ok(differences)
}

/// p-value of no departure from a straight line: the residual sum of squares of generalised least squares
/// over its degrees of freedom, as an F.
fn lack_of_fit(budgets: &Budgets<'_>, places: &[f64], freedom: f64) -> Option<f64> {
    let n = places.len();
    let covariance = (0..n * n).map(|i| budgets.covariance(i / n, i % n)).collect();
    let factor = Cholesky::new(covariance, n)?;
    let white = |mut values: Vec<f64>| {
        factor.solve_lower(&mut values);
        values
    };
    let (one, x) = (white(vec![1.0; n]), white(places.to_vec()));
    let y = white(budgets.parts.iter().map(|part| part.value).collect());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let without = |mut values: Vec<f64>, basis: &[f64]| {
        let share = dot(&values, basis) / dot(basis, basis);
        values.iter_mut().zip(basis).for_each(|(value, basis)| *value -= share * basis);
        values
    };
    let x = without(x, &one);
    let residual = without(without(y, &one), &x);
    let spare = (n - 2) as f64;
    f_upper_tail(dot(&residual, &residual) / spare, spare, freedom)
}
