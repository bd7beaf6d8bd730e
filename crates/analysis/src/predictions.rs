//! Predictions of a study's trials on common validation rows.

use allometry_core::{Predictions, TrialNumber};

use crate::outputs::{Outputs, StudyOutputs};
use crate::scores::{Scores, StudyScores};

/// Predictions of a study's trials on common validation rows, all for one kind of label.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyPredictions(Kept);

#[derive(Debug, Clone, Default, PartialEq)]
enum Kept {
    /// No predictions.
    #[default]
    Nothing,
    /// Predictions for a binary label.
    Binary(StudyScores),
    /// Predictions for classes or numbers.
    Other(StudyOutputs),
}

impl StudyPredictions {
    /// Stores the predictions of a trial. Returns `false` and stores nothing if they are for other rows or
    /// another kind of label than those stored before, have unequal lengths, or are not all finite.
    pub fn insert(&mut self, trial: TrialNumber, predictions: impl Into<Predictions>) -> bool {
        if let Kept::Nothing = self.0 {
            let mut first = match predictions.into() {
                Predictions::Binary(scores) => {
                    let mut kept = StudyScores::default();
                    kept.insert(trial, scores).then_some(Kept::Binary(kept))
                }
                Predictions::Other(outputs) => {
                    let mut kept = StudyOutputs::default();
                    kept.insert(trial, outputs).then_some(Kept::Other(kept))
                }
            };
            self.0 = first.take().unwrap_or_default();
            return !self.is_empty();
        }
        match (&mut self.0, predictions.into()) {
            (Kept::Binary(kept), Predictions::Binary(scores)) => kept.insert(trial, scores),
            (Kept::Other(kept), Predictions::Other(outputs)) => kept.insert(trial, outputs),
            _ => false,
        }
    }

    /// Returns the predictions of a trial for a binary label, if stored.
    pub fn scores(&self, trial: TrialNumber) -> Option<Scores<'_>> {
        self.binary()?.of(trial)
    }

    /// Returns the predictions of a trial for classes or numbers, if stored.
    pub fn outputs(&self, trial: TrialNumber) -> Option<Outputs<'_>> {
        self.other()?.of(trial)
    }

    /// Returns the predictions of the first trial for a binary label; they define the rows.
    pub(crate) fn first_scores(&self) -> Option<Scores<'_>> {
        self.binary()?.first()
    }

    /// Returns the predictions of the first trial for classes or numbers; they define the rows.
    pub(crate) fn first_outputs(&self) -> Option<Outputs<'_>> {
        self.other()?.first()
    }

    /// Whether no predictions are stored.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Kept::Nothing)
    }

    /// Whether the predictions are for classes or numbers.
    pub(crate) fn are_other(&self) -> bool {
        matches!(self.0, Kept::Other(_))
    }

    fn binary(&self) -> Option<&StudyScores> {
        if let Kept::Binary(kept) = &self.0 { Some(kept) } else { None }
    }

    fn other(&self) -> Option<&StudyOutputs> {
        if let Kept::Other(kept) = &self.0 { Some(kept) } else { None }
    }
}

/// Stores the predictions that are for the rows of the first ones.
impl<P: Into<Predictions>> FromIterator<(TrialNumber, P)> for StudyPredictions {
    fn from_iter<I: IntoIterator<Item = (TrialNumber, P)>>(predictions: I) -> Self {
        let mut kept = Self::default();
        for (trial, predictions) in predictions {
            kept.insert(trial, predictions);
        }
        kept
    }
}
