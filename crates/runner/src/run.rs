//! The run: workers over the studies of a ladder until each has its trials.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use allometry_core::event::StopReason;
use allometry_core::{Objective, StudyEvent};
use allometry_store::facts::Fact;
use allometry_store::{Store, StudyId};

use crate::dispatcher::Dispatcher;
use crate::error::RunError;
use crate::evaluate::evaluate;
use crate::heartbeat::Heartbeat;
use crate::interrupt::Interrupt;
use crate::open::OpenStudy;
use crate::process::Process;

/// Signs of life in the time of a lease.
const BEATS: u32 = 6;

/// How a run goes.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Trials evaluated at the same time, each on one thread; at least 1.
    pub workers: usize,
    /// When no new trial is started any more.
    pub deadline: Option<Instant>,
    /// Seed of the ladder.
    pub seed: u64,
    /// Epochs that a trial takes at most, for progress.
    pub epochs: Option<u64>,
    /// Time without a sign of life after which a process has lost its trials.
    pub lease: Duration,
    /// How often a trial is tried again whose process ended first.
    pub retries: u64,
}

impl RunOptions {
    /// Time without a sign of life after which a process has lost its trials, unless given.
    pub const LEASE: Duration = Duration::from_mins(1);

    /// How often a trial is tried again whose process ended first, unless given.
    pub const RETRIES: u64 = 3;
}

/// How a study ended.
#[derive(Debug, Clone)]
pub struct StudyOutcome {
    /// Its place in the store.
    pub id: StudyId,
    /// Label of its size budget.
    pub label: String,
    /// Why it ended.
    pub reason: StopReason,
    /// Complete trials.
    pub complete: u64,
    /// Trials stopped early.
    pub pruned: u64,
    /// Failed trials, interrupted ones not counted.
    pub failed: u64,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// One entry per study, in order.
    pub studies: Vec<StudyOutcome>,
}

impl RunSummary {
    /// Whether any study ended for `reason`.
    pub fn any(&self, reason: StopReason) -> bool {
        self.studies.iter().any(|s| s.reason == reason)
    }
}

/// Runs every study to its end: smaller budgets first, the next one begun as soon as a worker is free.
///
/// A trial that fails is recorded and the run goes on. Events go to `events`; a closed channel is no error.
///
/// # Errors
/// [`RunError::Lost`] when the store refuses to take a result, the other workers' trials being told first, or when it is not the one
/// any more that the run began with; [`RunError::Machine`] where no program can be run; [`RunError::Store`] before any trial.
pub fn run(
    studies: Vec<OpenStudy>,
    store: &dyn Store,
    objective: &dyn Objective,
    options: &RunOptions,
    interrupt: &Interrupt,
    events: &Sender<StudyEvent>,
) -> Result<RunSummary, RunError> {
    let (asked, to) = (interrupt.clone(), events.clone());
    let ids: Vec<StudyId> = studies.iter().map(|study| study.id).collect();
    let dispatcher = Dispatcher::start(studies, store, objective, Process::this(), options, asked, to)?;
    // A study that runs has not ended, however its last run did.
    ids.into_iter().try_for_each(|id| store.set_facts(id, &[Fact::Ended(None)]))?;
    let heartbeat = Heartbeat::default();
    let outcome = std::thread::scope(|scope| {
        let beating = scope.spawn(|| {
            heartbeat.beat(store, options.lease / BEATS, |error| dispatcher.depart(error));
        });
        let workers: Vec<_> = (0..options.workers.max(1))
            .map(|worker| {
                let (dispatcher, heartbeat, events) = (&dispatcher, &heartbeat, events.clone());
                scope.spawn(move || -> Result<(), RunError> {
                    while let Some(assignment) = dispatcher.next(worker)? {
                        let _alive = heartbeat.watch(assignment.id);
                        let result =
                            evaluate(&assignment, worker, dispatcher, store, objective, interrupt, &events);
                        dispatcher.done(&assignment, worker, result)?;
                    }
                    Ok(())
                })
            })
            .collect();
        let mut outcome = Ok(());
        for worker in workers {
            let ended =
                worker.join().expect("workers catch the panics of objectives and have none of their own");
            if ended.is_err() && outcome.is_ok() {
                outcome = ended;
            }
        }
        heartbeat.stop();
        beating.join().expect("the heartbeat ignores a store that does not answer");
        outcome
    });
    let ended = match (dispatcher.departure(), outcome) {
        (Some(departed), _) => Err(departed.into()),
        (None, outcome) => outcome.and_then(|()| conclude(store, &dispatcher)),
    };
    ended.map_err(|error| match error {
        RunError::Store(cause) => RunError::Lost { cause, known: dispatcher.known() },
        other => other,
    })
}

/// Writes down how each study ended, in the store that the run began with.
fn conclude(store: &dyn Store, dispatcher: &Dispatcher<'_>) -> Result<RunSummary, RunError> {
    let summary = dispatcher.summary();
    for study in &summary.studies {
        store.set_facts(study.id, &[Fact::Ended(Some(study.reason))])?;
    }
    store.still_there()?;
    Ok(summary)
}
