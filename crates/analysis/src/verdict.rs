//! Whether more weights pay, in words that a person can repeat.

mod advice;
mod words;

use allometry_core::size::human_weights;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::confirmation::Confirmation;
use crate::input::LadderTrials;
use crate::number::quoted;
use crate::options::Options;
use crate::scaling::{Quantity, Scaling};
use crate::study::StudyAnalysis;

pub(crate) use words::conclude;

/// The conclusion on scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The metric rises with size, and no larger budget is told to be worse than a smaller one.
    Holds,
    /// The metric falls with size, or a larger budget is told to be worse than a smaller one.
    Violated,
    /// Every difference is smaller than what is of interest.
    Flat,
    /// The trials do not tell.
    Undecided,
    /// What would be needed to tell was not given.
    Unknown,
}

impl Outcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "Holds",
            Self::Violated => "Violated",
            Self::Flat => "Flat",
            Self::Undecided => "Undecided",
            Self::Unknown => "Unknown",
        }
    }
}

/// What a piece of evidence looks at.
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

/// Something that the conclusion rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What it looks at.
    pub basis: EvidenceBasis,
    /// In words, with its numbers.
    pub statement: String,
}

/// Something that the conclusion does not take into account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Caveat {
    /// In words.
    pub statement: String,
}

/// A conclusion with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The conclusion.
    pub outcome: Outcome,
    /// It and its main reason, to be repeated.
    pub sentence: String,
    /// What its error covers and what it leaves out; empty where there is no error.
    #[serde(default)]
    pub covers: String,
    /// What to do.
    #[serde(default)]
    pub advice: String,
    /// Whether it rests on the search alone, so that a confirmation would replace it.
    #[serde(default)]
    pub is_provisional: bool,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What it does not take into account.
    pub caveats: Vec<Caveat>,
}

impl Verdict {
    /// Concludes from the confirmation, where there is one of two budgets or more, else from the search.
    pub(crate) fn new(
        scaling: &Scaling,
        confirmation: Option<&Confirmation>,
        studies: &[StudyAnalysis],
        ladder: &LadderTrials,
        options: &Options,
    ) -> Self {
        let confirmed = confirmation.and_then(|confirmation| words::confirmed(confirmation, ladder, options));
        let is_confirmed = confirmed.is_some();
        let words::Conclusion { outcome, mut sentence, covers } = confirmed.unwrap_or_else(|| {
            conclude(
                scaling.judgement.as_ref(),
                scaling.withheld.as_ref(),
                &scaling.differences,
                ladder,
                options,
            )
        });
        if let Some(disorder) = size_disorder(studies) {
            sentence = format!("{sentence} And: {disorder}");
        }
        let rests_on_search = matches!(
            scaling.judgement.as_ref().map(|judgement| judgement.quantity),
            Some(Quantity::BestOf { .. })
        );
        let is_told = matches!(outcome, Outcome::Holds | Outcome::Violated | Outcome::Flat);
        let is_provisional = !is_confirmed && rests_on_search && is_told;
        Self {
            outcome,
            sentence,
            covers,
            advice: advice::advice(
                scaling,
                confirmation.filter(|_| is_confirmed),
                studies,
                is_provisional,
                ladder.can_confirm,
            ),
            is_provisional,
            evidence: words::evidence(scaling, ladder, options),
            caveats: words::caveats(scaling, studies, is_confirmed),
        }
    }

    /// The answer, what it covers and what to do, as one paragraph.
    pub fn paragraph(&self) -> String {
        let parts = [&self.sentence, &self.covers, &self.advice];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

/// The winners that are smaller than the winner of the budget before, in one sentence.
pub(crate) fn size_disorder(studies: &[StudyAnalysis]) -> Option<String> {
    let sized: Vec<(&str, u64)> = studies
        .iter()
        .filter_map(|study| Some((study.budget.label.as_str(), study.sizes.best?.total)))
        .collect();
    let parts: Vec<String> = sized
        .windows(2)
        .filter(|pair| pair[1].1 < pair[0].1)
        .map(|pair| {
            let [(before, larger), (label, smaller)] = [pair[0], pair[1]];
            format!(
                "the {} winner has {} weights, fewer than the {} winner ({})",
                quoted(label),
                human_weights(smaller as f64),
                quoted(before),
                human_weights(larger as f64)
            )
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("; ") + ".")
}
