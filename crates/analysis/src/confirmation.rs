//! What the best configurations of each budget are worth on rows that nothing was chosen by, and whether more weights pay there.

use std::fmt::Write as _;

use allometry_core::confirm::VALIDATION;
use allometry_core::{Params, TrialNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Interval};
use crate::input::LadderTrials;
use crate::number::counted;
use crate::options::Options;
use crate::retrained::{Contrast, Outcome, RetrainedTrials, Trained, counts, in_order};
use crate::stats::holm::adjust_known;
use crate::stats::moments::mean;

/// Configurations trained anew under fresh seeds and judged by the test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmation {
    /// Whether more weights pay on test rows, in words.
    pub sentence: String,
    /// Trainings that were planned.
    pub planned: u64,
    /// Of these, those that ended with a value.
    pub complete: u64,
    /// One per budget that trained something, in the ladder's order.
    pub budgets: Vec<ConfirmedBudget>,
    /// Every budget's chosen configuration against that of each budget after it.
    pub comparisons: Vec<ConfirmedComparison>,
}

/// The best configurations of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedBudget {
    /// Its label.
    pub budget: String,
    /// Place in `configurations` of the one that the budget is judged by.
    pub chosen: usize,
    /// Whether it is the best on the validation rows when trained anew; otherwise it is the best of the search, since not all say
    /// how they did there.
    pub chosen_anew: bool,
    /// The best of the search first.
    pub configurations: Vec<ConfirmedConfiguration>,
}

/// One configuration, trained anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedConfiguration {
    /// Its trial in the search.
    pub trial: TrialNumber,
    /// What was trained.
    pub params: Params,
    /// Its value in the search.
    pub search: Option<f64>,
    /// Mean value on the validation rows over the fresh seeds, where all trainings say it. Below `search` for the luck that the search's
    /// best has.
    pub validation: Option<f64>,
    /// Mean value on the test rows.
    pub test: Estimate,
    /// Number of fresh seeds.
    pub seeds: u64,
}

/// Two budgets on the test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfirmedComparison {
    /// Label of the earlier budget of the ladder.
    pub smaller: String,
    /// Label of the later one.
    pub larger: String,
    /// What the larger gains over the smaller under the same seeds; above 0 where it is better.
    pub gain: Estimate,
    /// p-value of no gain; `null` where it has no error.
    pub p: Option<f64>,
    /// The same adjusted by Holm's method over all comparisons.
    pub p_holm: Option<f64>,
    /// What that says.
    pub outcome: GainOutcome,
}

/// What a comparison of two budgets says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GainOutcome {
    /// The larger is better, by Holm's method.
    Pays,
    /// The smaller is better, by Holm's method.
    Harms,
    /// Whatever the difference, it is smaller than the smallest effect of interest.
    Nothing,
    /// None of these is told.
    Undecided,
}

impl GainOutcome {
    /// The word for it.
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
    /// `None` where nothing was trained.
    pub(crate) fn new(ladder: &LadderTrials, options: &Options) -> Option<Self> {
        let trained = in_order(&ladder.confirmations, ladder);
        let (planned, complete) = counts(&trained, ladder);
        let found: Vec<(ConfirmedBudget, Vec<Trained<'_>>)> =
            trained.iter().filter_map(|by| budget(by, ladder, options)).collect();
        if found.is_empty() {
            return None;
        }
        let mut comparisons = Vec::new();
        for (place, (smaller, of_smaller)) in found.iter().enumerate() {
            for (larger, of_larger) in &found[place + 1..] {
                let gain = Contrast::difference(of_larger, of_smaller, ladder.direction.sign());
                comparisons.extend(gain.estimate(options).map(|(gain, p)| ConfirmedComparison {
                    smaller: smaller.budget.clone(),
                    larger: larger.budget.clone(),
                    gain,
                    p,
                    p_holm: None,
                    outcome: GainOutcome::Undecided,
                }));
            }
        }
        let adjusted = adjust_known(comparisons.iter().map(|comparison| comparison.p));
        for (comparison, p_holm) in comparisons.iter_mut().zip(adjusted) {
            comparison.p_holm = p_holm;
            comparison.outcome = Outcome::new(&comparison.gain, p_holm, options).into();
        }
        let budgets = found.into_iter().map(|(budget, _)| budget).collect();
        let sentence = sentence(&comparisons, planned - complete, options);
        Some(Self { sentence, planned, complete, budgets, comparisons })
    }
}

fn sentence(comparisons: &[ConfirmedComparison], missing: u64, options: &Options) -> String {
    let told = |outcome| comparisons.iter().filter(move |comparison| comparison.outcome == outcome);
    let words = |comparison: &ConfirmedComparison| {
        let ConfirmedComparison { smaller, larger, gain, .. } = comparison;
        match comparison.outcome {
            GainOutcome::Pays => format!("{larger} is better than {smaller} by {:.4}", gain.point),
            GainOutcome::Harms => format!("{larger} is worse than {smaller} by {:.4}", -gain.point),
            _ => format!("{larger} is no better and no worse than {smaller}"),
        }
    };
    let found: Vec<String> = [GainOutcome::Pays, GainOutcome::Harms, GainOutcome::Nothing]
        .into_iter()
        .flat_map(|outcome| told(outcome).map(words))
        .collect();
    let undecided = told(GainOutcome::Undecided).count() as u64;
    let mut sentence = match (comparisons.is_empty(), found.is_empty(), undecided) {
        (true, ..) => return "One budget was confirmed: there is nothing to compare it with.".into(),
        (_, true, _) => {
            "Undecided: no difference stands out of its error, and none is told to be small".into()
        }
        (_, _, 0) => found.join("; "),
        _ => format!("{}; {} undecided", found.join("; "), counted(undecided, "comparison")),
    };
    let tests = comparisons.iter().filter(|comparison| comparison.p.is_some()).count() as u64;
    let (tests, smallest) = (counted(tests, "test"), options.effect());
    let _ = write!(sentence, " (Holm, {tests}; smaller than {smallest} counts as nothing).");
    if missing > 0 {
        let _ = write!(
            sentence,
            " {} without a value: `allometry confirm` goes on with them.",
            counted(missing, "training")
        );
    }
    sentence
}

impl ConfirmedBudget {
    /// The configuration that the budget is judged by.
    pub fn chosen(&self) -> &ConfirmedConfiguration {
        &self.configurations[self.chosen]
    }
}

/// What a budget's best configurations gave, and the trainings of the one that it is judged by.
fn budget<'a>(
    by: &'a RetrainedTrials,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<(ConfirmedBudget, Vec<Trained<'a>>)> {
    let ranks: std::collections::BTreeSet<u64> = by.plan.iter().map(|one| one.rank).collect();
    let (configurations, mut trained): (Vec<_>, Vec<_>) =
        ranks.into_iter().filter_map(|rank| configuration(by, rank, ladder, options)).unzip();
    let validated: Option<Vec<f64>> = configurations.iter().map(|one| one.validation).collect();
    let sign = ladder.direction.sign();
    let best = validated.as_ref().and_then(|values| {
        // The first of equals, as the search ranks them.
        (0..values.len()).rev().max_by(|a, b| (sign * values[*a]).total_cmp(&(sign * values[*b])))
    });
    let chosen = best.unwrap_or(0);
    if configurations.is_empty() {
        return None;
    }
    let budget =
        ConfirmedBudget { budget: by.budget.clone(), chosen, chosen_anew: best.is_some(), configurations };
    Some((budget, trained.swap_remove(chosen)))
}

fn configuration<'a>(
    by: &'a RetrainedTrials,
    rank: u64,
    ladder: &LadderTrials,
    options: &Options,
) -> Option<(ConfirmedConfiguration, Vec<Trained<'a>>)> {
    let planned = by.plan.iter().find(|one| one.rank == rank)?;
    let trained = by.of(&by.budget, rank, ladder);
    let (mut test, _) = Contrast::mean(&trained).estimate(options)?;
    if ladder.measures_auc() {
        test.interval = test.interval.map(Interval::of_auc);
    }
    let search = ladder.studies.iter().find(|study| study.budget.label == by.budget);
    let search = search.and_then(|study| study.trials.iter().find(|trial| trial.number == planned.trial));
    let on_validation: Option<Vec<f64>> =
        trained.iter().map(|one| one.trial.record.metrics.get(VALIDATION).copied()).collect();
    let configuration = ConfirmedConfiguration {
        trial: planned.trial,
        params: planned.params.clone(),
        search: search.and_then(allometry_core::FrozenTrial::complete_value),
        validation: on_validation.and_then(mean),
        test,
        seeds: trained.len() as u64,
    };
    Some((configuration, trained))
}
