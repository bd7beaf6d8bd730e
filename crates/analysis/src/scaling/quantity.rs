//! The judged quantity of each budget, computed from the trials of a ladder.

use allometry_core::{FrozenTrial, Origin, TrialState};

use super::Difference;
use super::contrast::{BudgetPart, Budgets, Source, Units, VariancePart};
use super::effort::Excess;
use super::judgement::{CountOf, Judgement, Quantity, Withheld, judge as test, places, slope_weights};
use super::search::{
    BestOfK, Configuration, SearchKind, best_of_k, choose_k, configurations, is_recorded, largest_k,
    top_spread,
};
use crate::effort::FEWEST;
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::row_scores::RowScores;
use crate::stats::auc;
use crate::stats::moments::{mean, sample_variance};
use allometry_core::is_usable;

/// Most stored predictions used for one budget; `ROWS_OF_MODELS` limits their rows over all budgets.
const MODELS: usize = 50;
const ROWS_OF_MODELS: usize = 4_000_000;

/// A budget with its distinct configurations.
struct Searched<'a> {
    study: &'a StudyTrials,
    kind: SearchKind,
    configurations: Vec<Configuration<'a>>,
}

impl Searched<'_> {
    /// Keeps the first trial of each configuration, unless all were tried equally often: configurations are
    /// usually repeated because of their values, so that the means of the repeats are biased.
    fn count_alike(&mut self) {
        let counts = || self.configurations.iter().map(|one| one.values.len());
        if counts().min() == counts().max() {
            return;
        }
        for one in &mut self.configurations {
            one.trials.truncate(1);
            one.values.truncate(1);
        }
    }
}

/// The values of budgets, from their trials.
pub(crate) struct Valued<'a> {
    pub(crate) quantity: Quantity,
    /// One part for each study with usable trials, in the order of the studies.
    pub(crate) parts: Vec<BudgetPart<'a>>,
    /// The same with every search cut to the fewest configurations, and their number, where the cut may make
    /// a difference.
    pub(crate) cut: Option<(Vec<BudgetPart<'a>>, u64)>,
    /// The same with the largest `k`, where the quantity is the best of `k`.
    of_most: Option<Vec<BudgetPart<'a>>>,
    /// Sources of error that are missing from the parts, apart from rows.
    pub(crate) left_out: Vec<Source>,
}

/// Judges a ladder by its searches, or by configurations that were tried several times. `searches` holds the
/// kind of search of each study.
///
/// # Errors
/// Returns [`Withheld`] with the reason.
pub(super) fn judge(
    ladder: &LadderTrials,
    searches: &[SearchKind],
    options: &Options,
) -> Result<Judged, Withheld> {
    let studies: Vec<(&StudyTrials, SearchKind)> =
        ladder.studies.iter().zip(searches.iter().copied()).collect();
    let Valued { quantity, parts, cut, of_most, left_out } = valued(&studies, ladder)?;
    let judge = |parts: Vec<BudgetPart<'_>>| {
        let budgets = Budgets::new(in_order(parts))?;
        test(&budgets, quantity, ladder.direction().sign(), left_out.clone(), options)
    };
    let mut judged = judge(parts)?;
    if let Some((cut, fewest)) = cut {
        judged = at_equal_effort(judged, &judge(cut)?, fewest);
    }
    // The mean of few trials and the best of many may disagree; then neither is significant.
    if let Some(of_most) = of_most.map(in_order).map(Budgets::new).transpose()? {
        let weights = slope_weights(&places(&of_most).0, 0);
        let slope: f64 = of_most.parts.iter().zip(&weights).map(|(part, weight)| part.value * weight).sum();
        judged.0.check_against(slope);
    }
    Ok((judged.0.within_range(ladder), judged.1))
}

/// Returns the values of studies, with the kind of search of each.
///
/// # Errors
/// Returns [`Withheld`] where they cannot be compared.
pub(crate) fn valued<'a>(
    studies: &[(&'a StudyTrials, SearchKind)],
    ladder: &'a LadderTrials,
) -> Result<Valued<'a>, Withheld> {
    let mut searched: Vec<Searched<'a>> = studies
        .iter()
        .map(|&(study, kind)| Searched {
            study,
            kind,
            configurations: configurations(study, ladder, |_| true),
        })
        .filter(|one| !one.configurations.is_empty())
        .collect();
    if searched.len() < 2 {
        return Err(Withheld::TooFewBudgets { budgets: searched.len() as u64 });
    }
    let sample = take_a_sample(&mut searched, ladder)
        .and_then(|()| lost(&searched))
        .and_then(|()| pruned_differently(&searched));
    let why_no_search = match sample {
        Ok(()) => {
            searched.iter_mut().for_each(Searched::count_alike);
            return of_searches(&searched, ladder);
        }
        Err(why) => why,
    };
    let studies: Vec<&StudyTrials> = searched.iter().map(|one| one.study).collect();
    let repeated: Option<Vec<BudgetPart<'_>>> = studies.iter().map(|study| repeated(study, ladder)).collect();
    let Some(parts) = repeated else { return Err(why_no_search) };
    // Where each budget tried one configuration, the variance over searches is unknown.
    let knows_search = parts.iter().all(|part| part.part.is_some());
    let left_out = if knows_search { Vec::new() } else { vec![Source::Search] };
    let excess = Excess::new(&studies, ladder);
    let cut = excess.map(|excess| (excess.cut(parts.clone()), excess.fewest));
    Ok(Valued { quantity: Quantity::Configuration, parts, cut, of_most: None, left_out })
}

/// A test with the differences of its pairs.
type Judged = (Judgement, Vec<Difference>);

/// Combines a test with the test at equal effort, of these budgets in this order.
fn at_equal_effort(whole: Judged, cut: &Judged, fewest: u64) -> Judged {
    let pairs = whole.1.into_iter().zip(&cut.1);
    (whole.0.at_equal_effort(&cut.0, fewest), pairs.map(|(one, cut)| one.at_equal_effort(cut)).collect())
}

/// Largest difference between budgets in the share of ended trials without a value; beyond it samples are not
/// comparable.
const LOST: f64 = 0.1;
/// Number of trials without a value that a budget may always have.
const FEW_LOST: usize = 2;
/// Largest difference, in standard errors, between the shares of trials that were stopped early. With one
/// pruning rule, two budgets exceed it in 5% of ladders; the extremes of several budgets exceed it more
/// often.
const PRUNED_APART: f64 = 1.96;

/// Fails where one budget has many more ended trials without a value than another: those trials were most
/// likely bad ones.
fn lost(searched: &[Searched<'_>]) -> Result<(), Withheld> {
    let (most, least) = extremes(searched, |trial| !trial.value().is_some_and(is_usable));
    if most.count <= FEW_LOST || most.share() - least.share() <= LOST {
        return Ok(());
    }
    let (budget, other) = (most.label.to_owned(), least.label.to_owned());
    Err(Withheld::Lost { budget, most: most.part(), other, least: least.part() })
}

/// Fails where one budget has clearly more trials that were stopped early than another: their values would be
/// compared with final ones.
fn pruned_differently(searched: &[Searched<'_>]) -> Result<(), Withheld> {
    let (most, least) = extremes(searched, |trial| trial.state == TrialState::Pruned);
    let pooled = (most.count + least.count) as f64 / (most.of + least.of) as f64;
    let error = (pooled * (1.0 - pooled) * (1.0 / most.of as f64 + 1.0 / least.of as f64)).sqrt();
    if most.share() - least.share() <= PRUNED_APART * error {
        return Ok(());
    }
    let (budget, other) = (most.label.to_owned(), least.label.to_owned());
    Err(Withheld::PrunedDifferently { budget, most: most.part(), other, least: least.part() })
}

/// Number of a budget's ended trials that are of a given kind.
#[derive(Debug, Clone, Copy)]
struct Counted<'a> {
    label: &'a str,
    count: usize,
    of: usize,
}

impl Counted<'_> {
    fn share(&self) -> f64 {
        self.count as f64 / self.of as f64
    }

    fn part(&self) -> CountOf {
        CountOf { count: self.count as u64, of: self.of as u64 }
    }
}

/// Returns the budgets with the largest and the smallest share of ended trials of a given kind.
fn extremes<'a>(
    searched: &[Searched<'a>],
    is_counted: impl Fn(&FrozenTrial) -> bool,
) -> (Counted<'a>, Counted<'a>) {
    let counted = |one: &Searched<'a>| {
        let ended = || one.study.trials.iter().filter(|trial| trial.state.is_finished());
        let count = ended().filter(|trial| is_counted(trial)).count();
        Counted { label: &one.study.budget.label, count, of: ended().count().max(1) }
    };
    let all = || searched.iter().map(counted);
    let by_share = |a: &Counted<'_>, b: &Counted<'_>| a.share().total_cmp(&b.share());
    let nothing = Counted { label: "", count: 0, of: 1 };
    (all().max_by(by_share).unwrap_or(nothing), all().min_by(by_share).unwrap_or(nothing))
}

/// Keeps only the configurations that are an independent sample of each budget's space.
fn take_a_sample(searched: &mut [Searched<'_>], ladder: &LadderTrials) -> Result<(), Withheld> {
    let label = |one: &Searched<'_>| one.study.budget.label.clone();
    let adaptive: Vec<String> = searched.iter().filter(|one| !one.kind.is_independent()).map(label).collect();
    let is_told = searched.iter().any(|one| one.kind == SearchKind::Adaptive);
    if !adaptive.is_empty() && !is_told {
        return Err(Withheld::SeeminglyAdaptive { budgets: adaptive.join(", ") });
    }
    if !adaptive.is_empty() && adaptive.len() < searched.len() {
        return Err(Withheld::SearchedDifferently { adaptive: adaptive.join(", ") });
    }
    let is_adaptive = !adaptive.is_empty();
    for one in searched.iter_mut() {
        let all_given = one.study.trials.iter().all(|t| t.record.origin == Some(Origin::Enqueued));
        let takes = |origin: Option<Origin>| match origin {
            None => !is_adaptive,
            Some(Origin::Model) => false,
            Some(Origin::Enqueued) => all_given && !is_adaptive,
            Some(Origin::Random | Origin::Probe | Origin::Grid | Origin::Retry) => true,
        };
        one.configurations = configurations(one.study, ladder, |trial| takes(trial.record.origin));
    }
    let Some(least) = searched.iter().min_by_key(|one| one.configurations.len()) else { return Ok(()) };
    let count = least.configurations.len() as u64;
    match least.configurations.len() {
        _ if is_adaptive && count < FEWEST as u64 => Err(Withheld::Adaptive { at_random: count }),
        1 if least.configurations[0].values.len() == 1 => Err(Withheld::OneTrial { budget: label(least) }),
        fewer if fewer < FEWEST => Err(Withheld::FewTrials { budget: label(least), configurations: count }),
        _ => Ok(()),
    }
}

fn of_searches<'a>(searched: &[Searched<'a>], ladder: &'a LadderTrials) -> Result<Valued<'a>, Withheld> {
    let values: Vec<Vec<f64>> =
        searched.iter().map(|one| one.configurations.iter().map(Configuration::mean).collect()).collect();
    let fewest = values.iter().map(Vec::len).min().unwrap_or(0);
    let at = |k: usize, first: usize| -> Option<Vec<BudgetPart<'a>>> {
        let parts = searched.iter().zip(&values).map(|(one, values)| {
            let count = values.len().min(first);
            let best: BestOfK = best_of_k(&values[..count], k)?;
            Some(best_part(one.study, &one.configurations[..count], &best, ladder))
        });
        parts.collect()
    };
    let k = choose_k(&values);
    let parts = at(k, usize::MAX).ok_or(Withheld::NothingVaries)?;
    // An unrecorded search that learns gains from more trials. Cut to equal numbers of first trials, the
    // budgets must support the conclusion too.
    let is_unequal = values.iter().any(|values| values.len() > fewest);
    let mut cut = None;
    if is_unequal && searched.iter().any(|one| !is_recorded(one.study)) {
        let mut first = at(k, fewest).ok_or(Withheld::NothingVaries)?;
        first.iter_mut().zip(&parts).for_each(|(part, whole)| part.weights = whole.weights);
        cut = Some((first, fewest as u64));
    }
    let of_most = at(largest_k(&values), usize::MAX);
    Ok(Valued { quantity: Quantity::BestOf { k: k as u64 }, parts, cut, of_most, left_out: Vec::new() })
}

/// Returns the expected best of `k` of a study's configurations with the sources of its error.
pub(crate) fn best_part<'a>(
    study: &'a StudyTrials,
    configurations: &[Configuration<'a>],
    best: &BestOfK,
    ladder: &'a LadderTrials,
) -> BudgetPart<'a> {
    let trials = || configurations.iter().zip(&best.weights).filter(|(_, weight)| **weight > 0.0);
    let spread = trials().flat_map(|(configuration, weight)| {
        let share = weight / configuration.trials.len() as f64;
        configuration.trials.iter().map(move |trial| (share, *trial))
    });
    let weighed: Vec<_> = spread.collect();
    let exact = geometric_mean(&weighed, |trial| Some(trial.record.size?.total as f64));
    BudgetPart {
        label: study.budget.label.clone(),
        weights: exact.or(study.budget.nominal_weights().filter(|weights| weights.is_finite())),
        flops: geometric_mean(&weighed, |trial| trial.cost().flops),
        value: best.value,
        units: Some(best.units),
        part: None,
        models: models(&weighed, study, ladder),
        by_counts: by_counts(best.value, ladder),
    }
}

/// Returns the weighted geometric mean of a size of trials; `None` where it is not known or not positive.
pub(crate) fn geometric_mean(
    weighed: &[(f64, &FrozenTrial)],
    of: impl Fn(&FrozenTrial) -> Option<f64>,
) -> Option<f64> {
    let logs = weighed.iter().map(|(weight, trial)| Some(weight * of(trial).filter(|x| *x > 0.0)?.log10()));
    logs.sum::<Option<f64>>().map(|log| 10.0_f64.powf(log))
}

/// Returns the predictions of the trials with the largest weights, scaled to sum to 1; empty where none are
/// stored.
fn models<'a>(
    weighed: &[(f64, &'a FrozenTrial)],
    study: &'a StudyTrials,
    ladder: &'a LadderTrials,
) -> Vec<(f64, RowScores<'a>)> {
    let mut order: Vec<usize> = (0..weighed.len()).collect();
    order.sort_by(|&a, &b| weighed[b].0.total_cmp(&weighed[a].0));
    let stored: Vec<(f64, RowScores<'a>)> = order
        .into_iter()
        .filter_map(|place| {
            let (weight, trial) = weighed[place];
            Some((weight, ladder.row_scores(study, trial.number)?))
        })
        .collect();
    let rows = stored.first().map_or(1, |(_, scores)| scores.rows().max(1));
    let most = (ROWS_OF_MODELS / rows / ladder.studies.len().max(1)).clamp(1, MODELS);
    // With equal weights, the kept models are spread evenly over all.
    let step = stored.len().div_ceil(most).max(1);
    let mut kept: Vec<(f64, RowScores<'a>)> = stored.into_iter().step_by(step).collect();
    let total: f64 = kept.iter().map(|(weight, _)| weight).sum();
    for (weight, _) in &mut kept {
        *weight /= total;
    }
    kept
}

/// Returns the standard error of an AUC over rows, from the class counts.
fn by_counts(gain: f64, ladder: &LadderTrials) -> Option<f64> {
    auc::hanley_mcneil(gain * ladder.direction().sign(), ladder.independent_rows()?)
}

/// Returns the configuration of a budget that was tried several times; of several, the one whose first trial
/// was best. A budget that tried several configurations chose one of them by its first trial, which is
/// therefore left out. Another search would have chosen another configuration, so that the error includes the
/// variance of this choice. `None` where no configuration was repeated, or where too few configurations give
/// that variance.
fn repeated<'a>(study: &'a StudyTrials, ladder: &'a LadderTrials) -> Option<BudgetPart<'a>> {
    let all = configurations(study, ladder, |_| true);
    let part = if all.len() == 1 {
        None
    } else {
        let (variance, freedom) = top_spread(study, ladder)?;
        Some(VariancePart { variance, freedom, source: Source::Search })
    };
    let several: Vec<&Configuration<'a>> = all.iter().filter(|one| one.values.len() > 1).collect();
    let best = several.iter().max_by(|a, b| a.values[0].total_cmp(&b.values[0]))?;
    let skipped = usize::from(all.len() > 1);
    let freedom: f64 = several.iter().map(|one| (one.values.len() - 1) as f64).sum();
    let spread = |one: &&Configuration<'a>| {
        sample_variance(one.values.iter().copied()).unwrap_or(0.0) * (one.values.len() - 1) as f64
    };
    let variance = several.iter().map(spread).sum::<f64>() / freedom;
    let judged = &best.values[skipped..];
    let value = mean(judged.iter().copied())?;
    let count = judged.len() as f64;
    let size = best.trials[0].record.size.map(|size| size.total as f64).filter(|total| *total > 0.0);
    let weighed: Vec<_> = best.trials[skipped..].iter().map(|trial| (1.0 / count, *trial)).collect();
    Some(BudgetPart {
        label: study.budget.label.clone(),
        weights: size.or(study.budget.nominal_weights().filter(|weights| weights.is_finite())),
        flops: geometric_mean(&weighed, |trial| trial.cost().flops),
        value,
        units: Some(Units { variance, count, freedom, source: Source::Seeds }),
        part,
        models: models(&weighed, study, ladder),
        by_counts: by_counts(value, ladder),
    })
}

/// Sorts budgets by their weights, ascending, where all weights are known.
pub(crate) fn in_order(mut parts: Vec<BudgetPart<'_>>) -> Vec<BudgetPart<'_>> {
    if parts.iter().all(|part| part.weights.is_some()) {
        parts.sort_by(|a, b| a.weights.unwrap_or(0.0).total_cmp(&b.weights.unwrap_or(0.0)));
    }
    parts
}
