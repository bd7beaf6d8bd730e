//! Cache of facts about a database that never change.

use std::collections::HashMap;

use crate::store::{StudyId, TrialId};

/// Maximum number of trials whose study is cached; more than run at the same time.
const MOST_TRIALS: usize = 1 << 14;

/// Study, parameter and distribution.
pub(crate) type Fitting = (StudyId, String, String);

/// Facts about a database that this process has seen and that never change.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Stored texts of distributions that are compatible with those of the study.
    fitting: HashMap<Fitting, String>,
    /// Study of each trial.
    studies: HashMap<TrialId, StudyId>,
    /// Number of objectives of each study.
    objectives: HashMap<StudyId, usize>,
}

impl Known {
    /// Returns the stored text of a distribution that is known to be compatible.
    pub(crate) fn text(&self, key: &Fitting) -> Option<&String> {
        self.fitting.get(key)
    }

    /// Adds distributions that are compatible.
    pub(crate) fn extend(&mut self, found: impl IntoIterator<Item = (Fitting, String)>) {
        self.fitting.extend(found);
    }

    /// Whether a distribution is known to be compatible with the study of a trial.
    pub(crate) fn fits(&self, trial: TrialId, name: &str, distribution: &str) -> bool {
        let key = |study: &StudyId| (*study, name.to_owned(), distribution.to_owned());
        self.studies.get(&trial).is_some_and(|study| self.fitting.contains_key(&key(study)))
    }

    /// Adds the study of a trial.
    pub(crate) fn remember(&mut self, trial: TrialId, study: StudyId) {
        if self.studies.len() >= MOST_TRIALS {
            self.studies.clear();
        }
        self.studies.insert(trial, study);
    }

    /// Returns the number of objectives of a trial's study, if both are known.
    pub(crate) fn objectives(&self, trial: TrialId) -> Option<usize> {
        self.objectives.get(self.studies.get(&trial)?).copied()
    }

    /// Adds the number of objectives of a study.
    pub(crate) fn remember_objectives(&mut self, study: StudyId, objectives: usize) {
        self.objectives.insert(study, objectives);
    }

    /// Removes a study that was deleted.
    pub(crate) fn forget(&mut self, study: StudyId) {
        self.fitting.retain(|(of, ..), _| *of != study);
        self.studies.retain(|_, of| *of != study);
        self.objectives.remove(&study);
    }
}
