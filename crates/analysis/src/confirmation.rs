//! Performance of the best configurations of each budget on the test rows, which played no part in any
//! choice, and whether more weights pay there.

use std::f64::consts::PI;

use allometry_core::{FrozenTrial, Params, Retraining, TrialNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::input::{LadderTrials, StudyTrials};
use crate::looks::Looks;
use crate::options::Options;
use crate::outcome;
use crate::retrained::{Contrast, Outcome, RetrainedTrials, Trained, counts, in_order};
use crate::row_scores::RowScores;
use crate::scaling::{
    BudgetPart, Budgets, Difference, Excess, Judgement, Quantity, Source, Units, VariancePart, Withheld,
    geometric_mean, in_order_of_size, judge, kind, start_spread, top_spread,
};
use crate::statement::Statement;
use crate::stats::moments::{mean, sample_variance};

/// Configurations retrained under new seeds and scored on the test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmation {
    /// Whether more weights pay on test rows, in words.
    pub sentence: Statement<()>,
    /// Number of planned trainings.
    pub planned: u64,
    /// Number of planned trainings that ended with a value.
    pub complete: u64,
    /// Budgets that trained something, in the ladder's order.
    pub budgets: Vec<ConfirmedBudget>,
    /// Scaling test of these configurations; its error covers seeds and rows.
    #[serde(default)]
    pub configurations: Option<Judgement>,
    /// Scaling test of the configurations that another search would have recommended; its error also covers
    /// the search. `null` if its variance is unknown.
    #[serde(default)]
    pub search: Option<Judgement>,
    /// Comparisons of every budget's chosen configuration with that of each smaller budget.
    pub comparisons: Vec<ConfirmedComparison>,
    /// The planned look that these results are tested at; absent without a plan. Intervals and p-values then
    /// hold for all looks together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<Looks>,
    /// Why the differences have no error, where it is not for lack of seeds and predictions. In documents the
    /// sentence says it.
    #[serde(skip)]
    pub(crate) withheld: Option<Withheld>,
}

/// The best configurations of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedBudget {
    /// The budget's label.
    pub budget: String,
    /// Position in `configurations` of the one that represents the budget.
    pub chosen: usize,
    /// Whether the chosen configuration is the best on the validation rows after retraining. Otherwise it is
    /// the best of the search, because some trainings lack a validation value.
    pub chosen_anew: bool,
    /// The configurations, best of the search first.
    pub configurations: Vec<ConfirmedConfiguration>,
}

/// A retrained configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedConfiguration {
    /// The configuration's trial in the search.
    pub trial: TrialNumber,
    /// The configuration.
    pub params: Params,
    /// Value of the trial in the search.
    pub search: Option<f64>,
    /// Mean value on the validation rows over the new seeds, if all trainings recorded one. It is usually
    /// worse than `search`, because the best of a search is partly luck.
    pub validation: Option<f64>,
    /// Mean value on the test rows.
    pub test: Estimate,
    /// Number of new seeds.
    pub seeds: u64,
}

/// Comparison of two budgets on the test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedComparison {
    /// Label of the smaller budget.
    pub smaller: String,
    /// Label of the larger budget.
    pub larger: String,
    /// Gain of the larger budget over the smaller one; above 0 if the larger is better.
    pub gain: Estimate,
    /// P-value for zero gain; `null` if the gain has no error.
    pub p: Option<f64>,
    /// P-value after Holm's adjustment over all comparisons.
    pub p_holm: Option<f64>,
    /// Outcome of the comparison.
    pub outcome: GainOutcome,
}

/// Outcome of a comparison of two budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GainOutcome {
    /// The larger budget is better after Holm's adjustment.
    Pays,
    /// The smaller budget is better after Holm's adjustment.
    Harms,
    /// The difference is smaller than the smallest effect of interest.
    Nothing,
    /// The trials do not decide.
    Undecided,
}

impl GainOutcome {
    /// Returns the outcome's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pays => "pays",
            Self::Harms => "harms",
            Self::Nothing => "buys nothing",
            Self::Undecided => "undecided",
        }
    }
}

impl From<Outcome> for GainOutcome {
    fn from(gain: Outcome) -> Self {
        match gain {
            Outcome::Above => Self::Pays,
            Outcome::Below => Self::Harms,
            Outcome::Nothing => Self::Nothing,
            Outcome::Undecided => Self::Undecided,
        }
    }
}

impl Confirmation {
    /// Evaluates the retrained configurations; `None` if nothing was retrained.
    pub(crate) fn new(ladder: &LadderTrials, options: &Options) -> Option<Self> {
        let trained = in_order(&ladder.confirmations, ladder);
        let (planned, complete) = counts(&trained, ladder);
        let found: Vec<Confirmed<'_>> = trained.iter().filter_map(|by| budget(by, ladder, options)).collect();
        if found.is_empty() {
            return None;
        }
        let judged = judge_configurations(&found, ladder, options);
        let search = judge_search(&found, ladder, options);
        let (configurations, differences, withheld) = match judged {
            Ok((judgement, differences)) => (Some(judgement), differences, None),
            Err(why) => (None, observed(&found, ladder, options), why),
        };
        let is_waiting = ladder.looks.is_some_and(|looks| !looks.is_trained);
        let comparisons: Vec<ConfirmedComparison> = differences
            .into_iter()
            .map(|one| ConfirmedComparison {
                outcome: if is_waiting {
                    GainOutcome::Undecided
                } else {
                    Outcome::new(&one.gain, one.p_holm, options).into()
                },
                smaller: one.smaller,
                larger: one.larger,
                gain: one.gain,
                p: one.p,
                p_holm: one.p_holm,
            })
            .collect();
        let sentence = Statement::Reason(());
        let budgets = found.into_iter().map(|one| one.budget).collect();
        let looks = ladder.looks;
        Some(Self {
            sentence,
            planned,
            complete,
            budgets,
            configurations,
            search,
            comparisons,
            looks,
            withheld,
        })
    }

    /// Returns the test behind the headline: that of the search if there is one, else that of the
    /// configurations.
    pub fn headline(&self) -> Option<&Judgement> {
        self.search.as_ref().or(self.configurations.as_ref())
    }

    /// Returns the outcome of the headline; undecided if it contradicts the test of these configurations.
    pub(crate) fn outcome(&self) -> Option<outcome::Outcome> {
        use outcome::Outcome::{Holds, Undecided, Violated};
        let of_configurations = self.configurations.as_ref()?.outcome;
        let headline = self.headline()?.outcome;
        let differ = matches!(headline, Holds | Violated) && headline != of_configurations;
        Some(if differ { Undecided } else { headline })
    }

    /// Returns the comparisons as differences.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        let of = |one: &ConfirmedComparison| Difference {
            larger: one.larger.clone(),
            smaller: one.smaller.clone(),
            gain: one.gain,
            shares: Vec::new(),
            p: one.p,
            p_holm: one.p_holm,
        };
        self.comparisons.iter().map(of).collect()
    }
}

/// Trainings of one budget.
struct Confirmed<'a> {
    budget: ConfirmedBudget,
    /// Trainings of each configuration.
    trained: Vec<Vec<Trained<'a>>>,
}

impl<'a> Confirmed<'a> {
    /// Returns the mean over seeds of the chosen configuration as a part of the test.
    fn chosen(&self, ladder: &LadderTrials) -> BudgetPart<'a> {
        let chosen = self.budget.chosen;
        let trained = &self.trained[chosen];
        let values = trained.iter().map(|one| one.value);
        let count = trained.len() as f64;
        let variance = sample_variance(values.clone()).unwrap_or(0.0);
        let units = Units { variance, count, freedom: count - 1.0, source: Source::Seeds };
        self.part(&self.trained[chosen..=chosen], Some(units).filter(|_| trained.len() > 1), ladder)
    }

    /// Returns the mean over configurations, each the mean over its seeds.
    fn part<'t>(
        &self,
        configurations: &'t [Vec<Trained<'a>>],
        units: Option<Units>,
        ladder: &LadderTrials,
    ) -> BudgetPart<'a> {
        // Every configuration counts alike, whatever the number of its seeds.
        let all = || {
            let of = |trained: &'t [Trained<'a>]| {
                let share = 1.0 / (configurations.len() * trained.len()) as f64;
                trained.iter().map(move |one| (share, one))
            };
            configurations.iter().flat_map(move |trained| of(trained))
        };
        let models: Option<Vec<(f64, RowScores<'a>)>> =
            all().map(|(share, one)| Some((share, one.predictions?))).collect();
        let trials: Vec<(f64, &FrozenTrial)> = all().map(|(share, one)| (share, one.trial)).collect();
        let exact = geometric_mean(&trials, |trial| Some(trial.record.size?.total as f64));
        let study = ladder.studies.iter().find(|study| study.budget.label == self.budget.budget);
        let nominal = study.and_then(|study| study.budget.nominal_weights());
        BudgetPart {
            label: self.budget.budget.clone(),
            weights: exact.or(nominal).filter(|weights| weights.is_finite() && *weights > 0.0),
            flops: geometric_mean(&trials, |trial| trial.cost().flops),
            value: ladder.direction().sign() * all().map(|(share, one)| share * one.value).sum::<f64>(),
            units,
            part: None,
            models: models.unwrap_or_default(),
            by_counts: None,
        }
    }
}

/// Tests the chosen configurations with errors over seeds and rows.
fn judge_configurations(
    found: &[Confirmed<'_>],
    ladder: &LadderTrials,
    options: &Options,
) -> Result<(Judgement, Vec<Difference>), Option<Withheld>> {
    let parts: Vec<BudgetPart<'_>> = found.iter().map(|one| one.chosen(ladder)).collect();
    let has_seeds = parts.iter().all(|part| part.units.is_some());
    let left_out = if has_seeds { vec![Source::Search] } else { vec![Source::Seeds, Source::Search] };
    // Without seeds and predictions nothing could vary.
    let is_reason = |why: &Withheld| has_seeds || *why != Withheld::NothingVaries;
    test(parts, &left_out, ladder, options).map_err(|why| why.filter(is_reason))
}

/// Returns the differences between the chosen configurations, without errors.
fn observed(found: &[Confirmed<'_>], ladder: &LadderTrials, options: &Options) -> Vec<Difference> {
    let sign = ladder.direction().sign();
    let pairs = (0..found.len()).flat_map(|larger| (0..larger).map(move |smaller| (smaller, larger)));
    let difference = |(smaller, larger): (usize, usize)| {
        let [small, large] = [smaller, larger].map(|place| &found[place].budget);
        let gain = sign * (large.chosen().test.point - small.chosen().test.point);
        Difference {
            larger: large.budget.clone(),
            smaller: small.budget.clone(),
            gain: Estimate::observed(gain, options),
            shares: Vec::new(),
            p: None,
            p_holm: None,
        }
    };
    pairs.map(difference).collect()
}

/// Tests the configurations that another search would have recommended for each size. With several
/// configurations of a budget, it uses their mean and spread; with one, the spread of the best tenth of the
/// search's values. `None` if neither is known for every budget.
///
/// The mean of the best `m` of a sample with a Gumbel tail has `1/m + psi_1(m + 1)` times the variance of the
/// values above a high level (Rényi 1953). This is more than `1/m` because all of them depend on the position
/// of that level.
fn judge_search<'a>(found: &[Confirmed<'a>], ladder: &LadderTrials, options: &Options) -> Option<Judgement> {
    let several = found.iter().all(|one| one.trained.len() > 1);
    let study_of =
        |one: &Confirmed<'a>| ladder.studies.iter().find(|study| study.budget.label == one.budget.budget);
    let studies: Vec<&StudyTrials> = found.iter().map(study_of).collect::<Option<_>>()?;
    // The best trials of a search that learns are neighbours, whose spread says nothing of another search.
    let learns = |study: &StudyTrials| !kind(study, ladder).is_independent();
    let part = |(one, study): (&Confirmed<'a>, &&StudyTrials)| -> Option<BudgetPart<'a>> {
        if !several {
            let mut part = one.chosen(ladder);
            let spread = if learns(study) { start_spread } else { top_spread };
            let (variance, freedom) = spread(study, ladder)?;
            part.part = Some(VariancePart { variance, freedom, source: Source::Search });
            return Some(part);
        }
        let count = one.trained.len() as f64;
        let means =
            one.trained.iter().map(|trained| mean(trained.iter().map(|one| one.value)).unwrap_or(0.0));
        let variance = sample_variance(means.collect::<Vec<f64>>())?;
        let squares: f64 = (1..=one.trained.len()).map(|i| (i * i) as f64).map(f64::recip).sum();
        let level = count * (PI * PI / 6.0 - squares);
        let units =
            Units { variance: variance * (1.0 + level), count, freedom: count - 1.0, source: Source::Search };
        let mut part = one.part(&one.trained, Some(units), ladder);
        if learns(study) {
            let (variance, freedom) = start_spread(study, ladder)?;
            part.part = Some(VariancePart { variance, freedom, source: Source::Search });
        }
        Some(part)
    };
    let parts: Vec<BudgetPart<'a>> = found.iter().zip(&studies).map(part).collect::<Option<_>>()?;
    let has_seeds = parts.iter().all(|part| part.units.is_some());
    let left_out = if has_seeds { Vec::new() } else { vec![Source::Seeds] };
    let judge = |parts| test(parts, &left_out, ladder, options).ok().map(|(judgement, _)| judgement);
    let Some(excess) = Excess::new(&studies, ladder) else { return judge(parts) };
    let cut = judge(excess.cut(parts.clone()))?;
    Some(judge(parts)?.at_equal_effort(&cut, excess.fewest))
}

/// Tests the slope of the parts.
///
/// # Errors
/// Returns the reason why there is no test; `None` for lack of budgets or of seeds.
fn test(
    parts: Vec<BudgetPart<'_>>,
    left_out: &[Source],
    ladder: &LadderTrials,
    options: &Options,
) -> Result<(Judgement, Vec<Difference>), Option<Withheld>> {
    // If one budget has several seeds and another has one, neither error can stand in for the other's.
    let with_seeds = parts.iter().filter(|part| part.units.is_some()).count();
    if parts.len() < 2 || (with_seeds > 0 && with_seeds < parts.len()) {
        return Err(None);
    }
    let budgets = Budgets::new(in_order_of_size(parts)).map_err(|why| Some(why.into()))?;
    let sign = ladder.direction().sign();
    let at = |options: &Options| {
        let judged = judge(&budgets, Quantity::Confirmed, sign, left_out.to_vec(), options);
        judged.map(|(judgement, differences)| (judgement.within_range(ladder), differences)).map_err(Some)
    };
    let Some(looks) = ladder.looks else { return at(options) };
    let (mut judgement, mut differences) = at(&looks.options(options))?;
    restate(looks, &mut judgement, &mut differences, options);
    // The law is no test, so that it keeps the level of one look.
    judgement.law = at(options)?.0.law;
    if !looks.is_trained {
        // A conclusion before the end of the trainings would be one more look.
        judgement.withdraw();
    }
    Ok((judgement, differences))
}

/// Restates a test at the level of a look at the level of all looks together: p-values are multiplied by the
/// quotient of the levels. Intervals stay as they are: at that level they hold for all looks at once
/// (repeated confidence intervals, Jennison & Turnbull 1989).
fn restate(looks: Looks, judgement: &mut Judgement, differences: &mut [Difference], options: &Options) {
    let factor = looks.factor(1.0 - options.level);
    let p = |p: &mut Option<f64>| *p = p.map(|p| (p * factor).min(1.0));
    let level = |estimate: &mut Estimate| estimate.level = options.level;
    judgement.values.iter_mut().for_each(|value| level(&mut value.value));
    level(&mut judgement.slope);
    level(&mut judgement.whole);
    p(&mut judgement.p);
    p(&mut judgement.lack_of_fit);
    if let Some(step) = &mut judgement.last_step {
        level(&mut step.gain);
        p(&mut step.p);
    }
    for one in differences {
        level(&mut one.gain);
        p(&mut one.p);
        p(&mut one.p_holm);
    }
}

impl ConfirmedBudget {
    /// Returns the configuration that represents the budget.
    pub fn chosen(&self) -> &ConfirmedConfiguration {
        &self.configurations[self.chosen]
    }
}

/// Returns the results of a budget's best configurations, with the trainings of the one that represents it.
fn budget<'a>(by: &'a RetrainedTrials, ladder: &'a LadderTrials, options: &Options) -> Option<Confirmed<'a>> {
    let ranks: std::collections::BTreeSet<u64> = by.plan.iter().map(|one| one.rank).collect();
    let (configurations, trained): (Vec<_>, Vec<_>) =
        ranks.into_iter().filter_map(|rank| configuration(by, rank, ladder, options)).unzip();
    let validated: Option<Vec<f64>> = configurations.iter().map(|one| one.validation).collect();
    let sign = ladder.direction().sign();
    let best = validated.as_ref().and_then(|values| {
        // Takes the first of equal values, as the search ranks them.
        (0..values.len()).rev().max_by(|a, b| (sign * values[*a]).total_cmp(&(sign * values[*b])))
    });
    if configurations.is_empty() {
        return None;
    }
    // A plan trains the search's best under more seeds than the others, whose spread stays unknown.
    let best = best.filter(|_| ladder.looks.is_none());
    let chosen = best.unwrap_or(0);
    let budget =
        ConfirmedBudget { budget: by.budget.clone(), chosen, chosen_anew: best.is_some(), configurations };
    Some(Confirmed { budget, trained })
}

fn configuration<'a>(
    by: &'a RetrainedTrials,
    rank: u64,
    ladder: &'a LadderTrials,
    options: &Options,
) -> Option<(ConfirmedConfiguration, Vec<Trained<'a>>)> {
    let planned = by.plan.iter().find(|one| one.rank == rank)?;
    let trained = by.of(&by.budget, rank, ladder);
    let (test, _) = Contrast::mean(&trained).estimate(options)?;
    let search = ladder.studies.iter().find(|study| study.budget.label == by.budget);
    let search = search.and_then(|study| study.trials.iter().find(|trial| trial.number == planned.trial));
    let on_validation: Option<Vec<f64>> =
        trained.iter().map(|one| one.trial.record.metrics.get(Retraining::VALIDATION).copied()).collect();
    let configuration = ConfirmedConfiguration {
        trial: planned.trial,
        params: planned.params.clone(),
        search: search.and_then(allometry_core::FrozenTrial::eligible_value),
        validation: on_validation.and_then(mean),
        test: ladder.within_range(test),
        seeds: trained.len() as u64,
    };
    Some((configuration, trained))
}
