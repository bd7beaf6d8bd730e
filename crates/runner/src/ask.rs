//! Studies driven from outside: another program asks for configurations and tells what came of them.

use std::sync::Arc;

use allometry_core::ladder::SamplerSpec;
use allometry_core::sampler::Handover;
use allometry_core::space::{Feasible, SpaceError};
use allometry_core::{
    Constraints, Failure, ModelSize, Origin, Params, SampleError, SearchSpace, StudyView, TrialNumber,
    TrialRecord, TrialState, sampler,
};
use allometry_store::{
    Finished, FinishedState, NewTrial, RunningTrial, Start, Store, StoreError, StudyId, StudyRecord,
    TrialHandle,
};

use crate::choice::{Chooser, SizeOf, split};
use crate::recover::fold_attempts;

/// Why a call from outside is refused. The study is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing is left to try.
    #[error(transparent)]
    Exhausted(#[from] SampleError),
    /// There is no trial of that number.
    #[error("the study has no trial {number}; it has {trials}")]
    UnknownTrial {
        /// The number.
        number: TrialNumber,
        /// Trials of the study.
        trials: usize,
    },
    /// The trial ended already.
    #[error("trial {number} is {} already{}", .state.as_str(), .value.map_or_else(String::new, |v| format!(", with {v}")))]
    Finished {
        /// The number.
        number: TrialNumber,
        /// How it ended.
        state: TrialState,
        /// Its value.
        value: Option<f64>,
    },
    /// The trial was never asked for.
    #[error("trial {number} is waiting: nobody asked for it yet")]
    Waiting {
        /// The number.
        number: TrialNumber,
    },
    /// A process of Allometry evaluates the trial.
    #[error("trial {number} was not asked for: {owner} evaluates it")]
    Foreign {
        /// The number.
        number: TrialNumber,
        /// Who evaluates it.
        owner: String,
    },
    /// A value that is no finite number.
    #[error("trial {number} cannot be told {value}: a value is a finite number")]
    NotFinite {
        /// The number.
        number: TrialNumber,
        /// The value.
        value: f64,
    },
    /// Another number of values than the study has objectives.
    #[error("trial {number} was told values of {told} of its study's {objectives} objectives")]
    ValueCount {
        /// The number.
        number: TrialNumber,
        /// Values told.
        told: usize,
        /// Objectives of the study.
        objectives: usize,
    },
    /// A step's value in a study with several objectives.
    #[error("a step has one value, but the study has {objectives} objectives")]
    StepOfSeveral {
        /// Objectives of the study.
        objectives: usize,
    },
    /// A parameter that the space does not have, or a value outside of its set.
    #[error("{problem}")]
    Unfit {
        /// What does not fit.
        problem: String,
    },
}

impl AskError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) => return error.hint(),
            Self::Finished { .. } => "what was told stands; a repetition is a trial of its own".into(),
            Self::Waiting { .. } => "`allometry ask` hands waiting trials out first".into(),
            Self::Foreign { .. } => "only trials that `allometry ask` or Optuna handed out are told".into(),
            Self::NotFinite { .. } => "tell a trial without a value as --state failed".into(),
            Self::ValueCount { .. } => "tell one value for each objective, in their order".into(),
            Self::StepOfSeveral { .. } => {
                "of several objectives none says by itself which trial is ahead, so that none is stopped early"
                    .into()
            }
            Self::UnknownTrial { .. } => "`allometry list` shows the trials".into(),
            Self::Exhausted(_) | Self::Unfit { .. } => return None,
        })
    }
}

/// A study driven from outside.
pub struct Driven<'a> {
    store: &'a dyn Store,
    study: StudyId,
    chooser: Chooser,
    size: Box<SizeOf<'a>>,
}

/// A configuration handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The trial.
    pub number: TrialNumber,
    /// Its configuration.
    pub params: Params,
    /// Seed, origin and size.
    pub record: TrialRecord,
}

/// What became of an enqueued configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It waits under this number.
    New(TrialNumber),
    /// The study has it already.
    Known(TrialNumber, TrialState),
}

impl<'a> Driven<'a> {
    /// A study of `store` whose configurations `sampler` picks from `feasible`.
    ///
    /// # Errors
    /// As [`sampler::build`].
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
        let sampler = sampler::build(&study.directions(), sampler, Arc::clone(&feasible), seed)?;
        Ok(Self {
            store,
            study: study.id,
            chooser: Chooser { label, seed, feasible, sampler, share, carried_over: None },
            size: Box::new(size),
        })
    }

    /// That another sampler took over from the study's own, once.
    pub fn take_handover(&mut self) -> Option<Handover> {
        self.chooser.sampler.take_handover()
    }

    /// The next configuration: an enqueued one where one waits, else the sampler's. Of several programs that ask at the same
    /// time each gets its own.
    ///
    /// # Errors
    /// [`AskError::Exhausted`] where nothing is left; [`AskError::Store`].
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
            let view = StudyView { finished: &finished, running: &running, others: &others.views() };
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

    /// Puts a configuration in the queue; parameters it lacks are drawn when its turn comes. One that the study has already
    /// is left out unless `again`.
    ///
    /// # Errors
    /// [`AskError::Unfit`] for values that the space does not have; [`AskError::Store`].
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

    /// What may be tried.
    pub fn space(&self) -> &SearchSpace {
        self.chooser.feasible.space()
    }

    /// Whether a configuration, perhaps without some parameters, may be enqueued.
    ///
    /// # Errors
    /// [`AskError::Unfit`] naming the first parameter that does not fit, or saying that all together do not.
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

/// The trial of a number, if it was handed out to another program and has not ended.
///
/// # Errors
/// [`AskError`] that says what it is instead.
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
                Some(trial) => AskError::Finished { number, state: trial.state, value: trial.value },
            })
        }
    }
}

/// Ends a trial that was handed out, with its value, or one for each objective of the study, and its constraints.
///
/// # Errors
/// [`AskError`] where the trial cannot be told, or not this.
pub fn tell(
    store: &dyn Store,
    study: &StudyRecord,
    number: TrialNumber,
    values: &[f64],
    constraints: &Constraints,
) -> Result<(), AskError> {
    let (told, objectives) = (values.len(), study.directions().len());
    let (Some((first, further)), true) = (values.split_first(), told == objectives) else {
        return Err(AskError::ValueCount { number, told, objectives });
    };
    if let Some(value) = values.iter().copied().find(|value| !value.is_finite()) {
        return Err(AskError::NotFinite { number, value });
    }
    end(store, study.id, number, FinishedState::Complete, |finished| {
        finished.value = Some(*first);
        finished.further = further.to_vec();
        finished.constraints.clone_from(constraints);
    })
}

/// Ends a trial that was handed out, without a value of its own: stopped early, or failed for a reason.
///
/// # Errors
/// [`AskError`] where the trial cannot be told.
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
        let failure = reason.map(|reason| Failure { reason: reason.into(), detail: String::new() });
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

/// Ends an enqueued trial that no configuration of the space completes.
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

/// Whether both have the same values, in whatever order.
fn same(a: &Params, b: &Params) -> bool {
    a.0.len() == b.0.len() && a.iter().all(|(name, value)| b.get(name) == Some(value))
}
