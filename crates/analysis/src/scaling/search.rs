//! The value of a budget's search: the expected best of `k` trials.

use std::f64::consts::PI;

use allometry_core::{FrozenTrial, Origin, Params, SamplerKind, TrialState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contrast::{Source, Units};
use super::proposals::to_the_best;
use crate::configurations::by_configuration;
use crate::effort::FEWEST;
use crate::input::{LadderTrials, StudyTrials};
use crate::stats::best_of;
use crate::stats::kendall::kendall;
use crate::stats::moments::{mean, sample_variance};
use crate::stats::two_sample::mann_whitney;
use allometry_core::is_usable;

/// Largest `k`.
const LARGEST: usize = 50;
/// Number of random trials with which Optuna's samplers, and ours, start.
const BEGINNING: usize = 10;
/// Fewest top values from which the variance of another search's best is estimated.
const FEWEST_OF_TOP: usize = 3;
/// Two-sided level, over all budgets, of each test whether trials of unknown origin depend on earlier ones.
/// There are four tests, each one-sided, so that 4% of ladders of random trials seem to learn.
const RISING: f64 = 0.02;

/// How the configurations of a budget were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchKind {
    /// Each configuration was chosen independently of the values of the others.
    Independent,
    /// Later configurations were chosen by a model of earlier ones.
    Adaptive,
    /// The origin is not recorded, but the trials seem to depend on earlier ones: values improve over the
    /// trials or follow the values before them, or later configurations lie closer to the best ones than the
    /// first ten do (Kendall's tau, Mann and Whitney's test; at the 4% level together over all budgets).
    SeeminglyAdaptive,
}

impl SearchKind {
    /// Whether the trials are an independent sample of the space.
    pub fn is_independent(self) -> bool {
        self == Self::Independent
    }
}

/// One configuration with the values of its trials, in gains.
#[derive(Debug, Clone)]
pub(crate) struct Configuration<'a> {
    pub(crate) trials: Vec<&'a FrozenTrial>,
    pub(crate) values: Vec<f64>,
}

impl Configuration<'_> {
    pub(crate) fn mean(&self) -> f64 {
        mean(self.values.iter().copied()).unwrap_or(0.0)
    }
}

/// Returns how the configurations of the study were chosen.
pub(crate) fn kind(study: &StudyTrials, ladder: &LadderTrials) -> SearchKind {
    // A search learns as much from a trial that violates a constraint as from any other.
    let trials = || study.trials.iter().filter(|trial| measured(trial).is_some());
    if trials().any(|trial| trial.record.origin == Some(Origin::Model)) {
        return SearchKind::Adaptive;
    }
    if trials().any(|trial| trial.record.origin.is_some()) {
        return SearchKind::Independent;
    }
    if matches!(study.sampler, Some(SamplerKind::Gp | SamplerKind::Tpe)) {
        return SearchKind::Adaptive;
    }
    // Only the first trial of each configuration: many studies repeat the best one at the end, which is not
    // search.
    let tried = configurations(study, ladder, |_| true);
    let numbers: Vec<f64> = (0..tried.len()).map(|number| number as f64).collect();
    let values: Vec<f64> = tried.iter().map(|one| one.values[0]).collect();
    // Four one-sided tests per budget: for a steady rise, for a step after the initial random trials of
    // samplers, for similarity to the trial before (a search that continues from its last trial), and for a
    // step towards the best configurations.
    let level = RISING / ladder.studies.len().max(1) as f64;
    let larger = |one: &[f64], other: &[f64]| {
        mann_whitney(one, other)
            .is_some_and(|found| found.u > (one.len() * other.len()) as f64 / 2.0 && found.p < level)
    };
    let (first, later) = values.split_at(BEGINNING.min(values.len()));
    let rises = larger(later, first)
        || kendall(&numbers, &values).is_some_and(|found| found.tau_b > 0.0 && found.p < level);
    let follows = || {
        let (before, after) = (&values[..values.len().saturating_sub(1)], values.get(1..).unwrap_or(&[]));
        kendall(before, after).is_some_and(|found| found.tau_b > 0.0 && found.p < level)
    };
    let approaches = || {
        let params: Vec<&Params> = tried.iter().map(|one| &one.trials[0].params).collect();
        let distances = to_the_best(&params, &values);
        let (first, later) = distances.split_at(BEGINNING.min(distances.len()));
        larger(first, later)
    };
    let learns = rises || follows() || approaches();
    if learns { SearchKind::SeeminglyAdaptive } else { SearchKind::Independent }
}

/// Whether the study records how any of its trials were chosen.
pub(crate) fn is_recorded(study: &StudyTrials) -> bool {
    study.sampler.is_some() || is_recorded_by_trials(study)
}

/// Returns the value of a trial, also of a pruned one: it is low for a pruned trial where others go on.
fn measured(trial: &FrozenTrial) -> Option<f64> {
    let ended = matches!(trial.state, TrialState::Complete | TrialState::Pruned);
    trial.value().filter(|value| ended && is_usable(*value))
}

/// Returns the value of a feasible trial; an infeasible trial cannot be the best.
fn value_of(trial: &FrozenTrial) -> Option<f64> {
    measured(trial).filter(|_| trial.is_feasible())
}

/// Returns the distinct configurations of a study in the order of their first trials. A repeat with exactly
/// equal value is left out.
pub(crate) fn configurations<'a>(
    study: &'a StudyTrials,
    ladder: &LadderTrials,
    takes: impl Fn(&FrozenTrial) -> bool,
) -> Vec<Configuration<'a>> {
    let sign = ladder.direction().sign();
    let taken = study.trials.iter().filter(|trial| takes(trial));
    let taken: Vec<(&FrozenTrial, f64)> =
        taken.filter_map(|trial| Some((trial, sign * value_of(trial)?))).collect();
    let configuration = |places: Vec<usize>| {
        let mut one = Configuration { trials: Vec::new(), values: Vec::new() };
        for (trial, value) in places.into_iter().map(|place| taken[place]) {
            if !one.values.contains(&value) {
                one.trials.push(trial);
                one.values.push(value);
            }
        }
        one
    };
    by_configuration(taken.iter().map(|(trial, _)| &trial.params)).into_iter().map(configuration).collect()
}

/// The expected best of `k` configurations of one budget.
#[derive(Debug, Clone)]
pub(crate) struct BestOfK {
    /// The value, in gains.
    pub(crate) value: f64,
    /// Pseudo-values of the jackknife as units.
    pub(crate) units: Units,
    /// Weight of each configuration in the value.
    pub(crate) weights: Vec<f64>,
}

/// Returns one `k` for all budgets: the `k` with the smallest jackknife error, joined over the budgets, among
/// those up to a tenth of the fewest configurations. It makes the trials most informative about scaling.
/// `values` holds the values of each budget's configurations.
pub(crate) fn choose_k(values: &[Vec<f64>]) -> usize {
    let spread = |k: usize| -> f64 {
        let units = values.iter().filter_map(|values| Some(best_of_k(values, k)?.units));
        units.map(|units| units.variance * (units.count - 1.0)).sum()
    };
    let candidates = candidates(largest_k(values));
    candidates.into_iter().min_by(|&a, &b| spread(a).total_cmp(&spread(b))).unwrap_or(1)
}

/// Returns a tenth of the fewest configurations.
pub(crate) fn largest_k(values: &[Vec<f64>]) -> usize {
    let fewest = values.iter().map(Vec::len).min().unwrap_or(0);
    (fewest / FEWEST).clamp(1, LARGEST)
}

/// Returns the candidates for `k`: all up to 10, then 15, 20, 30 and 50, and the largest.
fn candidates(largest: usize) -> Vec<usize> {
    let mut candidates: Vec<usize> = (1..=10).chain([15, 20, 30, 50]).filter(|k| *k < largest).collect();
    candidates.push(largest);
    candidates
}

/// Returns the expected best of `k` (Tang et al. 2020, eq. 4) with its jackknife pseudo-values (Tukey 1958;
/// for U-statistics Arvesen 1969). Their degrees of freedom are those of a variance with the observed fourth
/// moment, at most `n - 1`. `None` for `k` of `n` values or more.
pub(crate) fn best_of_k(values: &[f64], k: usize) -> Option<BestOfK> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let ascending: Vec<f64> = order.iter().map(|&place| values[place]).collect();
    let left_out = best_of::left_out(&ascending, k)?;
    let value = best_of::without_replacement(&ascending, k)?;
    let size = n as f64;
    let pseudo: Vec<f64> = left_out.iter().map(|without| size * value - (size - 1.0) * without).collect();
    // Weighted sums of equal values differ by rounding alone.
    let varies = ascending[0] < ascending[n - 1];
    let variance = if varies { sample_variance(pseudo.iter().copied())? } else { 0.0 };
    let center = mean(pseudo.iter().copied())?;
    let moment = |power: i32| pseudo.iter().map(|one| (one - center).powi(power)).sum::<f64>() / size;
    let excess = moment(4) / moment(2).powi(2) - 1.0;
    let freedom = if excess > 0.0 { (2.0 * size / excess).min(size - 1.0) } else { size - 1.0 };
    let mut weights = vec![0.0; n];
    for (&place, weight) in order.iter().zip(best_of::weights(n, k)?) {
        weights[place] = weight;
    }
    let units = Units { variance, count: size, freedom, source: Source::Search };
    Some(BestOfK { value, units, weights })
}

/// Returns the variance of the recommendation's value over other searches, from the values of this search's
/// best tenth, with its degrees of freedom. `None` for fewer than three such values.
///
/// The best of many draws varies like the largest value of a Gumbel tail, whose variance is `pi^2 / 6` times
/// the variance of the values above a high level (Rényi 1953). Values contain their own noise, so that this
/// overestimates the variance.
pub(crate) fn top_spread(study: &StudyTrials, ladder: &LadderTrials) -> Option<(f64, f64)> {
    spread_of_best(&configurations(study, ladder, |_| true))
}

/// Returns the variance of the recommendation's value over other searches that learn, from the best values
/// among the trials that this search drew before or beside its model, with its degrees of freedom. `None` for
/// fewer than three such values.
///
/// The best trials of a search that learns are neighbours of each other. Their spread says nothing of another
/// search, which may have found other neighbours; that of the draws that it began with does.
pub(crate) fn start_spread(study: &StudyTrials, ladder: &LadderTrials) -> Option<(f64, f64)> {
    let mut drawn = configurations(study, ladder, |trial| trial.record.origin != Some(Origin::Model));
    if !is_recorded_by_trials(study) {
        drawn.truncate(BEGINNING);
    }
    spread_of_best(&drawn)
}

fn is_recorded_by_trials(study: &StudyTrials) -> bool {
    study.trials.iter().any(|trial| trial.record.origin.is_some())
}

/// Variance of the best of a search over that between its best values (Gumbel).
pub(crate) const BEST_OF_ONE: f64 = PI * PI / 6.0;

fn spread_of_best(configurations: &[Configuration<'_>]) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = configurations.iter().map(Configuration::mean).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values.truncate((values.len() / FEWEST).max(FEWEST_OF_TOP));
    let variance = sample_variance(values.iter().copied())?;
    (values.len() >= FEWEST_OF_TOP).then(|| (BEST_OF_ONE * variance, (values.len() - 1) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with the definition: the mean over all subsets, and over all subsets without one value.
    #[test]
    fn pseudo_values_are_those_of_the_definition() {
        let values = [0.3, -1.0, 0.7, 0.1, 2.0, 0.65];
        let best = |values: &[f64]| {
            let mut sum = 0.0;
            let mut count = 0.0;
            for a in 0..values.len() {
                for b in 0..a {
                    sum += values[a].max(values[b]);
                    count += 1.0;
                }
            }
            sum / count
        };
        let found = best_of_k(&values, 2).unwrap();
        assert!((found.value - best(&values)).abs() < 1e-12);
        let pseudo: Vec<f64> = (0..6)
            .map(|out| {
                let rest: Vec<f64> = (0..6).filter(|i| *i != out).map(|i| values[i]).collect();
                6.0 * best(&values) - 5.0 * best(&rest)
            })
            .collect();
        let variance = sample_variance(pseudo).unwrap();
        assert!((found.units.variance - variance).abs() < 1e-12);
        let weighted: f64 = found.weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
        assert!((weighted - found.value).abs() < 1e-12);
    }

    #[test]
    fn the_best_of_one_is_the_mean() {
        let found = best_of_k(&[1.0, 2.0, 6.0], 1).unwrap();
        assert_eq!((found.value, found.units.variance), (3.0, 7.0));
        assert!(best_of_k(&[1.0, 2.0], 2).is_none());
    }
}
