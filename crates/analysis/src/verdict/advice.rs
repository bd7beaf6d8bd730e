//! What to do after a verdict.

use allometry_core::TrialNumber;

use super::Outcome;
use crate::confirmation::Confirmation;
use crate::scaling::{Judgement, Scaling, Withheld};
use crate::study::StudyAnalysis;

/// What to take and what to run next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// The configuration to take, where there is a test of scale.
    pub take: Option<Take>,
    /// What to run next, where there is none.
    pub next: Option<NextStep>,
    /// Whether the verdict rests on the search alone.
    pub is_provisional: bool,
    /// Whether `allometry confirm` can train configurations of this ladder again.
    pub can_confirm: bool,
}

/// A configuration to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Label of the budget.
    pub budget: String,
    /// The trial.
    pub trial: TrialNumber,
    /// Why.
    pub reason: TakeReason,
}

/// Why a budget is the one to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeReason {
    /// Values get better with size, over the last step too.
    BetterUpToLargest,
    /// The larger of two budgets is told to be better.
    LargerIsBetter,
    /// Every smaller budget has a larger one that is told to be better.
    EverySmallerIsWorse,
    /// Gains up to this budget are told, gains beyond it are not.
    NoGainBeyond,
    /// No larger budget is told to be better.
    NoLargerIsBetter,
    /// All differences are smaller than the smallest of interest.
    DifferencesAreSmall,
}

/// What to run next where scale was not tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Train the best configurations again under new seeds.
    TrainAgain,
    /// Search all budgets in the same way.
    SearchAlike,
    /// Repair what makes trials end without a value.
    RepairTrials,
    /// Stop trials of all budgets by the same rule.
    PruneAlike,
    /// Run more distinct trials.
    RunMoreTrials,
    /// Repeat each size, or search it.
    RepeatSizes,
    /// Use more validation rows.
    UseMoreRows,
    /// Find out why trials of other budgets have no value.
    CompleteOtherBudgets,
    /// Add budgets of other sizes.
    AddBudgets,
    /// Check the recorded values, which never change.
    CheckValues,
}

impl Advice {
    /// Advises by the confirmation where there is one, else by the search.
    pub(super) fn new(
        scaling: &Scaling,
        confirmation: Option<&Confirmation>,
        studies: &[StudyAnalysis],
    ) -> Self {
        let judged = confirmation.map_or(scaling.judgement.as_ref(), Confirmation::headline);
        let withheld = scaling.withheld.as_ref().filter(|_| confirmation.is_none());
        Self {
            take: judged.and_then(|judgement| Take::new(judgement, confirmation, studies)),
            next: withheld.map(|why| NextStep::after(why, studies)),
            ..Self::default()
        }
    }
}

impl Take {
    fn new(
        judgement: &Judgement,
        confirmation: Option<&Confirmation>,
        studies: &[StudyAnalysis],
    ) -> Option<Self> {
        let is_flat = judgement.outcome == Outcome::Flat;
        let smallest = judgement.values.first().filter(|_| is_flat).map(|value| value.budget.as_str());
        let budget = smallest.unwrap_or(&judgement.sufficient);
        let confirmed = confirmation.and_then(|one| one.budgets.iter().find(|one| one.budget == budget));
        let trial = match confirmed {
            Some(confirmed) => confirmed.chosen().trial,
            None => recommended(studies, budget)?,
        };
        let place = judgement.values.iter().position(|value| value.budget == budget)?;
        let is_largest = place + 1 == judgement.values.len();
        let rises = judgement.outcome == Outcome::Holds;
        let over_last = judgement.last_step.as_ref().is_none_or(|step| step.is_told);
        let reason = match (rises, is_largest) {
            _ if is_flat => TakeReason::DifferencesAreSmall,
            (true, true) if place > 1 && over_last => TakeReason::BetterUpToLargest,
            (true, true) if place == 1 => TakeReason::LargerIsBetter,
            (_, true) => TakeReason::EverySmallerIsWorse,
            (true, false) if place > 0 => TakeReason::NoGainBeyond,
            (_, false) => TakeReason::NoLargerIsBetter,
        };
        Some(Self { budget: budget.to_owned(), trial, reason })
    }
}

impl NextStep {
    fn after(why: &Withheld, studies: &[StudyAnalysis]) -> Self {
        match why {
            Withheld::Adaptive { .. } | Withheld::SeeminglyAdaptive { .. } => Self::TrainAgain,
            Withheld::SearchedDifferently { .. } => Self::SearchAlike,
            Withheld::Lost { .. } => Self::RepairTrials,
            Withheld::PrunedDifferently { .. } => Self::PruneAlike,
            Withheld::FewTrials { .. } => Self::RunMoreTrials,
            Withheld::OneTrial { .. } => Self::RepeatSizes,
            Withheld::TooFewRows { .. } => Self::UseMoreRows,
            Withheld::TooFewBudgets { .. } if studies.len() > 1 => Self::CompleteOtherBudgets,
            Withheld::TooFewBudgets { .. } | Withheld::SameSizes => Self::AddBudgets,
            Withheld::NothingVaries => Self::CheckValues,
        }
    }
}

/// Returns the trial of a budget to take: the recommended one, else the best observed.
fn recommended(studies: &[StudyAnalysis], budget: &str) -> Option<TrialNumber> {
    let study = studies.iter().find(|study| study.budget.label == budget)?;
    let recommended = study.recommended.trial.as_ref().map(|trial| trial.number);
    recommended.or_else(|| Some(study.summary.incumbent()?.number))
}
