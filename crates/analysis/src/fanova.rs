//! Functional ANOVA of a forest's predictions: variance shares of single parameters and of pairs, including
//! non-linear effects.

use std::collections::BTreeMap;

use allometry_core::{ParamValue, Params, SearchSpace};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Interval;
use crate::forest::domain::Domain;
use crate::forest::variance::{TreeVariance, decompose};
use crate::forest::{Forest, ForestOptions};
use crate::stats::bootstrap;
use crate::stats::moments::{mean, sample_sd};

/// Largest number of values at which the marginal predictions of a parameter are computed.
const MARGINAL_POINTS: usize = 16;

/// Settings of the importances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FanovaOptions {
    /// Settings of the forest.
    pub forest: ForestOptions,
    /// Fewest trials needed for a forest.
    pub few_trials: u64,
    /// Out-of-bag coefficient of determination below which importances are withheld.
    pub least_r_squared: f64,
    /// Largest number of pairs listed.
    pub most_pairs: usize,
    /// Part of the trees that the intervals of the shares cover.
    pub level: f64,
}

impl Default for FanovaOptions {
    fn default() -> Self {
        Self {
            forest: ForestOptions::default(),
            few_trials: 10,
            least_r_squared: 0.3,
            most_pairs: 20,
            level: 0.95,
        }
    }
}

/// Importances, or why they are withheld.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum FanovaOutcome {
    /// The forest predicts unseen trials.
    Computed(Fanova),
    /// The importances of a forest without predictive power are meaningless.
    Withheld {
        /// Reason for withholding the importances.
        reason: Withheld,
        /// Trials that the forest was grown on.
        trials: u64,
        /// Trials without a usable value, without one of the parameters, or outside the space.
        left_out: u64,
        /// Parameters whose set has no measure, or that more than half of the trials lack.
        absent: Vec<String>,
    },
}

/// Reason why importances are withheld.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Withheld {
    /// The space has no parameter that the trials recorded.
    NoParameter,
    /// Too few trials lie inside the space.
    TooFewTrials {
        /// Number of trials needed.
        needed: u64,
    },
    /// All values are equal, or no tree varies over the space.
    NoVariance,
    /// The forest does not predict unseen trials.
    PoorFit {
        /// Out-of-bag coefficient of determination; `null` if too few trees left trials out.
        oob_r_squared: Option<f64>,
        /// Out-of-bag coefficient of determination needed.
        needed: f64,
    },
}

/// Share of the variance, with its mean and spread over the trees of a forest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TreeShare {
    /// Mean over trees.
    pub mean: f64,
    /// Sample standard deviation over trees.
    pub sd: f64,
    /// Percentiles over trees. Each tree is grown on a bootstrap sample of the trials (Efron 1979), so they
    /// show the spread of the trees, which is wider than the error of their mean
    /// (`docs/adr/0028-what-intervals-claim.md`).
    pub interval: Interval,
}

/// Share of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SingleShare {
    /// The parameter.
    pub parameter: String,
    /// `Var(E[f | x_i]) / Var(f)`.
    pub share: TreeShare,
}

/// Mean prediction over the values of one parameter, with the other parameters anywhere in the space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Marginal {
    /// The parameter.
    pub parameter: String,
    /// Up to 16 values, evenly over the space.
    pub points: Vec<MarginalPoint>,
}

/// Mean prediction at one value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MarginalPoint {
    /// Value of the parameter.
    pub at: ParamValue,
    /// `E[f | x_i]`, the mean over trees.
    pub mean: f64,
    /// Percentiles over trees, their spread.
    pub interval: Interval,
}

/// Share of the interaction of two parameters, beyond their single shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairShare {
    /// The parameters, in the space's order.
    pub parameters: [String; 2],
    /// `(Var(E[f | x_i, x_j]) - V_i - V_j) / Var(f)`.
    pub share: TreeShare,
}

/// Shares of the variance of a forest's predictions over the space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fanova {
    /// Trials that the forest was grown on.
    pub trials: u64,
    /// Trials without a usable value, without one of the parameters, or outside the space.
    pub left_out: u64,
    /// Parameters whose set has no measure, or that more than half of the trials lack.
    pub absent: Vec<String>,
    /// Trees that vary over the space.
    pub trees: u64,
    /// Part of the trees that the intervals of the shares cover.
    pub level: f64,
    /// Out-of-bag coefficient of determination: 1 for perfect predictions of unseen trials, 0 for predictions
    /// no better than the mean.
    pub oob_r_squared: f64,
    /// Shares of single parameters, largest first.
    pub singles: Vec<SingleShare>,
    /// Mean predictions over the values of each parameter, in the order of `singles`.
    #[serde(default)]
    pub marginals: Vec<Marginal>,
    /// Largest shares of pairs, largest first.
    pub pairs: Vec<PairShare>,
    /// Remaining share: unlisted pairs and interactions of three or more parameters.
    pub rest: TreeShare,
}

/// Runs functional ANOVA on a regression forest (Hutter, Hoos & Leyton-Brown 2014) under the measure of the
/// space: discrete values have equal weights, log parameters are measured on a logarithmic scale, and ranges
/// are those of the space, not of the trials.
///
/// Takes each trial's configuration and value. Equal trials in the same order give bit-identical results for
/// any number of threads.
pub fn fanova(space: &SearchSpace, trials: &[(&Params, f64)], options: &FanovaOptions) -> FanovaOutcome {
    let domain = Domain::new(space, trials);
    let rows = domain.rows(trials);
    let count = rows.values.len() as u64;
    let withheld = |reason| FanovaOutcome::Withheld {
        reason,
        trials: count,
        left_out: rows.left_out,
        absent: domain.absent.clone(),
    };
    if domain.axes.is_empty() {
        return withheld(Withheld::NoParameter);
    }
    if count < options.few_trials {
        return withheld(Withheld::TooFewTrials { needed: options.few_trials });
    }
    if rows.values.iter().all(|value| *value == rows.values[0]) {
        return withheld(Withheld::NoVariance);
    }
    let forest = Forest::fit(&domain, &rows, options.forest);
    let oob_r_squared = forest.as_ref().and_then(|forest| forest.oob_r_squared);
    let (Some(forest), Some(oob_r_squared)) =
        (forest, oob_r_squared.filter(|r_squared| *r_squared >= options.least_r_squared))
    else {
        return withheld(Withheld::PoorFit { oob_r_squared, needed: options.least_r_squared });
    };
    let grids: Vec<Vec<f64>> = domain.axes.iter().map(|axis| axis.grid(MARGINAL_POINTS)).collect();
    let variances: Vec<TreeVariance> =
        forest.trees.par_iter().map(|tree| decompose(tree, &domain, &grids)).collect();
    let variances: Vec<TreeVariance> =
        variances.into_iter().filter(|variance| variance.total > 0.0).collect();
    if variances.is_empty() {
        return withheld(Withheld::NoVariance);
    }
    let singles = singles(&domain, &variances, options.level);
    let pairs = largest_pairs(&variances, options);
    let rest = rest(&variances, &pairs, options.level);
    let pairs = pairs.into_iter().map(|((a, b), share)| {
        let parameters = [a, b].map(|axis| domain.axes[axis as usize].parameter.clone());
        PairShare { parameters, share }
    });
    FanovaOutcome::Computed(Fanova {
        trials: count,
        left_out: rows.left_out,
        trees: variances.len() as u64,
        level: options.level,
        oob_r_squared,
        marginals: marginals(&domain, &grids, &variances, &singles, options.level),
        singles,
        pairs: pairs.collect(),
        rest,
        absent: domain.absent,
    })
}

/// Returns the mean and spread of shares over the trees; needs at least one tree.
fn spread(shares: impl Iterator<Item = f64>, level: f64) -> TreeShare {
    let mut shares: Vec<f64> = shares.collect();
    let (mean, sd) = (mean(shares.iter().copied()), sample_sd(shares.iter().copied()));
    let (lower, upper) = bootstrap::percentile(&mut shares, level).expect("a forest has a tree");
    TreeShare { mean: mean.unwrap_or(0.0), sd: sd.unwrap_or(0.0), interval: Interval { lower, upper } }
}

fn singles(domain: &Domain, variances: &[TreeVariance], level: f64) -> Vec<SingleShare> {
    let single = |(axis, parameter): (usize, &str)| {
        let shares = variances.iter().map(|variance| variance.singles[axis] / variance.total);
        SingleShare { parameter: parameter.to_owned(), share: spread(shares, level) }
    };
    let parameters = domain.axes.iter().map(|axis| axis.parameter.as_str());
    let mut singles: Vec<SingleShare> = parameters.enumerate().map(single).collect();
    singles.sort_by(|a, b| b.share.mean.total_cmp(&a.share.mean));
    singles
}

/// Returns the marginal predictions in the order of `singles`.
fn marginals(
    domain: &Domain,
    grids: &[Vec<f64>],
    variances: &[TreeVariance],
    singles: &[SingleShare],
    level: f64,
) -> Vec<Marginal> {
    let of = |single: &SingleShare| {
        let place = domain.axes.iter().position(|axis| axis.parameter == single.parameter)?;
        let points = grids[place].iter().enumerate().map(|(point, position)| {
            let spread = spread(variances.iter().map(|variance| variance.marginals[place][point]), level);
            let at = domain.axes[place].value(*position);
            MarginalPoint { at, mean: spread.mean, interval: spread.interval }
        });
        Some(Marginal { parameter: single.parameter.clone(), points: points.collect() })
    };
    singles.iter().filter_map(of).collect()
}

/// Returns the pairs with the largest mean shares, by axes.
fn largest_pairs(variances: &[TreeVariance], options: &FanovaOptions) -> Vec<((u32, u32), TreeShare)> {
    let mut shares: BTreeMap<(u32, u32), Vec<f64>> = BTreeMap::new();
    for (tree, variance) in variances.iter().enumerate() {
        for (pair, part) in &variance.pairs {
            shares.entry(*pair).or_insert_with(|| vec![0.0; variances.len()])[tree] = part / variance.total;
        }
    }
    let spread_of =
        |(pair, shares): ((u32, u32), Vec<f64>)| (pair, spread(shares.into_iter(), options.level));
    let mut pairs: Vec<((u32, u32), TreeShare)> = shares.into_iter().map(spread_of).collect();
    pairs.sort_by(|a, b| b.1.mean.total_cmp(&a.1.mean));
    pairs.truncate(options.most_pairs);
    pairs
}

fn rest(variances: &[TreeVariance], listed: &[((u32, u32), TreeShare)], level: f64) -> TreeShare {
    let rests = variances.iter().map(|variance| {
        let singles: f64 = variance.singles.iter().sum();
        let listed = variance.pairs.iter().filter(|(pair, _)| listed.iter().any(|(other, _)| other == pair));
        let pairs: f64 = listed.map(|(_, part)| part).sum();
        (1.0 - (singles + pairs) / variance.total).max(0.0)
    });
    spread(rests, level)
}
