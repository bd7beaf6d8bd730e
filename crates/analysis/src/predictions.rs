//! What the trials of a study predict for the same validation rows.

use allometry_core::{Predictions, TrialNumber};

use crate::outputs::{Outputs, StudyOutputs};
use crate::scores::{Scores, StudyScores};

/// What the trials of a study predict for the same validation rows, of the same kind of label.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyPredictions(Kept);

#[derive(Debug, Clone, Default, PartialEq)]
enum Kept {
    /// Of no trial.
    #[default]
    Nothing,
    /// For a binary label.
    Binary(StudyScores),
    /// For classes or numbers.
    Other(StudyOutputs),
}

impl StudyPredictions {
    /// Keeps the predictions of a trial. Returns `false`, and keeps nothing, where they are for other rows or
    /// another kind of label than those kept before, of unequal lengths, or not all finite.
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

    /// Returns the predictions of a trial for a binary label, where they were kept.
    pub fn scores(&self, trial: TrialNumber) -> Option<Scores<'_>> {
        self.binary()?.of(trial)
    }

    /// Returns the predictions of a trial for classes or numbers, where they were kept.
    pub fn outputs(&self, trial: TrialNumber) -> Option<Outputs<'_>> {
        self.other()?.of(trial)
    }

    /// Returns the predictions of the first trial for a binary label, which tell the rows.
    pub(crate) fn first_scores(&self) -> Option<Scores<'_>> {
        self.binary()?.first()
    }

    /// Returns the predictions of the first trial for classes or numbers, which tell the rows.
    pub(crate) fn first_outputs(&self) -> Option<Outputs<'_>> {
        self.other()?.first()
    }

    /// Whether no trial has any.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Kept::Nothing)
    }

    /// Whether they are for classes or numbers.
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

/// Keeps those that are for the same rows as the first.
impl<P: Into<Predictions>> FromIterator<(TrialNumber, P)> for StudyPredictions {
    fn from_iter<I: IntoIterator<Item = (TrialNumber, P)>>(predictions: I) -> Self {
        let mut kept = Self::default();
        for (trial, predictions) in predictions {
            kept.insert(trial, predictions);
        }
        kept
    }
}
