//! The verdict on scaling: whether more weights pay, with reasons and next steps.

mod advice;
mod caveat;
mod conclusion;
mod evidence;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use advice::{Advice, NextStep, Retraining, Take, TakeReason};
pub use caveat::{CaveatReason, Optimism};
pub(crate) use conclusion::Conclusion;
pub use conclusion::{Answer, Covers, Gain, GainStep, Headline, RowsCovered};
pub use evidence::EvidenceReason;

pub use crate::outcome::Outcome;

use crate::confirmation::Confirmation;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scaling::{Quantity, Scaling};
use crate::statement::Statement;
use crate::study::StudyAnalysis;

/// The data behind a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceBasis {
    /// Two budgets.
    Difference,
    /// All budgets over their sizes.
    Trend,
    /// Resampled validation rows.
    Rows,
}

/// A piece of evidence for the conclusion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The data behind it.
    pub basis: EvidenceBasis,
    /// The evidence in words, with its numbers.
    pub statement: Statement<EvidenceReason>,
}

/// A limit of the conclusion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Caveat {
    /// In words.
    pub statement: Statement<CaveatReason>,
}

/// A conclusion with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The conclusion.
    pub outcome: Outcome,
    /// The conclusion and its main reason in one sentence.
    pub sentence: Statement<Headline>,
    /// The sources of variation that the error of the verdict covers and leaves out; empty without an error.
    #[serde(default)]
    pub covers: Statement<Option<Covers>>,
    /// The next steps.
    #[serde(default)]
    pub advice: Statement<Advice>,
    /// Whether the verdict uses the search alone, so that a confirmation would replace it.
    #[serde(default)]
    pub is_provisional: bool,
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// The limits of the conclusion.
    pub caveats: Vec<Caveat>,
}

impl Verdict {
    /// Draws the conclusion from the confirmation, if there is one of two budgets or more, otherwise from the
    /// search.
    pub(crate) fn new(
        scaling: &Scaling,
        confirmation: Option<&Confirmation>,
        studies: &[StudyAnalysis],
        ladder: &LadderTrials,
        options: &Options,
    ) -> Self {
        let confirmed = confirmation.and_then(|confirmation| Conclusion::confirmed(confirmation, options));
        let is_confirmed = confirmed.is_some();
        let Conclusion { outcome, answer, alone, covers } = confirmed.unwrap_or_else(|| {
            Conclusion::new(
                scaling.judgement.as_ref(),
                scaling.withheld.as_ref(),
                &scaling.differences,
                options,
            )
        });
        let out_of_order = StudyAnalysis::size_reversals(studies);
        let rests_on_search = matches!(
            scaling.judgement.as_ref().map(|judgement| judgement.quantity),
            Some(Quantity::BestOf { .. })
        );
        let is_told = matches!(outcome, Outcome::Holds | Outcome::Violated | Outcome::Flat);
        let is_provisional = !is_confirmed && rests_on_search && is_told;
        let advice = Advice {
            is_provisional,
            retraining: Retraining::of(ladder),
            ..Advice::new(scaling, confirmation.filter(|_| is_confirmed), studies)
        };
        Self {
            outcome,
            sentence: Statement::Reason(Headline { answer, alone, out_of_order }),
            covers: Statement::Reason(covers),
            advice: Statement::Reason(advice),
            is_provisional,
            evidence: evidence::evidence(scaling),
            caveats: caveat::caveats(scaling, studies, is_confirmed),
        }
    }
}
