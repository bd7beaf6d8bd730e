//! Advice that follows from a verdict.

use allometry_core::TrialNumber;

use super::Outcome;
use crate::confirmation::Confirmation;
use crate::input::LadderTrials;
use crate::scaling::{Judgement, Scaling, Withheld};
use crate::study::StudyAnalysis;

/// The configuration to choose and the next run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// The configuration to choose, where scaling was tested.
    pub take: Option<Take>,
    /// The next run, where scaling was not tested.
    pub next: Option<NextStep>,
    /// Whether the verdict rests on the search alone.
    pub is_provisional: bool,
    /// How configurations of this ladder can be trained again; `None` if they cannot.
    pub retraining: Option<Retraining>,
}

/// How the best configurations of a ladder are trained again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retraining {
    /// In rounds, until the verdict is decided.
    Plan,
    /// Equally often at each budget: for several objectives there is no plan.
    Confirm,
}

impl Retraining {
    pub(super) fn of(ladder: &LadderTrials) -> Option<Self> {
        let how = if ladder.metrics.are_several() { Self::Confirm } else { Self::Plan };
        ladder.can_confirm.then_some(how)
    }
}

/// A configuration to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Label of the budget.
    pub budget: String,
    /// The trial.
    pub trial: TrialNumber,
    /// The reason for the choice.
    pub reason: TakeReason,
}

/// Why a budget is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeReason {
    /// Values improve with size, also in the last step.
    BetterUpToLargest,
    /// The larger of two budgets is significantly better.
    LargerIsBetter,
    /// Every smaller budget has a larger one that is significantly better.
    EverySmallerIsWorse,
    /// Gains up to this budget are significant, gains beyond it are not.
    NoGainBeyond,
    /// The configurations of smaller budgets are significantly worse by their own test, and no larger budget
    /// has a significantly better one, although another search at each size may not show this.
    ConfigurationsDiffer,
    /// No larger budget is significantly better.
    NoLargerIsBetter,
    /// All differences are smaller than the smallest of interest.
    DifferencesAreSmall,
}

/// The next run where scaling was not tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Train the best configurations again under new seeds.
    TrainAgain,
    /// Search all budgets with the same method.
    SearchAlike,
    /// Repair the cause of trials that end without a value.
    RepairTrials,
    /// Prune trials of all budgets by the same rule.
    PruneAlike,
    /// Run more distinct trials.
    RunMoreTrials,
    /// Repeat each size, or run a search at each size.
    RepeatSizes,
    /// Use more validation rows.
    UseMoreRows,
    /// Find out why trials of other budgets have no value.
    CompleteOtherBudgets,
    /// Add budgets of other sizes.
    AddBudgets,
    /// Check the recorded values, which do not vary.
    CheckValues,
}

impl Advice {
    /// Returns the advice from the confirmation if there is one, otherwise from the search.
    pub(super) fn new(
        scaling: &Scaling,
        confirmation: Option<&Confirmation>,
        studies: &[StudyAnalysis],
    ) -> Self {
        let withheld = scaling.withheld.as_ref().filter(|_| confirmation.is_none());
        let headline = confirmation.map_or(scaling.judgement.as_ref(), Confirmation::headline);
        let take = |judgement| Take::new(judgement, confirmation, studies);
        // One configuration is taken, so that no larger one may be better by the test of configurations
        // either. Differences that are too small to matter remain so.
        let is_flat = headline.is_some_and(|one| one.outcome == Outcome::Flat);
        let alone = confirmation.and_then(|one| one.configurations.as_ref()).filter(|_| !is_flat);
        let take = match (headline.and_then(take), alone.and_then(take)) {
            (Some((_, place)), Some((take, larger))) if larger > place => {
                Some(Take { reason: TakeReason::ConfigurationsDiffer, ..take })
            }
            (take, _) => take.map(|(take, _)| take),
        };
        Self { take, next: withheld.map(|why| NextStep::after(why, studies)), ..Self::default() }
    }
}

impl Take {
    /// Returns what a test says to take, with its place among the budgets.
    fn new(
        judgement: &Judgement,
        confirmation: Option<&Confirmation>,
        studies: &[StudyAnalysis],
    ) -> Option<(Self, usize)> {
        let is_flat = judgement.outcome == Outcome::Flat;
        let smallest = judgement.values.first().filter(|_| is_flat).map(|value| value.budget.as_str());
        let budget = smallest.unwrap_or(&judgement.sufficient);
        let confirmed = confirmation.and_then(|one| one.budgets.iter().find(|one| one.budget == budget));
        let trial = match confirmed {
            Some(confirmed) => confirmed.chosen().trial,
            None => studies.iter().find(|study| study.budget.label == budget)?.to_take()?.0,
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
        Some((Self { budget: budget.to_owned(), trial, reason }, place))
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
