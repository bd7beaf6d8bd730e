//! The test of scaling: one test of the slope over all budgets, then tests of the last steps.

use std::fmt;

use allometry_core::cholesky::Cholesky;
use schemars::JsonSchema;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Difference;
use super::contrast::{Budgets, EraGain, Share, Source};
use super::size_law::{SizeLaw, size_law};
use crate::estimate::Estimate;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::rows::NoRowError;
use crate::statement::Statement;
use crate::stats::distribution::f_upper_tail;
use crate::stats::holm;

/// Share of the level that the test of lack of fit gets, where there are more than two budgets.
pub const FOR_LACK_OF_FIT: f64 = 0.1;
/// Number of budgets up to which all pairs are compared: the number of pairs grows with its square.
pub const MOST_IN_PAIRS: usize = 40;
/// Fewest decades that the sizes of the budgets must span.
const FEWEST_DECADES: f64 = 0.02;

/// The quantity that is the value of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Quantity {
    /// The expected best of `k` trials of its search; for `k` of 1, the mean trial.
    BestOf {
        /// Number of trials.
        k: u64,
    },
    /// The mean over seeds of one configuration, trained several times.
    Configuration,
    /// The mean on the test rows of the models that `allometry confirm` trained.
    Confirmed,
    /// The mean of all trials in a report.
    Mean,
}

/// The value of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedBudget {
    /// Label of the size budget.
    pub budget: String,
    /// Number of weights: the geometric mean of the exact sizes of the models behind the value, or the number
    /// in the label; `null` where neither is known.
    pub weights: Option<f64>,
    /// Floating-point operations of a training: the geometric mean over the trials behind the value, where
    /// they record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flops: Option<f64>,
    /// The value with its error.
    pub value: Estimate,
    /// Number of units, such as configurations or seeds, behind the value.
    pub units: u64,
}

/// Gain of the largest model in the last step of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LastStep {
    /// Label of the budget before the largest.
    pub from: String,
    /// Label of the largest.
    pub to: String,
    /// Gain of the largest budget over the one before it.
    pub gain: Estimate,
    /// p-value for zero.
    pub p: Option<f64>,
    /// Whether the gain is significant in the closed test, which requires that every slope over more of the
    /// largest budgets is significant as well.
    pub is_told: bool,
}

/// The test of scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The judged quantity.
    pub quantity: Quantity,
    /// Conclusion of the test.
    pub outcome: Outcome,
    /// Values of the budgets, from the smallest to the largest.
    pub values: Vec<JudgedBudget>,
    /// Whether the slope is per decade of weights; otherwise it is per step from budget to budget, because
    /// sizes are not known.
    pub is_per_decade: bool,
    /// Gain per tenfold weights, or per step; positive where larger is better.
    pub slope: Estimate,
    /// p-value of the slope for zero.
    pub p: Option<f64>,
    /// Gain of the largest budget over the smallest along the slope.
    pub whole: Estimate,
    /// P-value of the test against a straight line; `null` for two budgets.
    pub lack_of_fit: Option<f64>,
    /// Shares of the known sources in the error of the slope.
    pub shares: Vec<Share>,
    /// Sources with unknown variance, which the errors leave out.
    pub left_out: Vec<Source>,
    /// Whether all budgets predict the same rows; `null` where the error over rows is not known.
    pub same_rows: Option<bool>,
    /// Whether the error over rows follows the order of the rows in time; otherwise rows count as
    /// independent.
    pub rows_in_order: bool,
    /// Number of series of the rows: the error over rows then allows for dependence of rows of one time and
    /// of rows of one series. Absent for rows of one series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<u64>,
    /// Number of eras of walk-forward folds over which the metric is a mean: the error over rows is then at
    /// least the one of the spread of the eras. Absent without folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eras: Option<u64>,
    /// The gain on each era, in their order; empty without folds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gains_of_eras: Vec<EraGain>,
    /// The last step, for three budgets or more.
    pub last_step: Option<LastStep>,
    /// A power law of the values over the sizes, with a forecast; `null` for too few sizes or too small a
    /// range, and without errors.
    #[serde(default)]
    pub law: Option<SizeLaw>,
    /// The same over floating-point operations, where all trials behind the values record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law_of_compute: Option<SizeLaw>,
    /// The smallest budget for which no larger one is significantly better.
    pub sufficient: String,
    /// Whether the conclusion depends on `k`: the slope at the largest `k` has the opposite sign.
    #[serde(default)]
    pub k_decides: bool,
    /// Fewest distinct configurations of any budget, where budgets were searched with unequal numbers of
    /// trials. Intervals then cover both the budgets as they are and the budgets with every search cut to
    /// this number; `null` where the cut makes no difference.
    #[serde(default)]
    pub cut_to: Option<u64>,
}

/// Why scaling is not judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Withheld {
    /// Fewer than two budgets have a usable trial.
    TooFewBudgets {
        /// Budgets with a usable trial.
        budgets: u64,
    },
    /// A budget has one trial, so that the variance over seeds and searches is unknown.
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
    /// The searches learned from their trials, which are then not a sample, and drew too few trials at
    /// random.
    Adaptive {
        /// Fewest randomly drawn trials of any budget.
        at_random: u64,
    },
    /// The origin of the trials is not recorded, and their values rise as in a search that learns.
    SeeminglyAdaptive {
        /// Labels of the budgets.
        budgets: String,
    },
    /// Some budgets were searched adaptively and others not.
    SearchedDifferently {
        /// Labels of the budgets that were searched adaptively.
        adaptive: String,
    },
    /// Many more trials of one budget than of another ended without a value.
    Lost {
        /// Label of the budget with the largest share of such trials.
        budget: String,
        /// Share of its trials without a value: `3 of 40`.
        #[schemars(with = "String")]
        most: CountOf,
        /// Label of the budget with the smallest share.
        other: String,
        /// Share of its trials without a value.
        #[schemars(with = "String")]
        least: CountOf,
    },
    /// Many more trials of one budget than of another were stopped early.
    PrunedDifferently {
        /// Label of the budget with the largest share of such trials.
        budget: String,
        /// Share of its trials that were stopped early: `3 of 40`.
        #[schemars(with = "String")]
        most: CountOf,
        /// Label of the budget with the smallest share.
        other: String,
        /// Share of its trials that were stopped early.
        #[schemars(with = "String")]
        least: CountOf,
    },
    /// Nothing varies.
    NothingVaries,
    /// The budgets have the same sizes.
    SameSizes,
    /// The series of rows is too short for its dependence.
    TooFewRows {
        /// Why.
        why: Statement<NoRowError>,
    },
}

/// A count out of a total; in documents it is a text such as `3 of 40`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountOf {
    /// The count.
    pub count: u64,
    /// The total.
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
    /// Returns the outcome: unknown where more trials of this kind would not supply what is missing,
    /// otherwise undecided.
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

/// Tests the slope of values over sizes. `sign` turns gains into values; `left_out` lists the sources of
/// error that are missing from the parts, apart from rows.
///
/// The slope is the least-squares slope over `log10` of the weights, with equal weight for every budget; its
/// error follows from the covariance of the values. (Weights by estimated errors would favour the budgets
/// whose error is underestimated.) For more than two budgets, nine tenths of the level go to the slope, and
/// one tenth to the lack of fit (F of the generalised least squares residuals), so that a reversal in the
/// middle is detected. Then the slopes over the largest budgets, one budget fewer each time, are tested in
/// turn down to the last step, as long as all tests before are significant: a closed test (Marcus, Peritz &
/// Gabriel 1976).
///
/// # Errors
/// Returns [`Withheld`] with the reason.
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

    // Tests slopes over fewer and fewer of the largest budgets, as long as they are significant.
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
    // A single larger budget may be better although no slope is significant.
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
    // The difference of two budgets that are not compared is at most the sum of their differences from the
    // largest.
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
        .map(|place| JudgedBudget::new(budgets, place, sign, options))
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
        series: budgets.series(),
        eras: budgets.eras(),
        gains_of_eras: budgets.of_eras(&slope_weights(&places, 0), sign, options),
        last_step,
        law_of_compute: law_of_compute(budgets, slope.freedom, sign, options),
        law: is_per_decade.then(|| size_law(budgets, &places, slope.freedom, sign, options)).flatten(),
        sufficient: budgets.parts[sufficient].label.clone(),
        k_decides: false,
        cut_to: None,
    };
    Ok((judgement, differences))
}

impl JudgedBudget {
    fn new(budgets: &Budgets<'_>, place: usize, sign: f64, options: &Options) -> Result<Self, NoRowError> {
        let mut weights = vec![0.0; budgets.parts.len()];
        weights[place] = sign;
        let part = &budgets.parts[place];
        let value = budgets.sum(&weights, options)?.estimate;
        let units = part.units.map_or(0, |units| units.count as u64);
        let (budget, weights, flops) = (part.label.clone(), part.weights, part.flops);
        Ok(Self { budget, weights, flops, value, units })
    }
}

impl Judgement {
    /// Whether the budgets depart significantly from a straight line, at the level of `options`.
    pub(crate) fn departs(&self, options: &Options) -> bool {
        self.lack_of_fit.is_some_and(|p| p < (1.0 - options.level) * FOR_LACK_OF_FIT)
    }

    /// Cuts the intervals of the budgets' values to the numbers that the metric can be.
    pub(crate) fn within_range(mut self, ladder: &LadderTrials) -> Self {
        for JudgedBudget { value, .. } in &mut self.values {
            *value = ladder.within_range(*value);
        }
        self
    }

    /// Returns the labels of the first two neighbouring budgets whose models have equal size.
    pub(crate) fn of_one_size(&self) -> Option<(&str, &str)> {
        self.values.windows(2).find_map(|pair| {
            let [smaller, larger] = [&pair[0], &pair[1]];
            let decades = (larger.weights? / smaller.weights?).log10();
            (decades < FEWEST_DECADES).then_some((smaller.budget.as_str(), larger.budget.as_str()))
        })
    }

    /// Withdraws the conclusion where the slope of another quantity of these trials has the opposite sign.
    pub(super) fn check_against(&mut self, slope: f64) {
        if slope * self.slope.point < 0.0 && matches!(self.outcome, Outcome::Holds | Outcome::Violated) {
            self.k_decides = true;
            self.withdraw();
        }
    }

    /// Withdraws the conclusion.
    pub(crate) fn withdraw(&mut self) {
        self.outcome = Outcome::Undecided;
        self.sufficient.clone_from(&self.values[0].budget);
        if let Some(last) = &mut self.last_step {
            last.is_told = false;
        }
    }
}

/// Returns the law over floating-point operations, which must rise from budget to budget.
fn law_of_compute(budgets: &Budgets<'_>, freedom: f64, sign: f64, options: &Options) -> Option<SizeLaw> {
    let places: Vec<f64> =
        budgets.parts.iter().map(|part| part.flops.map(f64::log10)).collect::<Option<_>>()?;
    if !places.is_sorted() {
        return None;
    }
    size_law(budgets, &places, freedom, sign, options)
}

/// Returns the places of the budgets: the logarithms of their weights, or steps of 1 where weights are not
/// known.
pub(super) fn places(budgets: &Budgets<'_>) -> (Vec<f64>, bool) {
    let known: Option<Vec<f64>> = budgets.parts.iter().map(|part| part.weights.map(f64::log10)).collect();
    match known {
        Some(places) => (places, true),
        None => ((0..budgets.parts.len()).map(|place| place as f64).collect(), false),
    }
}

/// Returns the weights that turn a sum into the least-squares slope over the places from `first` on.
pub(crate) fn slope_weights(places: &[f64], first: usize) -> Vec<f64> {
    let used = &places[first..];
    let center = used.iter().sum::<f64>() / used.len() as f64;
    let spread: f64 = used.iter().map(|x| (x - center) * (x - center)).sum();
    let weight = |(place, x): (usize, &f64)| if place < first { 0.0 } else { (x - center) / spread };
    places.iter().enumerate().map(weight).collect()
}

/// Whether two of `count` budgets are compared. Up to [`MOST_IN_PAIRS`] budgets, all pairs are; beyond that,
/// neighbours, and each budget with the smallest and the largest.
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

/// Returns the p-value of the test against a straight line, an F test: the residual sum of squares of
/// generalised least squares over its degrees of freedom.
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
