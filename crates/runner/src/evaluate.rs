//! Evaluation of one trial, from its start to its record in the store.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use allometry_core::{
    Constraints, EarlyStop, EpochReport, Failure, Objective, ObjectiveError, ObjectiveOutcome, PrunedOutcome,
    Reporter, Signal, StudyEvent, TrainingCost, TrialRecord, TrialState,
};
use allometry_store::{Finished, FinishedState, LateResult, Owner, Store, StoreError, TrialId};
use jiff::Timestamp;

use crate::assignment::{Assignment, Ended};
use crate::dispatcher::Dispatcher;
use crate::error::RunError;
use crate::interrupt::Interrupt;
use crate::interruption::Interruption;
use crate::objectives;

/// Smallest interval between writes of epochs to the store, so that readers see progress and a trial needs
/// few commits.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// Evaluates a trial and writes its result to the store; `None` where another process has failed the trial
/// because it took this process for dead.
///
/// # Errors
/// [`RunError::Store`] where the store rejects it.
pub(crate) fn evaluate(
    assignment: &Assignment,
    worker: usize,
    dispatcher: &Dispatcher<'_>,
    store: &dyn Store,
    objective: &dyn Objective,
    interrupt: &Interrupt,
    events: &Sender<StudyEvent>,
) -> Result<Option<Ended>, RunError> {
    let reporter = TrialReporter {
        assignment,
        worker,
        dispatcher,
        store,
        interrupt,
        events: Mutex::new(events.clone()),
        pending: Mutex::new(Pending {
            epochs: Vec::new(),
            flushed: Instant::now(),
            metrics: BTreeMap::new(),
            last: None,
            early_stop: None,
            error: None,
        }),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| objective.evaluate(&assignment.spec, &reporter)))
        .unwrap_or_else(|panic| Err(ObjectiveError::Failed(panic_failure(panic.as_ref()))));
    let pending = reporter.pending.into_inner().unwrap_or_else(PoisonError::into_inner);
    match pending.error {
        None => {}
        Some(StoreError::NotRunning { .. }) => {
            let newest = pending.epochs.last();
            let values = newest.map(|epoch| epoch.value).into_iter().collect();
            let step = newest.map(|epoch| epoch.step);
            return lost(store, assignment.id, TrialState::Running, values, step);
        }
        Some(error) => return Err(error.into()),
    }
    if let Err(ObjectiveError::Machine(cause)) = outcome {
        return Err(give_back(store, assignment, cause));
    }
    let last = pending.last;
    let log = objective.log(&assignment.spec);
    let step = pending.metrics.last_key_value().map(|(step, _)| *step);
    let (state, finished) = finished(assignment, outcome, pending, log);
    let state = match store.finish(assignment.id, state, &finished) {
        Ok(state) => state,
        Err(StoreError::NotRunning { .. }) => {
            let values = match state {
                FinishedState::Complete => finished.values,
                FinishedState::Pruned => last.into_iter().collect(),
                FinishedState::Failed => Vec::new(),
            };
            return lost(store, assignment.id, state.into(), values, step);
        }
        Err(error) => {
            dispatcher.keep(assignment, ended(state.into(), finished, last));
            return Err(error.into());
        }
    };
    Ok(Some(ended(state, finished, last)))
}

/// The end of a trial that is stored in `state`; `last` is its latest intermediate value.
fn ended(state: TrialState, finished: Finished, last: Option<f64>) -> Ended {
    let values = match state {
        TrialState::Complete => finished.values,
        TrialState::Pruned => last.filter(|value| !value.is_nan()).into_iter().collect(),
        _ => Vec::new(),
    };
    Ended { state, values, constraints: finished.constraints, record: finished.record }
}

/// Ends a trial that a fault of the machine prevented as interrupted, so that it is repeated and does not
/// count as an attempt.
fn give_back(store: &dyn Store, assignment: &Assignment, cause: String) -> RunError {
    let failure = Interruption::Machine(cause.clone()).failure();
    let record = TrialRecord { failure: Some(failure), ..assignment.record.clone() };
    // Where the store rejects this too, the trial is found without its process and repeated.
    let _ = store.finish(assignment.id, FinishedState::Failed, &Finished { record, ..Finished::default() });
    RunError::Machine { cause }
}

/// Records a late result with the trial, which another process has ended.
fn lost(
    store: &dyn Store,
    trial: TrialId,
    state: TrialState,
    values: Vec<f64>,
    step: Option<i64>,
) -> Result<Option<Ended>, RunError> {
    let teller = Some(Owner::this_process().to_string());
    store.record_late(trial, &LateResult { at: Timestamp::now(), teller, state, values, step })?;
    Ok(None)
}

fn finished(
    assignment: &Assignment,
    outcome: Result<ObjectiveOutcome, ObjectiveError>,
    pending: Pending,
    log: Option<String>,
) -> (FinishedState, Finished) {
    let mut record = assignment.record.clone();
    let mut predictions = None;
    let (mut values, mut constraints) = (Vec::new(), Constraints::default());
    let took = assignment.started.elapsed();
    let seconds = Some(took.as_secs_f64());
    let outcome = outcome.and_then(|outcome| {
        values =
            objectives::values(&assignment.objectives, &outcome, took).map_err(ObjectiveError::Failed)?;
        let ObjectiveOutcome { constraints: reported, metrics, size, .. } = &outcome;
        constraints = objectives::constraints(&assignment.limits, reported, metrics, *size, Some(took))
            .map_err(ObjectiveError::Failed)?;
        Ok(outcome)
    });
    let state = match outcome {
        Ok(_) if values[0].is_nan() => {
            record.failure = Some(Failure {
                reason: "the objective's value is not a number".into(),
                detail: String::new(),
            });
            FinishedState::Failed
        }
        Ok(outcome) => {
            record.size = outcome.size.or(record.size);
            record.best_step = outcome.best_step;
            record.checkpoint = outcome.checkpoint;
            record.metrics = outcome.metrics;
            predictions = outcome.predictions;
            record.cost = Some(TrainingCost { seconds: outcome.cost.seconds.or(seconds), ..outcome.cost });
            FinishedState::Complete
        }
        Err(ObjectiveError::Pruned(reported)) => {
            record.early_stop = Some(pending.early_stop.unwrap_or(EarlyStop::Pruned));
            record.metrics = pending.metrics.into_values().next_back().unwrap_or_default();
            let PrunedOutcome { metrics, constraints: own } = *reported;
            // The time and the epochs so far are not those of a complete trial. Constraints are identified by
            // their position, so a trial without the metric of a limit has none.
            constraints = objectives::constraints(&assignment.limits, &own, &metrics, record.size, None)
                .unwrap_or_default();
            record.metrics.extend(metrics);
            FinishedState::Pruned
        }
        Err(ObjectiveError::Collapsed(to)) => {
            (record.early_stop, record.collapsed_to) = (Some(EarlyStop::Collapsed), Some(to));
            record.metrics = pending.metrics.into_values().next_back().unwrap_or_default();
            FinishedState::Pruned
        }
        Err(ObjectiveError::Interrupted) => {
            record.failure = Some(Interruption::Stopped.failure());
            FinishedState::Failed
        }
        Err(ObjectiveError::Machine(cause)) => {
            record.failure = Some(Interruption::Machine(cause).failure());
            FinishedState::Failed
        }
        Err(ObjectiveError::Failed(failure)) => {
            record.failure = Some(failure);
            FinishedState::Failed
        }
    };
    (state, Finished { values, constraints, reports: pending.epochs, record, predictions, log })
}

fn panic_failure(panic: &(dyn std::any::Any + Send)) -> Failure {
    let message = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let detail = message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Failure { reason: "the objective panicked".into(), detail }
}

/// Passes a trial's epochs to the store, the event stream and the pruner.
struct TrialReporter<'a> {
    assignment: &'a Assignment,
    worker: usize,
    dispatcher: &'a Dispatcher<'a>,
    store: &'a dyn Store,
    interrupt: &'a Interrupt,
    events: Mutex<Sender<StudyEvent>>,
    pending: Mutex<Pending>,
}

struct Pending {
    /// Epochs that are not in the store yet.
    epochs: Vec<EpochReport>,
    flushed: Instant,
    /// Metrics of all epochs so far.
    metrics: BTreeMap<i64, BTreeMap<String, f64>>,
    /// Value of the latest epoch.
    last: Option<f64>,
    early_stop: Option<EarlyStop>,
    /// Error of the store, which ends the trial and the run.
    error: Option<StoreError>,
}

impl Reporter for TrialReporter<'_> {
    fn report(&self, epoch: &EpochReport) -> Signal {
        let event = StudyEvent::EpochFinished {
            budget: self.assignment.spec.budget.label.clone(),
            number: self.assignment.spec.number,
            worker: self.worker,
            step: epoch.step,
            value: epoch.value,
        };
        // A closed event stream is no reason to stop.
        let _ = self.events.lock().unwrap_or_else(PoisonError::into_inner).send(event);

        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.epochs.push(epoch.clone());
        pending.metrics.insert(epoch.step, epoch.metrics.clone());
        pending.last = Some(epoch.value);
        // The dispatcher gets every epoch, even where the store no longer accepts any.
        let early_stop = self.dispatcher.judge(self.assignment, epoch, &pending.metrics);
        if pending.flushed.elapsed() >= FLUSH_INTERVAL {
            if let Err(error) = self.store.report(self.assignment.id, &pending.epochs) {
                pending.error = Some(error);
                return Signal::Interrupt;
            }
            pending.epochs.clear();
            pending.flushed = Instant::now();
        }
        if self.interrupted() {
            return Signal::Interrupt;
        }
        pending.early_stop = early_stop;
        if pending.early_stop.is_some() { Signal::Prune } else { Signal::Continue }
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_asked() || self.dispatcher.is_replaced()
    }
}
