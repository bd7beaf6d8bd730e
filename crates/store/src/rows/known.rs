//! What a process has seen of a database and never changes again.

use std::collections::HashMap;

use crate::store::{StudyId, TrialId};

/// Trials whose study is remembered: more than run at once.
const MOST_TRIALS: usize = 1 << 14;

/// Study, parameter and distribution.
pub(crate) type Fitting = (StudyId, String, String);

/// What a process has seen of a database and never changes again.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Distributions that fit those of their parameter's other trials, with the text that they are stored as.
    fitting: HashMap<Fitting, String>,
    /// Studies of trials.
    studies: HashMap<TrialId, StudyId>,
}

impl Known {
    /// Returns the text that a distribution is stored as, if it is known to fit.
    pub(crate) fn text(&self, key: &Fitting) -> Option<&String> {
        self.fitting.get(key)
    }

    /// Remembers distributions that fit.
    pub(crate) fn extend(&mut self, found: impl IntoIterator<Item = (Fitting, String)>) {
        self.fitting.extend(found);
    }

    /// Whether a distribution is known to fit those of its parameter in a trial's study.
    pub(crate) fn fits(&self, trial: TrialId, name: &str, distribution: &str) -> bool {
        let key = |study: &StudyId| (*study, name.to_owned(), distribution.to_owned());
        self.studies.get(&trial).is_some_and(|study| self.fitting.contains_key(&key(study)))
    }

    /// Remembers the study of a trial.
    pub(crate) fn remember(&mut self, trial: TrialId, study: StudyId) {
        if self.studies.len() >= MOST_TRIALS {
            self.studies.clear();
        }
        self.studies.insert(trial, study);
    }

    /// Forgets a study that was deleted.
    pub(crate) fn forget(&mut self, study: StudyId) {
        self.fitting.retain(|(of, ..), _| *of != study);
        self.studies.retain(|_, of| *of != study);
    }
}
