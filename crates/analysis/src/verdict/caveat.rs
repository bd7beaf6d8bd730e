//! The limits of a verdict.

use super::Caveat;
use crate::scaling::{Judgement, Quantity, Scaling, SizeOrder};
use crate::statement::Statement;
use crate::study::StudyAnalysis;

/// A limit of a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum CaveatReason {
    /// The observed best of many trials is biased towards better values.
    BestIsBiased {
        /// Bias of each budget; empty where it is not known.
        optimism: Vec<Optimism>,
    },
    /// The expected best of several trials depends on their spread.
    BestDependsOnSpread,
    /// The mean trial says little about the best of many.
    MeanIsNotBest,
    /// The origin of the trials is not recorded.
    ChoiceUnrecorded,
    /// Two neighbouring budgets have models of one size.
    SameSize {
        /// Label of the first.
        smaller: String,
        /// Label of the second.
        larger: String,
    },
    /// Test rows give no new information to a search that has used them.
    TestRowsOnce,
    /// Sizes are not known.
    SizesUnknown,
    /// The exact sizes and the labels have different orders.
    OrderOfSizes,
    /// Labels of budgets are not the sizes of their best models.
    LabelsAreNotSizes,
}

/// The bias of a budget's observed best: its difference from the corrected best.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimism {
    /// Label of the budget.
    pub budget: String,
    /// The bias.
    pub bias: f64,
}

/// Returns the limits of the conclusion.
pub(super) fn caveats(scaling: &Scaling, studies: &[StudyAnalysis], is_confirmed: bool) -> Vec<Caveat> {
    let judgement = scaling.judgement.as_ref();
    let of_search = judgement.filter(|_| !is_confirmed);
    let quantity = of_search.map(|judgement| judgement.quantity);
    let same_size = judgement.and_then(Judgement::of_one_size);
    let is_off_label = |budget: &str| {
        studies.iter().any(|study| study.budget.label == budget && study.sizes.best_is_off_label())
    };
    let is_out_of_order =
        scaling.order == SizeOrder::Exact && !StudyAnalysis::size_reversals(studies).is_empty();
    let applies = |condition: bool, reason: CaveatReason| condition.then_some(reason);
    let reasons = [
        applies(
            studies.iter().any(|study| study.summary.trials > 1),
            CaveatReason::BestIsBiased { optimism: optimism(scaling) },
        ),
        applies(matches!(quantity, Some(Quantity::BestOf { k: 2.. })), CaveatReason::BestDependsOnSpread),
        applies(matches!(quantity, Some(Quantity::BestOf { k: 1 })), CaveatReason::MeanIsNotBest),
        applies(quantity.is_some() && scaling.is_unrecorded, CaveatReason::ChoiceUnrecorded),
        same_size.map(|(smaller, larger)| CaveatReason::SameSize {
            smaller: smaller.to_owned(),
            larger: larger.to_owned(),
        }),
        applies(is_confirmed, CaveatReason::TestRowsOnce),
        applies(judgement.is_some_and(|one| !one.is_per_decade), CaveatReason::SizesUnknown),
        applies(is_out_of_order, CaveatReason::OrderOfSizes),
        applies(
            scaling.points.iter().any(|point| is_off_label(&point.budget)),
            CaveatReason::LabelsAreNotSizes,
        ),
    ];
    let caveat = |reason| Caveat { statement: Statement::Reason(reason) };
    reasons.into_iter().flatten().map(caveat).collect()
}

/// Returns the bias of each budget from choosing the best of many trials.
fn optimism(scaling: &Scaling) -> Vec<Optimism> {
    let corrected = scaling.resampled.iter().flat_map(|resampled| &resampled.corrected);
    corrected.map(|one| Optimism { budget: one.budget.clone(), bias: one.optimism }).collect()
}
