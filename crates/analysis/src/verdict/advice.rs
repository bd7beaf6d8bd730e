//! What to do.

use crate::confirmation::Confirmation;
use crate::scaling::{Scaling, Withheld};
use crate::study::StudyAnalysis;
use crate::verdict::Outcome;

/// What to take and what to run next.
pub(super) fn advice(
    scaling: &Scaling,
    confirmation: Option<&Confirmation>,
    studies: &[StudyAnalysis],
    is_provisional: bool,
    can_confirm: bool,
) -> String {
    let judged = confirmation.map_or(scaling.judgement.as_ref(), Confirmation::headline);
    let take = judged.and_then(|judgement| {
        let budget = judgement.sufficient.as_str();
        let confirmed = confirmation.and_then(|one| one.budgets.iter().find(|one| one.budget == budget));
        let trial = match confirmed {
            Some(confirmed) => confirmed.chosen().trial,
            None => recommended(studies, budget)?,
        };
        let place = judgement.values.iter().position(|value| value.budget == budget)?;
        let is_largest = place + 1 == judgement.values.len();
        let rises = judgement.outcome == Outcome::Holds;
        let over_last = judgement.last_step.as_ref().is_none_or(|step| step.is_told);
        let why = match (rises, is_largest) {
            (true, true) if place > 1 && over_last => {
                "values get better with size, over the last step too".to_owned()
            }
            (true, true) if place == 1 => "the larger size is told to be better".to_owned(),
            (_, true) => "every smaller size has a larger one that is told to be better".to_owned(),
            (true, false) if place > 0 => {
                format!("gains from smaller sizes upwards are told, and none from {budget} upwards is")
            }
            (_, false) => "no larger size is told to be better".to_owned(),
        };
        Some(format!("Take {budget}, trial {trial}: {why}."))
    });
    let next = match &scaling.withheld {
        _ if confirmation.is_some() => None,
        Some(Withheld::Adaptive { .. } | Withheld::SeeminglyAdaptive { .. }) if can_confirm => Some(
            "Run `allometry confirm`: it trains the best configuration of each budget again, under seeds that the search had no part in.",
        ),
        Some(Withheld::Adaptive { .. } | Withheld::SeeminglyAdaptive { .. }) => Some(
            "Train the best configuration of each budget again under five seeds, and add these trials: they are compared in place of the search.",
        ),
        Some(Withheld::SearchedDifferently { .. }) if can_confirm => {
            Some("Search all budgets in the same way, or run `allometry confirm`.")
        }
        Some(Withheld::SearchedDifferently { .. }) => Some("Search all budgets in the same way."),
        Some(Withheld::Lost { .. }) => Some(
            "Mend what makes trials fail, or record the values at which they were stopped, and run them again.",
        ),
        Some(Withheld::PrunedDifferently { .. }) if can_confirm => {
            Some("Stop trials of every budget by the same rule, or run `allometry confirm`.")
        }
        Some(Withheld::PrunedDifferently { .. }) => Some("Stop trials of every budget by the same rule."),
        Some(Withheld::FewTrials { .. }) if can_confirm => {
            Some("Run `allometry confirm`, or 10 distinct trials or more per budget.")
        }
        Some(Withheld::FewTrials { .. }) => Some(
            "Run 10 distinct trials or more per budget, or train the best configuration of each again under five seeds.",
        ),
        Some(Withheld::OneTrial { .. }) => {
            Some("Repeat each size under several seeds, or search it with 10 trials or more.")
        }
        Some(Withheld::TooFewRows { .. }) => Some("Use a longer validation part."),
        Some(Withheld::TooFewBudgets { .. }) if studies.len() > 1 => {
            Some("See why the trials of the other budgets have no value, and run them again.")
        }
        Some(Withheld::TooFewBudgets { .. } | Withheld::SameSizes) => Some("Add budgets of other sizes."),
        Some(Withheld::NothingVaries) => {
            Some("Look at what the trials record as their value: within a budget it never changes.")
        }
        None => None,
    };
    let provisional = is_provisional.then_some(if can_confirm {
        "This is provisional, for it rests on the search alone: run `allometry confirm`."
    } else {
        "This is provisional, for it compares searches and no configurations that were trained again."
    });
    let parts = [take.as_deref(), next, provisional];
    parts.into_iter().flatten().collect::<Vec<&str>>().join(" ")
}

/// The trial of a budget to take: the recommended one, else the best observed.
fn recommended(studies: &[StudyAnalysis], budget: &str) -> Option<allometry_core::TrialNumber> {
    let study = studies.iter().find(|study| study.budget.label == budget)?;
    let recommended = study.recommended.trial.as_ref().map(|trial| trial.number);
    recommended.or_else(|| Some(study.summary.incumbent()?.number))
}
