//! Tests with a server that is killed and restarted during writes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use allometry_core::{TrialRecord, TrialState};
use allometry_store::{Finished, FinishedState, NewTrial, Owner, PostgresStore, Start, Store};
use allometry_testkit::{Cluster, fault_rounds};

use crate::support::{epoch, params, record, scores, space, start, study};

#[test]
fn nothing_is_lost_or_doubled_by_a_server_that_is_killed_under_load() {
    const WRITERS: usize = 4;
    let kills = fault_rounds(8) as u64;
    let Some(cluster) = Cluster::start("nothing_is_lost_or_doubled_by_a_server_that_is_killed_under_load")
    else {
        return;
    };
    let store = PostgresStore::open(&cluster.database()).unwrap();
    let id = store.create_study(&study("s")).unwrap();
    let (ended, told) = (AtomicBool::new(false), Mutex::new(BTreeMap::new()));
    let enqueued = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, ended, told, enqueued) = (&store, &ended, &told, &enqueued);
            scope.spawn(move || {
                let owner = Owner::this_process();
                let (space, params, plain) = (space(), params(), TrialRecord::default());
                while !ended.load(Ordering::SeqCst) {
                    // One writer creates waiting trials; all others claim them.
                    if writer == 0 {
                        let new = NewTrial {
                            start: Start::Waiting,
                            params: &params,
                            space: &space,
                            record: &plain,
                        };
                        store.create_trial(id, &new).unwrap();
                        enqueued.fetch_add(1, Ordering::SeqCst);
                    }
                    let trial = match store.claim_waiting(id, Some(&owner)).unwrap() {
                        Some((claimed, _)) => claimed,
                        None => start(store, id, &params),
                    };
                    store.report(trial.id, &[epoch(1, 0.25, 0.5)]).unwrap();
                    store.heartbeat(&[trial.id]).unwrap();
                    let value = trial.number.0 as f64 + writer as f64 / 8.0;
                    let finished = Finished {
                        values: vec![value],
                        reports: vec![epoch(2, value, 0.5)],
                        record: record(),
                        predictions: Some(scores().into()),
                        log: Some("nul \0 is no character of a text".into()),
                        ..Finished::default()
                    };
                    assert_eq!(
                        store.finish(trial.id, FinishedState::Complete, &finished).unwrap(),
                        TrialState::Complete
                    );
                    assert_eq!(
                        told.lock().unwrap().insert(trial.number, value),
                        None,
                        "each is worked on once"
                    );
                }
            });
        }
        for kill in 0..kills {
            // The kills hit different moments, each after some progress.
            let before = told.lock().unwrap().len();
            while told.lock().unwrap().len() < before + 20 {
                std::thread::sleep(Duration::from_millis(1 + kill % 8));
            }
            cluster.stop(if kill % 4 == 3 { "fast" } else { "immediate" });
            cluster.start_again();
        }
        ended.store(true, Ordering::SeqCst);
    });
    // The trial that was enqueued last may still be waiting.
    while let Some((claimed, _)) = store.claim_waiting(id, None).unwrap() {
        let finished = Finished { values: vec![-1.0], ..Finished::default() };
        store.finish(claimed.id, FinishedState::Complete, &finished).unwrap();
        told.lock().unwrap().insert(claimed.number, -1.0);
    }
    let told = told.into_inner().unwrap();
    let trials = store.trials(id).unwrap();
    assert!(trials.iter().enumerate().all(|(i, trial)| trial.number.0 == i as u64));
    assert_eq!(trials.len(), told.len(), "as many as were told");
    for trial in &trials {
        assert_eq!((trial.state, trial.value()), (TrialState::Complete, told.get(&trial.number).copied()));
        assert_eq!(trial.params.to_string(), params().to_string());
        if trial.value() != Some(-1.0) {
            assert_eq!(trial.intermediate.len(), 2);
            assert_eq!(store.predictions(id, trial.number).unwrap(), Some(scores().into()));
            let log = store.log(id, trial.number).unwrap().unwrap();
            assert_eq!(log, "nul \u{fffd} is no character of a text");
        }
    }
    assert!(enqueued.load(Ordering::SeqCst) > 0 && store.running(id).unwrap().is_empty());
}

#[test]
fn a_server_that_was_away_counts_as_silence_of_nobody() {
    let Some(cluster) = Cluster::start("a_server_that_was_away_counts_as_silence_of_nobody") else { return };
    let url = cluster.database();
    let store = PostgresStore::open(&url).unwrap();
    let id = store.create_study(&study("s")).unwrap();
    let trial = start(&store, id, &params());
    let age = || store.running(id).unwrap()[0].heartbeat_age.unwrap();
    cluster.sql(&url, "UPDATE allometry_leases SET heartbeat = now() - interval '1 hour'");
    cluster.stop("fast");
    cluster.start_again();
    assert!(age() < Duration::from_mins(1), "nobody could say that he works");
    store.heartbeat(&[trial.id]).unwrap();
    assert!(age() < Duration::from_mins(1));
}
