//! The run: workers evaluate the studies of a ladder until each has its trials.

use std::sync::mpsc::Sender;

use allometry_core::{Objective, StudyEvent};
use allometry_store::facts::Fact;
use allometry_store::{Store, StudyId};

use crate::dispatcher::Dispatcher;
use crate::error::RunError;
use crate::evaluate::evaluate;
use crate::heartbeat::Heartbeat;
use crate::interrupt::Interrupt;
use crate::open::OpenStudy;
use crate::options::RunOptions;
use crate::process::Process;
use crate::summary::RunSummary;

/// Number of heartbeats per lease.
const BEATS: u32 = 6;

/// Runs all studies until they end: smaller budgets first, the next one as soon as a worker is free.
///
/// A failed trial is recorded and the run continues. A closed channel of `events` is not an error.
///
/// # Errors
/// [`RunError::Lost`] where the store rejects a result, after the other workers' trials are written, or where
/// it was replaced by another one since the start of the run; [`RunError::Machine`] where the machine cannot
/// start programs; [`RunError::Store`] before the first trial.
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
    // A running study has not ended, even if its last run did.
    ids.into_iter().try_for_each(|id| store.set_facts(id, &[Fact::Ended(None)]))?;
    let heartbeat = Heartbeat::default();
    let outcome = std::thread::scope(|scope| {
        let beating = scope.spawn(|| {
            heartbeat.beat(store, options.lease / BEATS, |error| dispatcher.set_replaced(error));
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
    let ended = match (dispatcher.take_replaced(), outcome) {
        (Some(replaced), _) => Err(replaced.into()),
        (None, outcome) => outcome.and_then(|()| conclude(store, &dispatcher)),
    };
    ended.map_err(|error| match error {
        RunError::Store(cause) => RunError::Lost { cause, known: dispatcher.known() },
        other => other,
    })
}

/// Records why each study ended, in the store that the run began with.
fn conclude(store: &dyn Store, dispatcher: &Dispatcher<'_>) -> Result<RunSummary, RunError> {
    let summary = dispatcher.summary();
    for study in &summary.studies {
        store.set_facts(study.id, &[Fact::Ended(Some(study.reason))])?;
    }
    store.check_present()?;
    Ok(summary)
}
