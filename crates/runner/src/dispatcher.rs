//! Hands trials to workers: one at a time, under one lock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use allometry_core::event::StopReason;
use allometry_core::ladder::{BudgetSpec, StopRule};
use allometry_core::pruner::{Decision, ReportingTrial};
use allometry_core::trial::incumbent;
use allometry_core::{
    Direction, EarlyStop, EpochReport, FrozenTrial, Objective, Origin, StudyEvent, StudyView, TrialNumber,
    TrialRecord, TrialSpec, TrialState,
};
use allometry_store::{NewTrial, Owner, Start, Store, StoreError, StudyId, TrialHandle, TrialId};

use crate::ask::reject;
use crate::choice::{Choice, Chooser, SizeOf, split, trial_seed, waits};
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
    chooser: Chooser,
    pruning: Option<Pruning>,
    stop: StopRule,
    /// One record per suggestion by number; a repetition stands under the number of its first attempt.
    finished: Vec<FrozenTrial>,
    /// Those that this process evaluates, and those that wait or that other programs asked for.
    running: Vec<FrozenTrial>,
    /// Of `running` those that this process evaluates.
    own: BTreeSet<TrialNumber>,
    /// Numbers, in the store, of all trials that this process started.
    started: BTreeSet<TrialNumber>,
    /// The first number that the store had not given away when it was last read.
    next: TrialNumber,
    /// Interrupted trials to be run again.
    retries: VecDeque<TrialNumber>,
    ended: Option<StopReason>,
    /// Why the sampler gives nothing more.
    exhausted: Option<StopReason>,
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
            finished.retain(|trial| trial.state == TrialState::Failed || spec.space.contains(&trial.params));
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
    fn choose(&mut self, ladder_seed: u64, size: &SizeOf<'_>) -> Option<Choice> {
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
            return Some(Choice { params: first.params.clone(), record, index: number.0 });
        }
        if self.exhausted.is_some() {
            return None;
        }
        let view = StudyView { finished: &self.finished, running: &self.running };
        let Ok(mut choice) = self.chooser.suggest(&view, size) else {
            self.exhausted = Some(StopReason::SpaceExhausted);
            return None;
        };
        if let Some((gain, least)) = self.chooser.sampler.expected_gain().zip(self.stop.expected_gain)
            && gain < least
        {
            self.exhausted = Some(StopReason::ExpectedGain { gain, least });
            return None;
        }
        let exemption = self.pruning.as_ref().map(|pruning| pruning.exemption);
        let origin = choice.record.origin.unwrap_or(Origin::Model);
        choice.record.exempt =
            exemption.is_some_and(|exemption| exemption.covers(&self.chooser.label, choice.index, origin));
        Some(choice)
    }

    /// Takes in what other programs did: enqueued, asked for, told.
    fn refresh(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let elsewhere = self.running.iter().map(|trial| trial.number).filter(|n| !self.own.contains(n));
        let first = elsewhere.min().unwrap_or(self.next).min(self.next);
        for trial in store.trials_from(self.id, first)? {
            let number = trial.number;
            self.next = self.next.max(TrialNumber(number.0 + 1));
            if self.started.contains(&number) || self.own.contains(&number) {
                continue;
            }
            if trial.state.is_finished() {
                self.running.retain(|known| known.number != number);
                if self.finished.binary_search_by_key(&number, |known| known.number).is_err() {
                    insert_by_number(&mut self.finished, trial);
                }
            } else if !self.running.iter().any(|known| known.number == number) {
                insert_by_number(&mut self.running, trial);
            }
        }
        Ok(())
    }

    fn too_many_failed(&self) -> bool {
        self.failed() >= self.valued() + FAILURES_BEYOND_VALUED
    }

    /// Whether trials wait or new ones are wanted.
    fn wants_more(&self) -> bool {
        (self.running.iter().any(waits) || self.wants_new()) && !self.too_many_failed()
    }

    fn wants_new(&self) -> bool {
        self.valued() + (self.own.len() as u64) < self.spec.trials
    }

    fn end_if_done(&mut self, events: &Sender<StudyEvent>) {
        if !self.own.is_empty() || (self.running.iter().any(waits) && !self.too_many_failed()) {
            return;
        }
        if self.valued() >= self.spec.trials {
            self.end(StopReason::TrialsReached, events);
        } else if self.too_many_failed() {
            self.end(StopReason::FailureLimit, events);
        } else if let Some(reason) = self.exhausted {
            self.end(reason, events);
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
