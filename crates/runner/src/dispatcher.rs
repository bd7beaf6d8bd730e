//! Assignment of trials to workers, one at a time under one lock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use allometry_core::{
    EarlyStop, EpochReport, FrozenTrial, Objective, StopReason, StudyEvent, TrialSpec, TrialState, incumbent,
};
use allometry_search::{Decision, ReportingTrial, StudyView};
use allometry_store::optuna::StudyWithTrials;
use allometry_store::{NewTrial, Start, Store, StoreError, TrialHandle};

use crate::ask::reject;
use crate::assignment::{Assignment, Ended};
use crate::choice::{Choice, SizeOf, waits};
use crate::error::RunError;
use crate::interrupt::Interrupt;
use crate::open::OpenStudy;
use crate::options::RunOptions;
use crate::process::Process;
use crate::rescue;
use crate::study_run::{StudyRun, insert_by_number};
use crate::summary::{RunSummary, StudyOutcome};

/// Longest interval at which an idle worker polls the store.
const LONGEST_POLL: Duration = Duration::from_millis(500);

/// Assigns trials to workers and keeps the studies' histories.
pub(crate) struct Dispatcher<'a> {
    store: &'a dyn Store,
    objective: &'a dyn Objective,
    process: Process<'a>,
    seed: u64,
    deadline: Option<Instant>,
    steps: Option<u64>,
    unit: &'static str,
    length: Option<&'static str>,
    /// Interval at which an idle worker polls the store.
    poll: Duration,
    interrupt: Interrupt,
    state: Mutex<State>,
    /// Signalled when a trial ends, because an idle worker may then get a trial.
    changed: Condvar,
    /// Whether the store was replaced by another one since the start of the run.
    is_replaced: AtomicBool,
}

struct State {
    studies: Vec<StudyRun>,
    events: Sender<StudyEvent>,
    broken: bool,
    /// Error that reports the replaced store.
    replaced: Option<StoreError>,
}

impl<'a> Dispatcher<'a> {
    /// Reads the studies' histories, recovers trials of ended processes and announces the studies.
    pub(crate) fn start(
        studies: Vec<OpenStudy>,
        store: &'a dyn Store,
        objective: &'a dyn Objective,
        process: Process<'a>,
        options: &RunOptions,
        interrupt: Interrupt,
        events: Sender<StudyEvent>,
    ) -> Result<Self, RunError> {
        let mut runs = Vec::with_capacity(studies.len());
        for study in studies {
            let mut run = StudyRun::new(study, options);
            run.stored = store.study(&run.identity.name)?;
            let recovered = run.refresh(store, &process)?;
            run.reset_failures();
            let budget = run.label();
            let started = StudyEvent::StudyStarted {
                budget: budget.clone(),
                trials: run.spec.trials,
                done: run.valued(),
            };
            let _ = events.send(started);
            if run.outside() > 0 {
                let _ =
                    events.send(StudyEvent::TrialsOutside { budget: budget.clone(), count: run.outside() });
            }
            if run.is_shared() {
                let _ = events.send(StudyEvent::StudyShared { budget: budget.clone() });
            }
            if !recovered.is_empty() {
                let _ = events.send(StudyEvent::TrialsRecovered { budget, numbers: recovered });
            }
            runs.push(run);
        }
        Ok(Self {
            store,
            objective,
            process,
            seed: options.seed,
            deadline: options.deadline,
            steps: options.steps,
            unit: options.unit,
            length: options.length,
            poll: (options.lease / 10).min(LONGEST_POLL),
            interrupt,
            state: Mutex::new(State { studies: runs, events, broken: false, replaced: None }),
            changed: Condvar::new(),
            is_replaced: AtomicBool::new(false),
        })
    }

    /// The next trial for a worker; `None` at the end of the run. Waits while it depends on running trials
    /// whether there is one.
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
                Ok(None) => {
                    // The ends of other processes and of their trials are not signalled here, so the wait has
                    // a timeout.
                    let waited = self.changed.wait_timeout(state, self.poll);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Err(error) => {
                    state.broken = true;
                    self.changed.notify_all();
                    return Err(error);
                }
            }
        }
    }

    /// The next trial for a worker if there is one without waiting.
    #[cfg(test)]
    pub(crate) fn try_next(&self, worker: usize) -> Result<Option<Assignment>, RunError> {
        self.assign(&mut self.lock(), worker)
    }

    fn assign(&self, state: &mut State, worker: usize) -> Result<Option<Assignment>, RunError> {
        let State { studies, events, .. } = state;
        for (index, run) in studies.iter_mut().enumerate() {
            if run.ended.is_some() {
                continue;
            }
            let Some((handle, Choice { params, record, .. })) = self.start_next(run, events)? else {
                run.end_if_done(events);
                continue;
            };
            if let Some(handover) = run.chooser.sampler.take_handover() {
                let _ = events.send(StudyEvent::SamplerChanged { budget: run.label(), handover });
            }
            let slot = record.retry_of.unwrap_or(handle.number);
            let mut trial = FrozenTrial::new(slot.0, TrialState::Running, None, params.clone());
            trial.record = record.clone();
            run.begin(handle.number, trial);
            let own = self.length.and_then(|name| u64::try_from(params.get(name)?.as_i64()?).ok());
            let (steps, unit) = (own.or(self.steps), self.unit);
            let _ = events.send(StudyEvent::TrialStarted {
                budget: run.label(),
                number: handle.number,
                worker,
                params: params.clone(),
                steps,
                unit,
            });
            let spec = TrialSpec {
                study: run.identity.clone(),
                budget: run.spec.budget.clone(),
                number: handle.number,
                first_attempt: slot,
                params,
                seed: record.seed.expect("`choose` always sets a seed"),
            };
            return Ok(Some(Assignment {
                study: index,
                slot,
                id: handle.id,
                spec,
                record,
                objectives: run.metrics.names(),
                limits: run.limits.clone(),
                started: Instant::now(),
            }));
        }
        Ok(None)
    }

    /// Starts a study's next trial in the store: an enqueued one, a repeated one or a new one. A new trial is
    /// created only under the number that follows all trials that the choice is based on. So of several
    /// processes that choose at the same time one succeeds and the others choose again; together they create
    /// the requested number of trials, all different.
    fn start_next(
        &self,
        run: &mut StudyRun,
        events: &Sender<StudyEvent>,
    ) -> Result<Option<(TrialHandle, Choice)>, RunError> {
        let size = |params: &_| self.objective.model_size(params);
        loop {
            let recovered = run.refresh(self.store, &self.process)?;
            if !recovered.is_empty() {
                let _ = events.send(StudyEvent::TrialsRecovered { budget: run.label(), numbers: recovered });
                continue;
            }
            if !run.wants_more() {
                return Ok(None);
            }
            if run.running.iter().any(waits) {
                match self.claim(run, &size)? {
                    Some(claimed) => return Ok(Some(claimed)),
                    None => continue,
                }
            }
            let Some(choice) = run.choose(self.store, self.seed, &size)? else { return Ok(None) };
            let new = NewTrial {
                start: Start::Running(&self.process.owner),
                params: &choice.params,
                space: &run.spec.space,
                record: &choice.record,
            };
            if let Some(handle) = self.store.create_trial_at(run.id, &new, run.next)? {
                return Ok(Some((handle, choice)));
            }
        }
    }

    /// Claims a waiting trial; `None` where another process was faster or its values do not fit.
    fn claim(
        &self,
        run: &mut StudyRun,
        size: &SizeOf<'_>,
    ) -> Result<Option<(TrialHandle, Choice)>, RunError> {
        let Some((handle, trial)) = self.store.claim_waiting(run.id, Some(&self.process.owner))? else {
            return Ok(None);
        };
        match run.chooser.complete(&trial, size) {
            Ok(choice) => {
                self.store.complete_params(handle.id, &choice.params, &run.spec.space, &choice.record)?;
                Ok(Some((handle, choice)))
            }
            Err(reason) => {
                reject(self.store, handle, trial.record, reason)?;
                Ok(None)
            }
        }
    }

    /// Records an epoch and returns the reason to stop the trial, if any. `metrics` are those of all its
    /// epochs.
    pub(crate) fn judge(
        &self,
        assignment: &Assignment,
        epoch: &EpochReport,
        metrics: &BTreeMap<i64, BTreeMap<String, f64>>,
    ) -> Option<EarlyStop> {
        let mut state = self.lock();
        let run = &mut state.studies[assignment.study];
        run.own_trial(assignment.slot).intermediate.insert(epoch.step, epoch.value);
        let StudyRun { running, finished, pruning, .. } = run;
        let pruning = pruning.as_ref().filter(|_| !assignment.record.exempt)?;
        // The values are borrowed: with a copy at each step a trial would take time quadratic in its steps.
        let place = running.binary_search_by_key(&assignment.slot, |trial| trial.number).ok()?;
        let (params, intermediate) = (&running[place].params, &running[place].intermediate);
        let trial = ReportingTrial { number: assignment.slot, params, intermediate, metrics };
        match pruning.pruner.decide(&StudyView { finished, running, other_budgets: &[] }, &trial) {
            Decision::Continue => None,
            Decision::Stop(reason) => Some(reason),
        }
    }

    /// Records the end of a trial that is in the store.
    pub(crate) fn done(
        &self,
        assignment: &Assignment,
        worker: usize,
        ended: Result<Option<Ended>, RunError>,
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
        let Some(ended) = ended else {
            run.drop_lost(assignment.slot);
            let (budget, number) = (run.label(), assignment.spec.number);
            let _ = events.send(StudyEvent::TrialLost { budget, number, worker });
            self.changed.notify_all();
            return Ok(());
        };
        let mut trial = run.release(assignment.slot);
        trial.state = ended.state;
        trial.values = ended.values;
        trial.system_attributes.extend(ended.constraints.attributes());
        trial.record = ended.record;
        let (state, value, early_stop) = (trial.state, trial.value(), trial.record.early_stop);
        let reason = trial.record.failure.as_ref().map(ToString::to_string);
        insert_by_number(&mut run.finished, trial);
        let _ = events.send(StudyEvent::TrialFinished {
            budget: run.label(),
            number: assignment.spec.number,
            worker,
            state,
            value,
            early_stop,
            reason,
            incumbent: incumbent(&run.finished, run.metrics.first().direction).and_then(FrozenTrial::value),
            seconds: assignment.started.elapsed().as_secs_f64(),
        });
        run.end_if_done(events);
        self.changed.notify_all();
        Ok(())
    }

    /// Records the end of a trial that could not be written to the store.
    pub(crate) fn keep(&self, assignment: &Assignment, ended: Ended) {
        let mut state = self.lock();
        let run = &mut state.studies[assignment.study];
        let mut trial = run.release(assignment.slot);
        trial.state = ended.state;
        trial.values = ended.values;
        trial.system_attributes.extend(ended.constraints.attributes());
        trial.record = ended.record;
        insert_by_number(&mut run.finished, trial);
    }

    /// Ends the run because its store was replaced by another one; running trials are interrupted.
    pub(crate) fn set_replaced(&self, error: StoreError) {
        let mut state = self.lock();
        state.broken = true;
        state.replaced.get_or_insert(error);
        self.is_replaced.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Whether the run is ending because its store was replaced by another one.
    pub(crate) fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::SeqCst)
    }

    /// The error that reports the replaced store, if any.
    pub(crate) fn take_replaced(&self) -> Option<StoreError> {
        self.lock().replaced.take()
    }

    /// All studies and trials that the run knows, for rescue from a store that failed.
    pub(crate) fn known(&self) -> Vec<StudyWithTrials> {
        rescue::complete_studies(self.lock().studies.iter())
    }

    /// The outcome of each study.
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
