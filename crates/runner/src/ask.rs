//! Studies that other programs drive: they ask for configurations and tell the values.

use std::sync::Arc;

use allometry_core::rng::stream;
use allometry_core::{
    Constraints, Direction, Failure, FrozenTrial, Handover, ModelSize, Origin, Params, SamplerSpec,
    SearchSpace, TrialNumber, TrialRecord, TrialState,
};
use allometry_search::{Feasible, SampleError, SpaceError, StudyView};
use allometry_store::{
    Finished, FinishedState, NewTrial, RunningTrial, Start, Store, StoreError, StudyId, StudyRecord,
    TrialHandle,
};

use crate::attempts::{fold_attempts, split};
use crate::choice::{Chooser, SizeOf};
use crate::interruption::told;

/// Why a call of another program is rejected. The study is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// All configurations were tried.
    #[error(transparent)]
    Exhausted(#[from] SampleError),
    /// There is no trial with this number.
    #[error("the study has no trial {number}; it has {trials}")]
    UnknownTrial {
        /// Number of the trial.
        number: TrialNumber,
        /// Number of trials of the study.
        trials: usize,
    },
    /// The trial has already ended.
    #[error(
        "trial {number} is already {}{}",
        .state.as_str(),
        .value.map_or_else(String::new, |v| format!(", with {v}"))
    )]
    Finished {
        /// Number of the trial.
        number: TrialNumber,
        /// State of the trial.
        state: TrialState,
        /// Value of the trial.
        value: Option<f64>,
    },
    /// The trial is waiting and was not handed out.
    #[error("trial {number} is waiting: it was not asked for yet")]
    Waiting {
        /// Number of the trial.
        number: TrialNumber,
    },
    /// A process of Allometry evaluates the trial.
    #[error("trial {number} was not asked for: {owner} evaluates it")]
    Foreign {
        /// Number of the trial.
        number: TrialNumber,
        /// Process that evaluates it.
        owner: String,
    },
    /// The value is not a finite number.
    #[error("trial {number} cannot have the value {value}: a value is a finite number")]
    NotFinite {
        /// Number of the trial.
        number: TrialNumber,
        /// The rejected value.
        value: f64,
    },
    /// The number of values differs from the number of objectives.
    #[error("trial {number} needs {}, not {told}", values(*.objectives))]
    ValueCount {
        /// Number of the trial.
        number: TrialNumber,
        /// Number of values given.
        told: usize,
        /// Number of objectives of the study.
        objectives: usize,
    },
    /// Intermediate values are not possible in a study with several objectives.
    #[error("a step has one value, but the study has {objectives} objectives")]
    StepOfSeveral {
        /// Number of objectives of the study.
        objectives: usize,
    },
    /// A parameter is not in the search space, or a value is not in its set.
    #[error("{problem}")]
    Unfit {
        /// Description of the parameter or value.
        problem: String,
    },
}

/// Returns the number of values that a trial needs, in words.
fn values(objectives: usize) -> String {
    match objectives {
        1 => "1 value".into(),
        _ => format!("{objectives} values, one for each objective of its study"),
    }
}

impl AskError {
    /// Advice for the user.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) => return error.hint(),
            Self::Finished { .. } => {
                "an ended trial does not change; ask for a new trial to repeat it".into()
            }
            Self::Waiting { .. } => "`allometry ask` hands out waiting trials first".into(),
            Self::Foreign { .. } => {
                "only trials that `allometry ask` or Optuna handed out can be told".into()
            }
            Self::NotFinite { .. } => "tell a trial without a value as --state failed".into(),
            Self::ValueCount { .. } => "tell one value for each objective, in their order".into(),
            Self::StepOfSeveral { .. } => {
                "trials with several objectives are not pruned, so that intermediate values have no use"
                    .into()
            }
            Self::UnknownTrial { .. } => "`allometry list` shows the trials".into(),
            Self::Exhausted(_) | Self::Unfit { .. } => return None,
        })
    }
}

/// A study that another program drives.
pub struct DrivenStudy<'a> {
    store: &'a dyn Store,
    study: StudyId,
    directions: Vec<Direction>,
    chooser: Chooser,
    size: Box<SizeOf<'a>>,
}

/// A configuration that was handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Number of the trial.
    pub number: TrialNumber,
    /// Configuration of the trial.
    pub params: Params,
    /// Seed, origin and size of the trial.
    pub record: TrialRecord,
}

/// The result of enqueueing a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// A new waiting trial with this number.
    New(TrialNumber),
    /// A trial of the study that already has the configuration.
    Known(TrialNumber, TrialState),
}

impl<'a> DrivenStudy<'a> {
    /// A study of `store` whose configurations `sampler` suggests from `feasible`.
    ///
    /// # Errors
    /// The errors of [`allometry_search::build_sampler`].
    pub fn new(
        store: &'a dyn Store,
        study: &StudyRecord,
        feasible: Feasible,
        sampler: SamplerSpec,
        seed: u64,
        size: impl Fn(&Params) -> Option<ModelSize> + 'a,
    ) -> Result<Self, SpaceError> {
        let feasible = Arc::new(feasible);
        let label = feasible.budget().label.clone();
        let share = sampler.share;
        let sampler =
            allometry_search::build_sampler(&study.directions, sampler, Arc::clone(&feasible), seed)?;
        Ok(Self {
            store,
            study: study.id,
            directions: study.directions.clone(),
            chooser: Chooser { label, seed, feasible, sampler, share, carried_over: None },
            size: Box::new(size),
        })
    }

    /// The handover from the study's sampler to another one, returned once.
    pub fn take_handover(&mut self) -> Option<Handover> {
        self.chooser.sampler.take_handover()
    }

    /// The next configuration: a waiting one if there is one, otherwise the sampler's suggestion. Programs
    /// that ask at the same time get different configurations.
    ///
    /// # Errors
    /// [`AskError::Exhausted`] where all configurations were tried, or [`AskError::Store`].
    pub fn ask(&mut self) -> Result<Asked, AskError> {
        while let Some((handle, trial)) = self.store.claim_waiting(self.study, None)? {
            let space = self.chooser.feasible.space();
            match self.chooser.complete(&trial, &*self.size) {
                Ok(choice) => {
                    self.store.complete_params(handle.id, &choice.params, space, &choice.record)?;
                    return Ok(Asked { number: handle.number, params: choice.params, record: choice.record });
                }
                Err(reason) => drop(reject(self.store, handle, trial.record, reason)?),
            }
        }
        loop {
            let trials = self.store.trials(self.study)?;
            let next = TrialNumber(trials.len() as u64);
            let (finished, running) = split(fold_attempts(trials));
            let others = self.chooser.others(self.store, self.study)?;
            let view = StudyView { finished: &finished, running: &running, other_budgets: &others.views() };
            let choice = self.chooser.suggest(&view, &*self.size)?;
            self.chooser.record_carried_over(self.store, self.study)?;
            let new = NewTrial {
                start: Start::Asked,
                params: &choice.params,
                space: self.chooser.feasible.space(),
                record: &choice.record,
            };
            if let Some(handle) = self.store.create_trial_at(self.study, &new, next)? {
                return Ok(Asked { number: handle.number, params: choice.params, record: choice.record });
            }
        }
    }

    /// Returns up to `count` configurations that the sampler would suggest next, without handing them out;
    /// fewer where all others were tried.
    ///
    /// # Errors
    /// [`AskError::Exhausted`] where all configurations were tried, or [`AskError::Store`].
    pub fn suggestions(&mut self, count: usize) -> Result<Vec<Params>, AskError> {
        let (finished, mut running) = split(fold_attempts(self.store.trials(self.study)?));
        let others = self.chooser.others(self.store, self.study)?;
        let mut suggested: Vec<Params> = Vec::new();
        while suggested.len() < count {
            let view = StudyView { finished: &finished, running: &running, other_budgets: &others.views() };
            let params = match self.chooser.suggest(&view, &*self.size) {
                Ok(choice) => choice.params,
                Err(SampleError::Exhausted { .. }) if !suggested.is_empty() => break,
                Err(error) => return Err(error.into()),
            };
            let number = (finished.len() + running.len()) as u64;
            running.push(FrozenTrial::new(number, TrialState::Running, None, params.clone()));
            suggested.push(params);
        }
        Ok(suggested)
    }

    /// Returns up to `count` configurations that together have the largest expected gain, without handing
    /// them out: those of [`allometry_search::batch`], or where it has no model, those of
    /// [`DrivenStudy::suggestions`].
    ///
    /// # Errors
    /// [`AskError::Exhausted`] where all configurations were tried, or [`AskError::Store`].
    pub fn batch(&mut self, count: usize) -> Result<Vec<Params>, AskError> {
        let (finished, running) = split(fold_attempts(self.store.trials(self.study)?));
        let view = StudyView { finished: &finished, running: &running, other_budgets: &[] };
        let mut rng = stream(self.chooser.seed, "batch", view.len() as u64);
        let feasible = &self.chooser.feasible;
        match allometry_search::batch(&view, feasible, &self.directions, count, &mut rng) {
            Some(batch) if !batch.is_empty() => Ok(batch),
            _ => self.suggestions(count),
        }
    }

    /// Enqueues a configuration; missing parameters are drawn when it is handed out. A configuration that the
    /// study already has is not enqueued unless `again`.
    ///
    /// # Errors
    /// [`AskError::Unfit`] for values outside of the search space, or [`AskError::Store`].
    pub fn enqueue(&self, params: &Params, again: bool) -> Result<Enqueued, AskError> {
        self.check(params)?;
        if !again {
            let trials = self.store.trials(self.study)?;
            let known = trials.iter().find(|t| same(&t.params, params) && t.state != TrialState::Failed);
            if let Some(known) = known {
                return Ok(Enqueued::Known(known.number, known.state));
            }
        }
        let record = TrialRecord {
            origin: Some(Origin::Enqueued),
            size: (self.size)(params),
            ..TrialRecord::default()
        };
        let space = self.chooser.feasible.space();
        let new = NewTrial { start: Start::Waiting, params, space, record: &record };
        Ok(Enqueued::New(self.store.create_trial(self.study, &new)?.number))
    }

    /// The search space.
    pub fn space(&self) -> &SearchSpace {
        self.chooser.feasible.space()
    }

    /// Checks whether a configuration, possibly without some parameters, can be enqueued.
    ///
    /// # Errors
    /// [`AskError::Unfit`] with the first parameter that does not fit, or for an infeasible configuration.
    pub fn check(&self, params: &Params) -> Result<(), AskError> {
        let space = self.chooser.feasible.space();
        let unfit = |problem: String| Err(AskError::Unfit { problem });
        for (name, value) in params.iter() {
            match space.get(name) {
                None => {
                    let known: Vec<&str> = space.iter().map(|(name, _)| name).collect();
                    return unfit(format!(
                        "the space has no parameter `{name}`; it has {}",
                        known.join(", ")
                    ));
                }
                Some(set) if !set.contains(value) => {
                    return unfit(format!("`{name}` cannot be {value}; its set is {set}"));
                }
                Some(_) => {}
            }
        }
        let middle = vec![0.5; self.chooser.feasible.dimension()];
        if self.chooser.feasible.complete(params, &middle).is_none() {
            let label = &self.chooser.label;
            return unfit(format!("budget `{label}` admits no configuration with {params}"));
        }
        Ok(())
    }
}

/// The running trial with this number that was handed out to another program.
///
/// # Errors
/// [`AskError`] with the state of another trial.
pub fn asked_trial(store: &dyn Store, study: StudyId, number: TrialNumber) -> Result<TrialHandle, AskError> {
    let running = store.running(study)?;
    match running.into_iter().find(|running| running.handle.number == number) {
        Some(RunningTrial { handle, owner: None, .. }) => Ok(handle),
        Some(RunningTrial { owner: Some(owner), .. }) => {
            Err(AskError::Foreign { number, owner: owner.to_string() })
        }
        None => {
            let trials = store.trials(study)?;
            Err(match trials.iter().find(|trial| trial.number == number) {
                None => AskError::UnknownTrial { number, trials: trials.len() },
                Some(trial) if trial.state == TrialState::Waiting => AskError::Waiting { number },
                Some(trial) => AskError::Finished { number, state: trial.state, value: trial.value() },
            })
        }
    }
}

/// Completes a trial that was handed out, with one value for each objective of the study and its constraints.
///
/// # Errors
/// [`AskError`] where the trial cannot be completed, or not with these values.
pub fn tell(
    store: &dyn Store,
    study: &StudyRecord,
    number: TrialNumber,
    values: &[f64],
    constraints: &Constraints,
) -> Result<(), AskError> {
    let (told, objectives) = (values.len(), study.directions.len());
    if values.is_empty() || told != objectives {
        return Err(AskError::ValueCount { number, told, objectives });
    }
    if let Some(value) = values.iter().copied().find(|value| !value.is_finite()) {
        return Err(AskError::NotFinite { number, value });
    }
    end(store, study.id, number, FinishedState::Complete, |finished| {
        finished.values = values.to_vec();
        finished.constraints.clone_from(constraints);
    })
}

/// Ends a trial that was handed out without a value: pruned, or failed with a reason.
///
/// # Errors
/// [`AskError`] where the trial cannot be ended.
pub fn tell_state(
    store: &dyn Store,
    study: StudyId,
    number: TrialNumber,
    state: FinishedState,
    reason: Option<&str>,
    constraints: &Constraints,
) -> Result<(), AskError> {
    end(store, study, number, state, |finished| {
        finished.constraints.clone_from(constraints);
        let failure = reason.map(told);
        finished.record.failure = failure.filter(|_| state == FinishedState::Failed);
    })
}

fn end(
    store: &dyn Store,
    study: StudyId,
    number: TrialNumber,
    state: FinishedState,
    fill: impl FnOnce(&mut Finished),
) -> Result<(), AskError> {
    let handle = asked_trial(store, study, number)?;
    let trial = store.trials_from(study, number)?.into_iter().next();
    let mut finished =
        Finished { record: trial.map(|trial| trial.record).unwrap_or_default(), ..Finished::default() };
    fill(&mut finished);
    store.finish(handle.id, state, &finished)?;
    Ok(())
}

/// Fails an enqueued trial whose values no configuration of the search space has.
pub(crate) fn reject(
    store: &dyn Store,
    handle: TrialHandle,
    record: TrialRecord,
    reason: String,
) -> Result<Failure, StoreError> {
    let failure = Failure { reason, detail: String::new() };
    let record = TrialRecord { failure: Some(failure.clone()), ..record };
    store.finish(handle.id, FinishedState::Failed, &Finished { record, ..Finished::default() })?;
    Ok(failure)
}

/// Whether both have equal values, in any order.
fn same(a: &Params, b: &Params) -> bool {
    a.0.len() == b.0.len() && a.iter().all(|(name, value)| b.get(name) == Some(value))
}
