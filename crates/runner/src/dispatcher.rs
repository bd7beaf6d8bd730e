//! Hands trials to workers: one at a time, under one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use allometry_core::event::StopReason;
use allometry_core::pruner::{Decision, ReportingTrial};
use allometry_core::trial::incumbent;
use allometry_core::{
    Direction, EarlyStop, EpochReport, FrozenTrial, Objective, StudyEvent, StudyView, TrialNumber,
    TrialRecord, TrialSpec, TrialState,
};
use allometry_store::{NewTrial, Owner, Start, Store, TrialHandle, TrialId};

use crate::ask::reject;
use crate::choice::{Choice, Chooser, split, waits};
use crate::error::RunError;
use crate::evaluate::Ended;
use crate::interrupt::Interrupt;
use crate::open::OpenStudy;
use crate::recover;
use crate::run::{RunOptions, RunSummary, StudyOutcome};
use crate::study_run::{StudyRun, insert_by_number};

/// A trial for a worker.
#[derive(Debug)]
pub(crate) struct Assignment {
    study: usize,
    /// Number under which the study's history has the trial.
    slot: TrialNumber,
    pub(crate) id: TrialId,
    pub(crate) spec: TrialSpec,
    pub(crate) record: TrialRecord,
    started: Instant,
}

/// Picks each worker's next trial and keeps the studies' histories.
pub(crate) struct Dispatcher<'a> {
    store: &'a dyn Store,
    objective: &'a dyn Objective,
    owner: Owner,
    seed: u64,
    deadline: Option<Instant>,
    epochs: Option<u64>,
    interrupt: Interrupt,
    state: Mutex<State>,
    /// Signalled whenever a trial ends: a worker without work may have some then.
    changed: Condvar,
}

struct State {
    studies: Vec<StudyRun>,
    events: Sender<StudyEvent>,
    broken: bool,
}

impl<'a> Dispatcher<'a> {
    /// Reads the studies' histories, recovers trials of ended processes and announces the studies.
    pub(crate) fn start(
        studies: Vec<OpenStudy>,
        store: &'a dyn Store,
        objective: &'a dyn Objective,
        options: &RunOptions,
        interrupt: Interrupt,
        events: Sender<StudyEvent>,
    ) -> Result<Self, RunError> {
        let mut runs = Vec::with_capacity(studies.len());
        for OpenStudy { id, spec, feasible, sampler, pruning, stop } in studies {
            let label = spec.budget.label.clone();
            let recovered = recover::recover(store, id, &label)?;
            let trials = store.trials(id)?;
            let next = TrialNumber(trials.len() as u64);
            let (mut finished, running) = split(recover::fold_attempts(trials));
            let all = finished.len();
            finished.retain(|trial| trial.state == TrialState::Failed || spec.contains(&trial.params));
            let outside = all - finished.len();
            let chooser = Chooser { label: label.clone(), seed: options.seed, feasible, sampler };
            let run = StudyRun {
                retries: finished.iter().filter(|t| recover::was_interrupted(t)).map(|t| t.number).collect(),
                id,
                spec,
                chooser,
                pruning,
                stop,
                finished,
                running,
                own: BTreeSet::new(),
                started: BTreeSet::new(),
                next,
                ended: None,
                exhausted: None,
            };
            let started = StudyEvent::StudyStarted {
                budget: label.clone(),
                trials: run.spec.trials,
                done: run.valued(),
            };
            let _ = events.send(started);
            if outside > 0 {
                let _ =
                    events.send(StudyEvent::TrialsOutside { budget: label.clone(), count: outside as u64 });
            }
            if !recovered.is_empty() {
                let _ = events.send(StudyEvent::TrialsRecovered { budget: label, numbers: recovered });
            }
            runs.push(run);
        }
        Ok(Self {
            store,
            objective,
            owner: Owner::this_process(),
            seed: options.seed,
            deadline: options.deadline,
            epochs: options.epochs,
            interrupt,
            state: Mutex::new(State { studies: runs, events, broken: false }),
            changed: Condvar::new(),
        })
    }

    /// The next trial for a worker; waits while only running trials can tell whether there is one; `None` at the end.
    pub(crate) fn next(&self, worker: usize) -> Result<Option<Assignment>, RunError> {
        let mut state = self.lock();
        loop {
            let stop = if self.interrupt.is_asked() {
                Some(StopReason::Interrupted)
            } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                Some(StopReason::TimeLimit)
            } else {
                None
            };
            if let Some(reason) = stop {
                let State { studies, events, .. } = &mut *state;
                for run in studies.iter_mut().filter(|run| run.own.is_empty()) {
                    run.end(reason, events);
                }
                return Ok(None);
            }
            if state.broken {
                return Ok(None);
            }
            match self.assign(&mut state, worker) {
                Ok(Some(assignment)) => return Ok(Some(assignment)),
                Ok(None) if state.studies.iter().all(|run| run.ended.is_some()) => return Ok(None),
                Ok(None) => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Err(error) => {
                    state.broken = true;
                    self.changed.notify_all();
                    return Err(error);
                }
            }
        }
    }

    fn assign(&self, state: &mut State, worker: usize) -> Result<Option<Assignment>, RunError> {
        let State { studies, events, .. } = state;
        for (index, run) in studies.iter_mut().enumerate() {
            if run.ended.is_some() {
                continue;
            }
            run.refresh(self.store)?;
            run.end_if_done(events);
            if run.ended.is_some() || !run.wants_more() {
                continue;
            }
            let Some((handle, Choice { params, record, .. })) = self.start_next(run)? else {
                run.end_if_done(events);
                continue;
            };
            if let Some(handover) = run.chooser.sampler.take_handover() {
                let _ = events.send(StudyEvent::SamplerChanged { budget: run.label(), handover });
            }
            let slot = record.retry_of.unwrap_or(handle.number);
            let mut trial = FrozenTrial::new(slot.0, TrialState::Running, None, params.clone());
            trial.record = record.clone();
            run.finished.retain(|t| t.number != slot);
            run.running.retain(|t| t.number != slot);
            insert_by_number(&mut run.running, trial);
            run.own.insert(slot);
            run.started.insert(handle.number);
            let _ = events.send(StudyEvent::TrialStarted {
                budget: run.label(),
                number: handle.number,
                worker,
                params: params.clone(),
                epochs: self.epochs,
            });
            let spec = TrialSpec {
                budget: run.spec.budget.clone(),
                number: handle.number,
                params,
                seed: record.seed.expect("`choose` always sets a seed"),
            };
            return Ok(Some(Assignment {
                study: index,
                slot,
                id: handle.id,
                spec,
                record,
                started: Instant::now(),
            }));
        }
        Ok(None)
    }

    /// Starts a study's next trial in the store: an enqueued one, a repetition, or a new one.
    fn start_next(&self, run: &mut StudyRun) -> Result<Option<(TrialHandle, Choice)>, RunError> {
        let size = |params: &_| self.objective.model_size(params);
        while run.running.iter().any(waits) {
            let Some((handle, trial)) = self.store.claim_waiting(run.id, Some(&self.owner))? else {
                run.running.retain(|trial| !waits(trial));
                break;
            };
            if let Some(choice) = run.chooser.complete(&trial, &size) {
                self.store.complete_params(handle.id, &choice.params, &run.spec.space, &choice.record)?;
                return Ok(Some((handle, choice)));
            }
            let mut rejected = FrozenTrial { state: TrialState::Failed, ..trial };
            rejected.record.failure = Some(reject(self.store, handle, rejected.record.clone())?);
            run.running.retain(|trial| trial.number != handle.number);
            insert_by_number(&mut run.finished, rejected);
        }
        if !run.wants_new() {
            return Ok(None);
        }
        let Some(choice) = run.choose(self.seed, &size) else { return Ok(None) };
        let new = NewTrial {
            start: Start::Running(&self.owner),
            params: &choice.params,
            space: &run.spec.space,
            record: &choice.record,
        };
        let handle = self.store.create_trial(run.id, &new)?;
        Ok(Some((handle, choice)))
    }

    /// Takes note of an epoch and says why the trial stops there, if it does. `metrics` are those of all its epochs.
    pub(crate) fn judge(
        &self,
        assignment: &Assignment,
        epoch: &EpochReport,
        metrics: &BTreeMap<i64, BTreeMap<String, f64>>,
    ) -> Option<EarlyStop> {
        let mut state = self.lock();
        let StudyRun { running, finished, pruning, .. } = &mut state.studies[assignment.study];
        let place = running.binary_search_by_key(&assignment.slot, |t| t.number);
        let place = place.expect("an assigned trial is running until it is done");
        running[place].intermediate.insert(epoch.step, epoch.value);
        let pruning = pruning.as_ref().filter(|_| !assignment.record.exempt)?;
        let trial =
            ReportingTrial { number: assignment.slot, intermediate: &running[place].intermediate, metrics };
        match pruning.pruner.decide(&StudyView { finished, running }, &trial) {
            Decision::Continue => None,
            Decision::Stop(reason) => Some(reason),
        }
    }

    /// Takes note of a trial that the store was told about.
    pub(crate) fn done(
        &self,
        assignment: &Assignment,
        worker: usize,
        ended: Result<Ended, RunError>,
    ) -> Result<(), RunError> {
        let mut state = self.lock();
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                state.broken = true;
                self.changed.notify_all();
                return Err(error);
            }
        };
        let State { studies, events, .. } = &mut *state;
        let run = &mut studies[assignment.study];
        let place = run.running.iter().position(|t| t.number == assignment.slot);
        let mut trial = run.running.remove(place.expect("an assigned trial is running until it is done"));
        run.own.remove(&assignment.slot);
        trial.state = ended.state;
        trial.value = ended.value;
        trial.record = ended.record;
        let (state, value, early_stop) = (trial.state, trial.value, trial.record.early_stop);
        let reason = trial.record.failure.as_ref().map(|f| f.reason.clone());
        insert_by_number(&mut run.finished, trial);
        let _ = events.send(StudyEvent::TrialFinished {
            budget: run.label(),
            number: assignment.spec.number,
            worker,
            state,
            value,
            early_stop,
            reason,
            incumbent: incumbent(&run.finished, Direction::Maximize).and_then(|t| t.value),
            seconds: assignment.started.elapsed().as_secs_f64(),
        });
        run.end_if_done(events);
        self.changed.notify_all();
        Ok(())
    }

    /// How each study ended.
    pub(crate) fn summary(&self) -> RunSummary {
        let mut state = self.lock();
        let State { studies, events, .. } = &mut *state;
        let studies = studies
            .iter_mut()
            .map(|run| {
                run.end_if_done(events);
                StudyOutcome {
                    id: run.id,
                    label: run.label(),
                    reason: run.ended.unwrap_or(StopReason::Interrupted),
                    complete: run.count(TrialState::Complete),
                    pruned: run.count(TrialState::Pruned),
                    failed: run.failed(),
                }
            })
            .collect();
        RunSummary { studies }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
