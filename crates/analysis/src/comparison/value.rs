//! Comparison of the values that one budget's searches reach in two ladders.

use allometry_core::{Direction, SizeBudget};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::effort::FEWEST;
use crate::estimate::{Estimate, Method};
use crate::input::{LadderTrials, StudyTrials};
use crate::options::Options;
use crate::scaling::{
    BudgetPart, Budgets, Configuration, EraGain, Quantity, Share, Source, Units, best_of_k, best_part,
    choose_k, configurations,
};
use crate::stats::auc;

/// The better of two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// A is significantly better.
    A,
    /// B is significantly better.
    B,
    /// The difference is smaller than the smallest difference of interest.
    Equivalent,
    /// The data do not decide.
    Undecided,
    /// The data that a decision needs are missing.
    Unknown,
}

/// The reason why two searches are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotCompared {
    /// A search chose later trials by earlier ones, so that its trials are not a random sample.
    Adaptive,
    /// A search has fewer than ten distinct configurations.
    FewTrials,
    /// Nothing varies.
    NothingVaries,
    /// The series of rows is too short for its dependence.
    TooFewRows,
}

/// Value of B's search less the value of A's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueDifference {
    /// The compared quantity; `null` where both searches are identical.
    #[serde(default)]
    pub quantity: Option<Quantity>,
    /// Difference in the metric: positive where B's value is larger, whether or not larger is better.
    pub difference: Estimate,
    /// The sources of its error.
    #[serde(default)]
    pub shares: Vec<Share>,
    /// Sources with unknown variance, which the error leaves out.
    #[serde(default)]
    pub left_out: Vec<Source>,
    /// The difference on each era of walk-forward folds, in their order; empty without folds, and where both
    /// were not scored on the same rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eras: Vec<EraGain>,
    /// The reason why the difference has no error.
    #[serde(default)]
    pub not_compared: Option<NotCompared>,
    /// Two-sided p-value for zero; 1 where both have the same trials.
    pub p: Option<f64>,
    /// The p-value after Holm's adjustment over the budgets of both ladders.
    pub p_holm: Option<f64>,
}

impl ValueDifference {
    /// Compares the studies at the given positions of A and B; `None` where one has no trial.
    pub(super) fn new(
        a: (&Side<'_>, usize),
        b: (&Side<'_>, usize),
        identical: bool,
        options: &Options,
    ) -> Option<Self> {
        let observed = |(side, position): (&Side<'_>, usize)| {
            Some(side.analysis.studies[position].summary.incumbent()?.value.point)
        };
        let best = observed(b)? - observed(a)?;
        let mut found = Self {
            quantity: None,
            difference: Estimate::observed(best, options),
            shares: Vec::new(),
            left_out: Vec::new(),
            eras: Vec::new(),
            not_compared: None,
            p: None,
            p_holm: None,
        };
        if identical || are_same_trials(a, b) {
            found.difference = Estimate::normal(0.0, 0.0, Method::Identical, options);
            found.p = Some(1.0);
            return Some(found);
        }
        match found.weigh(a, b, options) {
            Ok(()) => {}
            Err(why) => found.not_compared = Some(why),
        }
        Some(found)
    }

    fn weigh(
        &mut self,
        a: (&Side<'_>, usize),
        b: (&Side<'_>, usize),
        options: &Options,
    ) -> Result<(), NotCompared> {
        let is_sample = |(side, position): (&Side<'_>, usize)| {
            side.analysis.scaling.searches.get(position).is_none_or(|kind| kind.is_independent())
        };
        if !is_sample(a) || !is_sample(b) {
            return Err(NotCompared::Adaptive);
        }
        let (quantity, parts) = match parts_of_trials(a, b) {
            Some(parts) => parts?,
            None => parts_of_summaries(a, b)?,
        };
        let sign = a.0.analysis.direction.sign();
        let budgets = Budgets::new(parts).map_err(|_| NotCompared::TooFewRows)?;
        let summed = budgets.sum(&[-sign, sign], options).map_err(|_| NotCompared::TooFewRows)?;
        self.eras = budgets.of_eras(&[-sign, sign], sign, options);
        self.quantity = Some(quantity);
        self.difference = summed.estimate;
        self.shares = summed.shares;
        self.p = summed.p;
        if !budgets.knows_rows() {
            self.left_out.push(Source::Rows);
        }
        if summed.p.is_none() { Err(NotCompared::NothingVaries) } else { Ok(()) }
    }

    /// Returns the first that applies: unknown (no data), undecided (no error), equivalent (interval inside
    /// the smallest effect), better (p after Holm's adjustment below `1 - level`), undecided.
    pub(super) fn preference(&self, direction: Direction, options: &Options) -> Preference {
        match (self.difference.interval, self.not_compared) {
            (_, Some(NotCompared::NothingVaries)) => Preference::Unknown,
            (Some(interval), None) if interval.is_within(options.effect()) => Preference::Equivalent,
            (Some(_), None) if self.p_holm.is_some_and(|p| p < 1.0 - options.level) => {
                if direction.better(self.difference.point, 0.0) { Preference::B } else { Preference::A }
            }
            _ => Preference::Undecided,
        }
    }
}

type Parts<'s> = (Quantity, Vec<BudgetPart<'s>>);

fn study_of<'s>((side, position): (&Side<'s>, usize)) -> Option<(&'s StudyTrials, &'s LadderTrials)> {
    let ladder = side.trials?;
    Some((ladder.studies.get(position)?, ladder))
}

/// Whether both have the same configurations with equal values.
fn are_same_trials(a: (&Side<'_>, usize), b: (&Side<'_>, usize)) -> bool {
    let (Some((first, _)), Some((second, _))) = (study_of(a), study_of(b)) else { return false };
    let same = |(a, b): (&allometry_core::FrozenTrial, &allometry_core::FrozenTrial)| {
        a.params == b.params && a.value() == b.value() && a.state == b.state
    };
    first.trials.len() == second.trials.len() && first.trials.iter().zip(&second.trials).all(same)
}

/// Returns the expected best of `k` trials of both, with one `k`; `None` where the trials of one are not
/// available.
fn parts_of_trials<'s>(
    a: (&Side<'s>, usize),
    b: (&Side<'s>, usize),
) -> Option<Result<Parts<'s>, NotCompared>> {
    let both = [study_of(a)?, study_of(b)?];
    let of = |(study, ladder): (&'s StudyTrials, &'s LadderTrials)| configurations(study, ladder, |_| true);
    let found = both.map(of);
    let values = found.each_ref().map(|all| all.iter().map(Configuration::mean).collect::<Vec<f64>>());
    if values.iter().any(|values| values.len() < FEWEST) {
        return Some(Err(NotCompared::FewTrials));
    }
    let k = choose_k(&values);
    let parts = both.iter().zip(&found).zip(&values).map(|(((study, ladder), found), values)| {
        Some(best_part(study, found, &best_of_k(values, k)?, ladder))
    });
    let parts = parts.collect::<Option<Vec<_>>>().ok_or(NotCompared::FewTrials);
    Some(parts.map(|parts| (Quantity::BestOf { k: k as u64 }, parts)))
}

/// Returns the means of all trials from the summaries in reports.
fn parts_of_summaries<'s>(a: (&Side<'s>, usize), b: (&Side<'s>, usize)) -> Result<Parts<'s>, NotCompared> {
    let part = |(side, position): (&Side<'s>, usize)| {
        let analysis = side.analysis;
        let study = &analysis.studies[position];
        let (mean, sd) = study.summary.mean.zip(study.summary.sd).ok_or(NotCompared::FewTrials)?;
        let label = &study.budget.label;
        let budget = SizeBudget::nominal(label);
        // Counts give errors as if rows were independent, which those of several series are not.
        let is_single = analysis.per_series.is_none();
        let rows = analysis.rows.filter(|_| is_single && crate::input::is_auc(&analysis.metric));
        let by_counts = rows.and_then(|rows| auc::hanley_mcneil(mean, rows));
        let trials = study.duplicates.configurations;
        if trials < FEWEST as u64 {
            return Err(NotCompared::FewTrials);
        }
        Ok(BudgetPart {
            weights: budget.nominal_weights(),
            value: analysis.direction.sign() * mean,
            units: Some(Units::of_sample(sd * sd, trials)),
            by_counts,
            ..BudgetPart::named(label)
        })
    };
    Ok((Quantity::Mean, vec![part(a)?, part(b)?]))
}
