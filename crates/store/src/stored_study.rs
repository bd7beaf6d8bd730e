//! A study as it lies in a store, kept up to date by reading what is new.

use std::collections::BTreeMap;

use allometry_core::{FrozenTrial, TrialNumber, TrialState, ValidationScores};

use crate::error::StoreError;
use crate::store::{RunningTrial, Store, StudyRecord};

/// Everything that a store holds of one study, but for the metrics of each epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStudy {
    /// The study itself.
    pub record: StudyRecord,
    /// Its trials by number.
    pub trials: Vec<FrozenTrial>,
    /// Who works on those that run.
    pub running: Vec<RunningTrial>,
    /// Predictions of complete trials, where stored.
    pub scores: BTreeMap<TrialNumber, ValidationScores>,
}

/// What a reading found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// Trials that have ended since.
    pub ended: usize,
    /// Whether anything else is different: a trial that began, or an epoch of one that runs.
    pub moved: bool,
}

impl StoredStudy {
    /// Reads a study.
    ///
    /// # Errors
    /// As those of the store.
    pub fn read(store: &dyn Store, record: StudyRecord) -> Result<Self, StoreError> {
        let mut study = Self { record, trials: Vec::new(), running: Vec::new(), scores: BTreeMap::new() };
        study.refresh(store)?;
        Ok(study)
    }

    /// Reads what may have changed: trials from the first unfinished one on. Finished trials never change.
    ///
    /// # Errors
    /// As those of the store; the study is then as it was.
    pub fn refresh(&mut self, store: &dyn Store) -> Result<Change, StoreError> {
        let first =
            self.trials.iter().position(|trial| !trial.state.is_finished()).unwrap_or(self.trials.len());
        let fresh = store.trials_from(self.record.id, TrialNumber(first as u64))?;
        let running = if fresh.iter().any(|trial| trial.state == TrialState::Running) {
            store.running(self.record.id)?
        } else {
            Vec::new()
        };
        let known = |trial: &FrozenTrial| self.trials.get(trial.number.0 as usize);
        let mut change = Change { ended: 0, moved: self.trials.len() != first + fresh.len() };
        let mut scores = Vec::new();
        for trial in &fresh {
            change.moved |= known(trial) != Some(trial);
            let was_finished = known(trial).is_some_and(|known| known.state.is_finished());
            if trial.state.is_finished() && !was_finished {
                change.ended += 1;
                if trial.complete_value().is_some() {
                    scores.extend(
                        store.scores(self.record.id, trial.number)?.map(|scores| (trial.number, scores)),
                    );
                }
            }
        }
        self.trials.truncate(first);
        self.trials.extend(fresh);
        self.running = running;
        self.scores.extend(scores);
        Ok(change)
    }
}
