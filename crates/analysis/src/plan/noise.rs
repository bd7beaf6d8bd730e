//! Sources of the error of a confirmed verdict, and its prediction for other numbers of trainings.

use std::f64::consts::PI;

use allometry_core::FrozenTrial;

use super::{Design, PlanSource};
use crate::confirmation::Confirmation;
use crate::input::{LadderTrials, RetrainedTrials, StudyTrials};
use crate::scaling::{
    FOR_LACK_OF_FIT, Source, configurations, kind, slope_weights, start_spread, top_spread,
};
use crate::stats::bootstrap::quantile;
use crate::stats::distribution::t_half_width;
use crate::stats::moments::{mean, sample_variance};

/// Degrees of freedom with which the mean over the budgets counts beside a budget's own variance: variances
/// from few trainings are poor guides, and those of the budgets are much alike.
const SHARED_FREEDOM: f64 = 4.0;
/// Degrees of freedom of an error over rows that does not state its own.
const KNOWN: f64 = 1e6;

/// Seconds that a training counts for at least: shorter times are those of the machine around it.
const SHORTEST: f64 = 1.0;

/// One budget in a plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BudgetNoise {
    pub(super) label: String,
    /// Weight of its value in the tested slope.
    pub(super) weight: f64,
    /// Cost of one training, in mean costs of a training over the budgets.
    pub(super) cost: f64,
    /// Variance between the true values of the best configurations.
    pub(super) configurations: f64,
    /// Variance over seeds of one training.
    pub(super) seeds: f64,
    /// Variance over searches of the best configuration, with its degrees of freedom; `None` if unknown. It
    /// counts with a single configuration, or with any number if the search learns.
    pub(super) search: Option<(f64, f64)>,
    /// Whether the search learns from its trials.
    pub(super) learns: bool,
}

/// The sources of the error of the tested slope.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Noise {
    pub(super) budgets: Vec<BudgetNoise>,
    /// Variance over rows, which no training lowers, with its degrees of freedom.
    pub(super) rows: Option<(f64, f64)>,
    /// Distance of the largest budget from the smallest, in the units of the slope.
    pub(super) range: f64,
}

/// A predicted error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Error {
    pub(super) variance: f64,
    pub(super) freedom: f64,
}

impl Error {
    /// Sums variances with their degrees of freedom (Satterthwaite 1946).
    fn of(parts: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let parts: Vec<(f64, f64)> = parts.filter(|(variance, _)| *variance > 0.0).collect();
        let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
        let inverse: f64 = parts.iter().map(|(part, freedom)| (part / variance).powi(2) / freedom).sum();
        (inverse > 0.0 && inverse.is_finite()).then(|| Self { variance, freedom: 1.0 / inverse })
    }

    /// Returns the half-width of the interval at level `1 - alpha`.
    pub(super) fn half_width(self, alpha: f64) -> f64 {
        t_half_width(1.0 - alpha, self.freedom).map_or(f64::INFINITY, |half| half * self.variance.sqrt())
    }
}

impl Noise {
    /// Estimates the sources from a confirmation; `None` if it has no test.
    pub(super) fn new(ladder: &LadderTrials, confirmation: &Confirmation) -> Option<Self> {
        let judgement = confirmation.headline()?;
        let known: Option<Vec<f64>> =
            judgement.values.iter().map(|value| Some(value.weights?.log10())).collect();
        let steps = || (0..judgement.values.len()).map(|place| place as f64).collect();
        let places = known.filter(|_| judgement.is_per_decade).unwrap_or_else(steps);
        let costs = costs(ladder);
        let spreads: Vec<Spread> =
            judgement.values.iter().map(|value| Spread::new(&value.budget, ladder)).collect::<Option<_>>()?;
        let shared = Spread::shared(&spreads);
        let budgets = judgement.values.iter().zip(slope_weights(&places, 0)).zip(&spreads);
        let budgets: Option<Vec<BudgetNoise>> = budgets
            .map(|((value, weight), spread)| {
                let place = place(&value.budget, ladder)?;
                let (configurations, seeds) = spread.toward(shared);
                let study = &ladder.studies[place];
                let learns = !kind(study, ladder).is_independent();
                let search = if learns { start_spread(study, ladder) } else { top_spread(study, ladder) };
                let (label, cost) = (value.budget.clone(), costs[place]);
                Some(BudgetNoise { label, weight, cost, configurations, seeds, search, learns })
            })
            .collect();
        let error = judgement.slope.standard_error?;
        let share = judgement.shares.iter().find(|share| share.source == Source::Rows);
        let terms = judgement.slope.effective_rows.map_or(KNOWN, |rows| rows.terms as f64);
        let rows = share.map(|share| (share.share * error * error, terms));
        Some(Self { budgets: budgets?, rows, range: places.last()? - places.first()? })
    }

    /// Returns the significance level of a slope that is tested at `alpha` beside the lack of fit.
    pub(super) fn of_slope(&self, alpha: f64) -> f64 {
        if self.budgets.len() > 2 { alpha * (1.0 - FOR_LACK_OF_FIT) } else { alpha }
    }

    /// Returns the cost of one training of a budget.
    pub(super) fn cost(&self, label: &str) -> f64 {
        self.budgets.iter().find(|one| one.label == label).map_or(1.0, |one| one.cost)
    }

    /// Returns how much of the variance over seeds one more seed of a budget's best configuration removes,
    /// where it has `seeds`.
    pub(super) fn gain_of_seed(&self, label: &str, seeds: u64) -> f64 {
        let Some(budget) = self.budgets.iter().find(|one| one.label == label) else { return 0.0 };
        let seeds = seeds as f64;
        budget.weight * budget.weight * budget.seeds * (seeds.recip() - (seeds + 1.0).recip())
    }

    /// Returns the half-width of the wider of both intervals of the slope at the level `alpha`: a verdict
    /// needs both tests.
    pub(super) fn half_width(&self, design: &Design, alpha: f64) -> f64 {
        let half = |error: Option<Error>| error.map(|error| error.half_width(self.of_slope(alpha)));
        let configurations = half(self.of_configurations(design)).unwrap_or(f64::INFINITY);
        half(self.of_search(design)).map_or(configurations, |half| half.max(configurations))
    }

    /// Predicts the error of the slope over searches, seeds and rows, as the confirmation states it.
    pub(super) fn of_search(&self, design: &Design) -> Option<Error> {
        let top = design.top as f64;
        let part = |budget: &BudgetNoise| -> Option<Vec<(f64, f64)>> {
            let square = budget.weight * budget.weight;
            let seeds = design.seeds_of(&budget.label) as f64;
            if design.top > 1 {
                let one = budget.configurations + budget.seeds * (top - 1.0 + seeds.recip()) / top;
                let mut parts = vec![(square * one * best_factor(design.top), top - 1.0)];
                if budget.learns {
                    let (variance, freedom) = budget.search?;
                    parts.push((square * variance, freedom));
                }
                return Some(parts);
            }
            let (variance, freedom) = budget.search?;
            Some(vec![(square * variance, freedom), (square * budget.seeds / seeds, seeds - 1.0)])
        };
        let parts: Vec<Vec<(f64, f64)>> = self.budgets.iter().map(part).collect::<Option<_>>()?;
        Error::of(parts.into_iter().flatten().chain(self.rows))
    }

    /// Predicts the variances of the changes of the slope over searches, and of that of the chosen
    /// configurations, from a design to a larger one.
    ///
    /// Of the mean `T_m` of the best `m` of a search, `cov(T_m, T_n) = 1/n + (H_n - H_m)/n + psi_1(n + 1)`
    /// for `m <= n`, in variances between them, with `H` the harmonic numbers (Rényi 1953).
    pub(super) fn of_change(&self, from: &Design, to: &Design) -> [f64; 2] {
        let harmonic: f64 = (from.top + 1..=to.top).map(|i| (i as f64).recip()).sum();
        let factor = best_factor(from.top) - best_factor(to.top) - 2.0 * harmonic / to.top as f64;
        let of_mean = |design: &Design, label: &str| {
            let top = design.top as f64;
            (top - 1.0 + (design.seeds_of(label) as f64).recip()) / (top * top)
        };
        let of_chosen = |design: &Design, label: &str| (design.seeds_of(label) as f64).recip();
        let sum = |part: &dyn Fn(&BudgetNoise) -> f64| {
            self.budgets.iter().map(|budget| budget.weight * budget.weight * part(budget)).sum()
        };
        [
            sum(&|budget| {
                let seeds = of_mean(from, &budget.label) - of_mean(to, &budget.label);
                budget.configurations * factor.max(0.0) + budget.seeds * seeds.max(0.0)
            }),
            sum(&|budget| budget.seeds * (of_chosen(from, &budget.label) - of_chosen(to, &budget.label))),
        ]
    }

    /// Returns the error that no training lowers: of the rows and, with `search`, of searches that learn.
    pub(super) fn floor(&self, search: bool) -> Option<Error> {
        let of_search = |budget: &BudgetNoise| {
            let (variance, freedom) = budget.search.filter(|_| search && budget.learns)?;
            Some((budget.weight * budget.weight * variance, freedom))
        };
        Error::of(self.budgets.iter().filter_map(of_search).chain(self.rows))
    }

    /// Returns the parts of the variance of the slope from seeds and configurations of each budget.
    pub(super) fn parts(&self, design: &Design) -> Vec<(Option<String>, PlanSource, f64)> {
        let of = |budget: &BudgetNoise| {
            let square = budget.weight * budget.weight;
            let (top, seeds) = (design.top as f64, design.seeds_of(&budget.label) as f64);
            let seeds = budget.seeds * (top - 1.0 + seeds.recip()) / top;
            let factor = if design.top > 1 { best_factor(design.top) } else { 1.0 };
            let between = if design.top > 1 { budget.configurations } else { 0.0 };
            let counts = design.top == 1 || budget.learns;
            let search = budget.search.filter(|_| counts).map_or(0.0, |(variance, _)| variance);
            let label = || Some(budget.label.clone());
            [
                (label(), PlanSource::Seeds, square * factor * seeds),
                (label(), PlanSource::Configurations, square * factor * between),
                (label(), PlanSource::Search, square * search),
            ]
        };
        self.budgets.iter().flat_map(of).collect()
    }

    /// Predicts the error of the slope of the chosen configurations, over seeds and rows.
    pub(super) fn of_configurations(&self, design: &Design) -> Option<Error> {
        let part = |budget: &BudgetNoise| {
            let seeds = design.seeds_of(&budget.label) as f64;
            (budget.weight * budget.weight * budget.seeds / seeds, seeds - 1.0)
        };
        Error::of(self.budgets.iter().map(part).chain(self.rows))
    }
}

/// Returns the variance of the mean of the best `count` of a search, in variances between them: `1/m +
/// psi_1(m + 1)` (Rényi 1953).
pub(super) fn best_factor(count: u64) -> f64 {
    let squares: f64 = (1..=count).map(|i| ((i * i) as f64).recip()).sum();
    (count as f64).recip() + PI * PI / 6.0 - squares
}

/// The spread of a budget's trainings.
#[derive(Debug, Clone, Copy)]
struct Spread {
    /// Variance between the means of configurations, less the part of the seeds, with its degrees of freedom.
    configurations: (f64, f64),
    /// Variance over seeds, with its degrees of freedom.
    seeds: (f64, f64),
}

impl Spread {
    fn new(label: &str, ladder: &LadderTrials) -> Option<Self> {
        let trained = ladder.confirmations.iter().find(|one| one.budget == label)?;
        let values = values(trained, ladder);
        let freedom = |values: &[f64]| values.len().saturating_sub(1) as f64;
        let of_seeds = |values: &Vec<f64>| sample_variance(values.iter().copied()).unwrap_or(0.0);
        let seeds_freedom: f64 = values.iter().map(|values| freedom(values)).sum();
        let squares: f64 = values.iter().map(|values| of_seeds(values) * freedom(values)).sum();
        let seeds = if seeds_freedom > 0.0 { squares / seeds_freedom } else { 0.0 };
        let means: Vec<f64> = values.iter().filter_map(|values| mean(values.iter().copied())).collect();
        let count = mean(values.iter().map(|values| (values.len() as f64).recip())).unwrap_or(1.0);
        let between = sample_variance(means.iter().copied()).unwrap_or(0.0);
        Some(Self {
            configurations: ((between - seeds * count).max(0.0), freedom(&means)),
            seeds: (seeds, seeds_freedom),
        })
    }

    /// Returns the means over budgets of both variances, weighted by their degrees of freedom.
    fn shared(all: &[Self]) -> (f64, f64) {
        let mean = |of: fn(&Self) -> (f64, f64)| {
            let freedom: f64 = all.iter().map(|one| of(one).1).sum();
            let sum: f64 = all.iter().map(|one| of(one).0 * of(one).1).sum();
            if freedom > 0.0 { sum / freedom } else { 0.0 }
        };
        (mean(|one| one.configurations), mean(|one| one.seeds))
    }

    /// Returns both variances, drawn towards those that the budgets share.
    fn toward(self, shared: (f64, f64)) -> (f64, f64) {
        let drawn = |(own, freedom): (f64, f64), shared: f64| {
            (own * freedom + shared * SHARED_FREEDOM) / (freedom + SHARED_FREEDOM)
        };
        (drawn(self.configurations, shared.0), drawn(self.seeds, shared.1))
    }
}

/// Returns the values of each configuration's trainings.
fn values(trained: &RetrainedTrials, ladder: &LadderTrials) -> Vec<Vec<f64>> {
    let ranks: std::collections::BTreeSet<u64> = trained.plan.iter().map(|one| one.rank).collect();
    let of_rank = |rank| trained.of(&trained.budget, rank, ladder).iter().map(|one| one.value).collect();
    ranks.into_iter().map(of_rank).filter(|values: &Vec<f64>| !values.is_empty()).collect()
}

pub(super) fn place(label: &str, ladder: &LadderTrials) -> Option<usize> {
    ladder.studies.iter().position(|study| study.budget.label == label)
}

/// Returns the number of distinct configurations that each study could confirm.
pub(super) fn available(study: &StudyTrials, ladder: &LadderTrials) -> u64 {
    configurations(study, ladder, |trial| trial.eligible_value().is_some()).len() as u64
}

/// Returns the cost of one training of each study, in mean costs over the studies: the median time of its
/// trials, or without times their median size, or the number in its label; equal where these are not known.
pub(super) fn costs(ladder: &LadderTrials) -> Vec<f64> {
    let median = |study: &StudyTrials, of: &dyn Fn(&FrozenTrial) -> Option<f64>| {
        let complete = study.trials.iter().filter(|trial| trial.eligible_value().is_some());
        let mut values: Vec<f64> = complete.filter_map(of).filter(|value| *value > 0.0).collect();
        values.sort_by(f64::total_cmp);
        quantile(&values, 0.5)
    };
    let all = |of: &dyn Fn(&StudyTrials) -> Option<f64>| {
        ladder.studies.iter().map(of).collect::<Option<Vec<f64>>>()
    };
    let found =
        all(&|study| median(study, &|trial| trial.cost().seconds).map(|seconds| seconds.max(SHORTEST)))
            .or_else(|| all(&|study| median(study, &|trial| Some(trial.record.size?.total as f64))))
            .or_else(|| all(&|study| study.budget.nominal_weights().filter(|weights| weights.is_finite())))
            .unwrap_or_else(|| vec![1.0; ladder.studies.len()]);
    let mean = mean(found.iter().copied()).filter(|mean| *mean > 0.0).unwrap_or(1.0);
    found.into_iter().map(|cost| cost / mean).collect()
}
