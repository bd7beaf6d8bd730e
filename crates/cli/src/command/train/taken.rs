//! The stored trial whose configuration `allometry train` takes.

use std::path::Path;

use allometry_analysis::{LadderTrials, Options, analyze};
use allometry_core::{FrozenTrial, Predictions, Secret, TrialNumber, TrialState, incumbent};
use allometry_ladder::Ladder;
use allometry_report::take::{chosen, of_each};
use allometry_store::facts::ObjectiveFacts;
use allometry_store::{ErrorKind, Store, StudyRecord, open_read_only};
use allometry_study::{storage_url, trials_of};

use crate::error::CliError;

/// Why a trial's configuration is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It has the best value.
    Best,
    /// The command line names it.
    Named,
    /// The report recommends it.
    Recommended,
}

/// A stored trial whose configuration is taken.
pub(super) struct Taken {
    /// Why it is taken.
    pub(super) why: Why,
    /// The trial.
    pub(super) trial: FrozenTrial,
    /// Its predictions on the validation rows, where stored.
    pub(super) predictions: Option<Predictions>,
    /// What evaluated the trials of its study, where recorded.
    pub(super) objective: Option<ObjectiveFacts>,
}

/// The store of a ladder's trials.
pub(super) struct Trials<'a> {
    ladder: &'a Ladder,
    url: Secret,
    store: Box<dyn Store>,
}

impl Why {
    /// Returns the name in JSON documents.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Named => "trial",
            Self::Recommended => "recommended",
        }
    }
}

impl Taken {
    /// Returns the words on the trial: `trial 3 again` if it is repeated, else `from trial 3`.
    pub(super) fn words(&self, is_repeated: bool) -> String {
        let which = match self.why {
            Why::Best => "its best stored trial",
            Why::Named => "trial",
            Why::Recommended => "the recommended trial",
        };
        let number = self.trial.number;
        if is_repeated { format!("{which} {number} again") } else { format!("from {which} {number}") }
    }

    /// Returns the seed of the training if the trial is repeated.
    pub(super) fn seed(&self) -> Option<u64> {
        self.trial.record.seed.filter(|_| self.why != Why::Best)
    }
}

impl<'a> Trials<'a> {
    /// Opens the store of a ladder.
    ///
    /// # Errors
    /// [`CliError::Store`] if there is none or it cannot be read.
    pub(super) fn open(ladder: &'a Ladder, file: &Path, given: Option<&Secret>) -> Result<Self, CliError> {
        let url = storage_url(ladder, given, file);
        let store = open_read_only(url.expose())?;
        Ok(Self { ladder, url, store })
    }

    /// Opens the store of a ladder; `None` if there is none.
    ///
    /// # Errors
    /// [`CliError::Store`] if it cannot be read.
    pub(super) fn open_if_there(
        ladder: &'a Ladder,
        file: &Path,
        given: Option<&Secret>,
    ) -> Result<Option<Self>, CliError> {
        match Self::open(ladder, file, given) {
            Err(CliError::Store(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Returns the best trial of a budget; `None` if it has no usable one.
    ///
    /// # Errors
    /// [`CliError::Store`] if the study cannot be read.
    pub(super) fn best(&self, label: &str) -> Result<Option<Taken>, CliError> {
        let Some(study) = self.study(label)? else { return Ok(None) };
        let trials = self.store.trials(study.id)?;
        let best = incumbent(&trials, study.direction()).cloned();
        best.map(|trial| self.taken(study, trial, Why::Best)).transpose()
    }

    /// Returns the trial of a budget that the command line names.
    ///
    /// # Errors
    /// [`CliError::NotFound`] if there is no such trial; [`CliError::Usage`] if it has failed or has not
    /// begun, or has no seed and `--seed` gives none.
    pub(super) fn named(
        &self,
        label: &str,
        number: TrialNumber,
        seed: Option<u64>,
    ) -> Result<Taken, CliError> {
        let Some(study) = self.study(label)? else {
            return Err(CliError::NotFound {
                message: format!("{} holds no trials of budget `{label}`", self.url.shown()),
                hint: Some("`allometry run` makes them".into()),
            });
        };
        let trials = self.store.trials(study.id)?;
        let Some(trial) = trials.iter().find(|trial| trial.number == number) else {
            return Err(CliError::NotFound {
                message: format!("budget `{label}` has no trial {number}"),
                hint: Some(nearest(&trials, number)),
            });
        };
        repeatable(label, trial, seed)?;
        self.taken(study, trial.clone(), Why::Named)
    }

    /// Returns the trial that the report recommends, with the label of its budget: `label`, or else that
    /// of the budget to take.
    ///
    /// # Errors
    /// [`CliError::NotFound`] if there is no usable trial; [`CliError::Usage`] if the report prefers no
    /// budget, or as for [`named`](Self::named).
    pub(super) fn recommended(
        &self,
        label: Option<&str>,
        seed: Option<u64>,
    ) -> Result<(String, Taken), CliError> {
        let read = trials_of(self.ladder, &*self.store, &self.url)?;
        let (label, number) = if let Some(label) = label {
            let analysis = analyze(&with_budget(read, label), &Options::default());
            let number = of_each(&analysis).find(|one| one.study.budget.label == label);
            let number = number.map(|one| one.trial).ok_or_else(|| self.without_usable(label))?;
            (label.to_owned(), number)
        } else {
            let analysis = analyze(&read, &Options::default());
            let Some(one) = chosen(&analysis) else { return Err(self.without_preference(&read)) };
            (one.study.budget.label.clone(), one.trial)
        };
        let taken = self.named(&label, number, seed)?;
        Ok((label, Taken { why: Why::Recommended, ..taken }))
    }

    fn without_usable(&self, label: &str) -> CliError {
        CliError::NotFound {
            message: format!("{} has no usable trial of budget `{label}`", self.url.shown()),
            hint: Some("`allometry status` shows the trials of each study".into()),
        }
    }

    fn without_preference(&self, read: &LadderTrials) -> CliError {
        let labels: Vec<&str> = read.studies.iter().map(|study| study.budget.label.as_str()).collect();
        match labels.as_slice() {
            [only] => self.without_usable(only),
            _ => CliError::Usage {
                message: "the report prefers no budget".into(),
                hint: Some(format!("give --budget, one of {}", labels.join(", "))),
            },
        }
    }

    fn study(&self, label: &str) -> Result<Option<StudyRecord>, CliError> {
        let study = self.store.study(&format!("{}/{label}", self.ladder.name))?;
        if let Some(study) = &study {
            study.check_readable(&self.url.shown())?;
        }
        Ok(study)
    }

    fn taken(&self, study: StudyRecord, trial: FrozenTrial, why: Why) -> Result<Taken, CliError> {
        let predictions = self.store.predictions(study.id, trial.number)?;
        Ok(Taken { why, trial, predictions, objective: study.facts.objective })
    }
}

/// Returns the trials with the budget among those that are analysed, also if it trains on a part of the rows.
fn with_budget(read: LadderTrials, label: &str) -> LadderTrials {
    match read.parts.iter().find(|part| part.budget.label == label).cloned() {
        Some(part) => LadderTrials { studies: vec![part], parts: Vec::new(), ..read },
        None => read,
    }
}

/// Checks that a trial can be trained again.
fn repeatable(label: &str, trial: &FrozenTrial, seed: Option<u64>) -> Result<(), CliError> {
    let number = trial.number;
    let (message, hint) = match trial.state {
        TrialState::Failed => {
            let why =
                trial.record.failure.as_ref().map_or_else(String::new, |why| format!(": {}", why.reason));
            (
                format!("trial {number} of budget `{label}` failed{why}"),
                format!(
                    "`allometry show {number} --budget {label}` says more; name a trial that has a value"
                ),
            )
        }
        TrialState::Waiting => (
            format!("trial {number} of budget `{label}` has not begun"),
            "`allometry run` trains the waiting trials".into(),
        ),
        _ if trial.record.seed.or(seed).is_none() => (
            format!("trial {number} of budget `{label}` has no seed, because another program made it"),
            "--seed N trains its configuration under a seed of your choice".into(),
        ),
        _ => return Ok(()),
    };
    Err(CliError::Usage { message, hint: Some(hint) })
}

/// Returns the hint with the numbers of trials that are nearest to a number.
fn nearest(trials: &[FrozenTrial], number: TrialNumber) -> String {
    let below = trials.iter().map(|trial| trial.number).filter(|one| *one < number).max();
    let above = trials.iter().map(|trial| trial.number).filter(|one| *one > number).min();
    match (below, above) {
        (Some(below), Some(above)) => format!("the nearest are {below} and {above}"),
        (Some(one), None) | (None, Some(one)) => {
            format!("the nearest is {one}; `allometry list` shows all")
        }
        (None, None) => "it has no trials yet; `allometry run` makes them".into(),
    }
}
