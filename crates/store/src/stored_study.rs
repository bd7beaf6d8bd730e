//! A study as it lies in a store, kept up to date by reading what is new.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{FrozenTrial, Predictions, Shared, TrialNumber, TrialState};

use crate::error::StoreError;
use crate::store::{RunningTrial, Store, StudyRecord};

/// Everything that a store holds of one study, but for the metrics of each epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStudy {
    /// The study itself.
    pub record: StudyRecord,
    /// Its trials by number; a clone of the study shares them.
    pub trials: Shared<Vec<FrozenTrial>>,
    /// Who works on those that run.
    pub running: Vec<RunningTrial>,
    /// Predictions of complete trials, where stored.
    pub predictions: BTreeMap<TrialNumber, Predictions>,
}

/// What is new in a store about a study that was read before.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    first: usize,
    trials: Vec<FrozenTrial>,
    running: Vec<RunningTrial>,
    predictions: BTreeMap<TrialNumber, Predictions>,
    /// Trials that have ended since.
    pub ended: usize,
    /// Whether anything is different: a trial that began or ended, or an epoch of one that runs.
    pub differs: bool,
}

impl StoredStudy {
    /// Reads a study.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(store: &dyn Store, record: StudyRecord) -> Result<Self, StoreError> {
        let mut study =
            Self { record, trials: Shared::default(), running: Vec::new(), predictions: BTreeMap::new() };
        let news = study.news(store)?;
        study.take(news);
        Ok(study)
    }

    /// Reads what may have changed: trials from the first unfinished one on. Finished trials never change;
    /// where the last of them did, it is another study that took the place of a deleted one, and all is read.
    ///
    /// # Errors
    /// Those of the store.
    pub fn news(&self, store: &dyn Store) -> Result<News, StoreError> {
        let study = self.record.id;
        let unfinished = self.trials.iter().position(|trial| !trial.state.is_finished());
        let last_known = unfinished.unwrap_or(self.trials.len()).saturating_sub(1);
        let mut first = last_known;
        let mut trials = store.trials_from(study, TrialNumber(first as u64))?;
        if first > 0 && self.trials.get(first) != trials.first() {
            first = 0;
            trials = store.trials_from(study, TrialNumber(0))?;
        }
        let any_runs = trials.iter().any(|trial| trial.state == TrialState::Running);
        let running = if any_runs { store.running(study)? } else { Vec::new() };
        let differs = self.trials[first..] != trials;
        let predictions = BTreeMap::new();
        let mut news = News { first, trials, running, predictions, ended: 0, differs };
        let mut ended = BTreeSet::new();
        for trial in news.trials.iter().filter(|trial| trial.state.is_finished()) {
            if self.trials.get(trial.number.0 as usize) == Some(trial) {
                continue;
            }
            news.ended += 1;
            if trial.state == TrialState::Complete && trial.value.is_some() {
                ended.insert(trial.number);
            }
        }
        // One question for all of them: each by itself would look through the whole study.
        if let Some(first) = ended.first() {
            news.predictions = store.predictions_from(study, *first)?;
            news.predictions.retain(|number, _| ended.contains(number));
        }
        Ok(news)
    }

    /// Takes in what [`Self::news`] read.
    pub fn take(&mut self, news: News) {
        let trials: &mut Vec<FrozenTrial> = &mut self.trials;
        trials.truncate(news.first);
        trials.extend(news.trials);
        self.running = news.running;
        self.predictions.split_off(&TrialNumber(news.first as u64 + 1));
        self.predictions.extend(news.predictions);
    }
}
