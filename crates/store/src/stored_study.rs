//! A study read from a store, updated incrementally.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{FrozenTrial, Predictions, Shared, TrialNumber, TrialState};

use crate::error::StoreError;
use crate::store::{RunningTrial, Store, StudyRecord};

/// A study with everything that a store holds, except the metrics of each epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStudy {
    /// Name, directions, space, facts and attributes.
    pub record: StudyRecord,
    /// Trials by number; clones of the study share them.
    pub trials: Shared<Vec<FrozenTrial>>,
    /// Running trials and the processes that own them.
    pub running: Vec<RunningTrial>,
    /// Stored predictions of complete trials.
    pub predictions: BTreeMap<TrialNumber, Predictions>,
}

/// Changes of a study since it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    first: usize,
    trials: Vec<FrozenTrial>,
    running: Vec<RunningTrial>,
    predictions: BTreeMap<TrialNumber, Predictions>,
    /// Number of trials that have ended since.
    pub ended: usize,
    /// Whether anything changed: a trial started or ended, or a running one reported an epoch.
    pub differs: bool,
}

impl StoredStudy {
    /// Reads a study from the store.
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

    /// Returns a study without its trials, which are not read where the study is unreadable.
    pub fn without_trials(record: StudyRecord) -> Self {
        Self { record, trials: Shared::default(), running: Vec::new(), predictions: BTreeMap::new() }
    }

    /// Reads the trials from the first unfinished one on, the only ones that may have changed. If the last
    /// finished trial differs, the study was deleted and another one took its key; then everything is read
    /// again.
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
            if trial.state == TrialState::Complete && trial.value().is_some() {
                ended.insert(trial.number);
            }
        }
        // One query for all of them: a query per trial would scan the whole study each time.
        if let Some(first) = ended.first() {
            news.predictions = store.predictions_from(study, *first)?;
            news.predictions.retain(|number, _| ended.contains(number));
        }
        Ok(news)
    }

    /// Applies the changes that [`Self::news`] returned.
    pub fn take(&mut self, news: News) {
        let trials: &mut Vec<FrozenTrial> = &mut self.trials;
        trials.truncate(news.first);
        trials.extend(news.trials);
        self.running = news.running;
        self.predictions.split_off(&TrialNumber(news.first as u64 + 1));
        self.predictions.extend(news.predictions);
    }
}
