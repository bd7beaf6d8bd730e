//! Hands trials to workers: one at a time, under one lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use allometry_core::event::StopReason;
use allometry_core::ladder::BudgetSpec;
use allometry_core::pruner::{Decision, ReportingTrial};
use allometry_core::rng::{stream, stream_seed};
use allometry_core::trial::incumbent;
use allometry_core::{
    Direction, EarlyStop, EpochReport, FrozenTrial, Objective, Origin, Params, SampleError, Sampler,
    StudyEvent, StudyView, TrialNumber, TrialRecord, TrialSpec, TrialState,
};
use allometry_store::{NewTrial, Owner, Start, Store, StudyId, TrialId};

use crate::error::RunError;
use crate::evaluate::Ended;
use crate::interrupt::Interrupt;
use crate::open::{OpenStudy, Pruning};
use crate::recover;
use crate::run::{RunOptions, RunSummary, StudyOutcome};

/// A study stops when its failed trials outnumber those with a value by this many.
const FAILURES_BEYOND_VALUED: u64 = 10;

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

struct StudyRun {
    id: StudyId,
    spec: BudgetSpec,
    sampler: Box<dyn Sampler>,
    pruning: Option<Pruning>,
    /// One record per suggestion by number; a repetition stands under the number of its first attempt.
    finished: Vec<FrozenTrial>,
    running: Vec<FrozenTrial>,
    /// Interrupted trials to be run again.
    retries: VecDeque<TrialNumber>,
    ended: Option<StopReason>,
    exhausted: bool,
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
        for OpenStudy { id, spec, sampler, pruning } in studies {
            let label = spec.budget.label.clone();
            let recovered = recover::recover(store, id, &label)?;
            let finished = recover::fold_attempts(store.trials(id)?);
            let run = StudyRun {
                retries: finished.iter().filter(|t| recover::was_interrupted(t)).map(|t| t.number).collect(),
                id,
                spec,
                sampler,
                pruning,
                finished,
                running: Vec::new(),
                ended: None,
                exhausted: false,
            };
            let started = StudyEvent::StudyStarted {
                budget: label.clone(),
                trials: run.spec.trials,
                done: run.valued(),
            };
            let _ = events.send(started);
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
                for run in studies.iter_mut().filter(|run| run.running.is_empty()) {
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
            run.end_if_done(events);
            if run.ended.is_some() || !run.wants_more() {
                continue;
            }
            let Some((params, record)) = run.choose(self.seed, self.objective) else {
                run.end_if_done(events);
                continue;
            };
            let retried = record.retry_of;
            let new = NewTrial {
                start: Start::Running(&self.owner),
                params: &params,
                space: &run.spec.space,
                record: &record,
            };
            let handle = self.store.create_trial(run.id, &new)?;
            let slot = retried.unwrap_or(handle.number);
            let mut trial = FrozenTrial::new(slot.0, TrialState::Running, None, params.clone());
            trial.record = record.clone();
            run.finished.retain(|t| t.number != slot);
            insert_by_number(&mut run.running, trial);
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

impl StudyRun {
    fn label(&self) -> String {
        self.spec.budget.label.clone()
    }

    fn count(&self, state: TrialState) -> u64 {
        self.finished.iter().filter(|t| t.state == state).count() as u64
    }

    /// Trials that ended with what they were run for: complete or stopped early.
    fn valued(&self) -> u64 {
        self.count(TrialState::Complete) + self.count(TrialState::Pruned)
    }

    fn failed(&self) -> u64 {
        self.finished.iter().filter(|t| t.state == TrialState::Failed && !recover::was_interrupted(t)).count()
            as u64
    }

    /// An interrupted trial's configuration and seed again, or the sampler's next; `None` when the space is used up.
    fn choose(&mut self, ladder_seed: u64, objective: &dyn Objective) -> Option<(Params, TrialRecord)> {
        if let Some(number) = self.retries.pop_front() {
            let place = self.finished.binary_search_by_key(&number, |t| t.number);
            let first = &self.finished[place.expect("a trial to be repeated is in the history")];
            let label = &self.spec.budget.label;
            let record = TrialRecord {
                size: first.record.size,
                seed: Some(first.record.seed.unwrap_or_else(|| trial_seed(ladder_seed, label, number.0))),
                origin: Some(Origin::Retry),
                retry_of: Some(number),
                exempt: first.record.exempt,
                ..TrialRecord::default()
            };
            return Some((first.params.clone(), record));
        }
        if self.exhausted {
            return None;
        }
        let view = StudyView { finished: &self.finished, running: &self.running };
        let index = view.len() as u64;
        let mut rng = stream(ladder_seed, &format!("sampler/{}", self.spec.budget.label), index);
        match self.sampler.suggest(&view, &mut rng) {
            Ok(suggestion) => {
                let label = &self.spec.budget.label;
                let exemption = self.pruning.as_ref().map(|pruning| pruning.exemption);
                let record = TrialRecord {
                    size: objective.model_size(&suggestion.params),
                    seed: Some(trial_seed(ladder_seed, label, index)),
                    origin: Some(suggestion.origin),
                    exempt: exemption.is_some_and(|e| e.covers(label, index, suggestion.origin)),
                    ..TrialRecord::default()
                };
                Some((suggestion.params, record))
            }
            Err(SampleError::Exhausted { .. }) => {
                self.exhausted = true;
                None
            }
        }
    }

    fn too_many_failed(&self) -> bool {
        self.failed() >= self.valued() + FAILURES_BEYOND_VALUED
    }

    fn wants_more(&self) -> bool {
        self.valued() + (self.running.len() as u64) < self.spec.trials && !self.too_many_failed()
    }

    fn end_if_done(&mut self, events: &Sender<StudyEvent>) {
        if !self.running.is_empty() {
            return;
        }
        if self.valued() >= self.spec.trials {
            self.end(StopReason::TrialsReached, events);
        } else if self.too_many_failed() {
            self.end(StopReason::FailureLimit, events);
        } else if self.exhausted {
            self.end(StopReason::SpaceExhausted, events);
        }
    }

    fn end(&mut self, reason: StopReason, events: &Sender<StudyEvent>) {
        if self.ended.is_none() {
            self.ended = Some(reason);
            let _ = events.send(StudyEvent::StudyFinished { budget: self.label(), reason });
        }
    }
}

fn insert_by_number(trials: &mut Vec<FrozenTrial>, trial: FrozenTrial) {
    let place = trials.partition_point(|t| t.number < trial.number);
    trials.insert(place, trial);
}

fn trial_seed(ladder_seed: u64, label: &str, index: u64) -> u64 {
    stream_seed(ladder_seed, &format!("trial/{label}"), index)
}
