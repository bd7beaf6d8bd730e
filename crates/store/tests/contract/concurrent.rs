//! Tests with several concurrent writers.

use std::collections::BTreeSet;

use allometry_core::{TrialNumber, TrialRecord, TrialState};
use allometry_store::{Finished, FinishedState, NewTrial, Owner, PostgresStore, SqliteStore, Start, Store};
use allometry_testkit::Cluster;

use crate::support::{epoch, params, space, start, study};

/// Writes from one thread per store; all `stores` are connections to one storage.
fn write_at_once(stores: &[&dyn Store]) {
    const TRIALS: usize = 40;
    let id = stores[0].create_study(&study("s")).unwrap();
    let (space, record) = (space(), TrialRecord::default());
    for _ in 0..10 {
        let new = NewTrial { start: Start::Waiting, params: &params(), space: &space, record: &record };
        stores[0].create_trial(id, &new).unwrap();
    }
    let claimed: Vec<Vec<TrialNumber>> = std::thread::scope(|scope| {
        let writers: Vec<_> = stores
            .iter()
            .map(|store| {
                scope.spawn(move || {
                    let owner = Owner::this_process();
                    let mut claimed = Vec::new();
                    while let Some((handle, _)) = store.claim_waiting(id, Some(&owner)).unwrap() {
                        claimed.push(handle.number);
                    }
                    for i in 0..TRIALS {
                        let trial = start(*store, id, &params());
                        store.report(trial.id, &[epoch(1, 0.5, 0.5)]).unwrap();
                        let finished = Finished { values: vec![i as f64], ..Finished::default() };
                        store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
                    }
                    claimed
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let claimed: Vec<TrialNumber> = claimed.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 10);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>().len(), 10, "each is claimed once");
    let trials = stores[0].trials(id).unwrap();
    let numbers: Vec<u64> = trials.iter().map(|t| t.number.0).collect();
    assert_eq!(numbers, (0..10 + (TRIALS * stores.len()) as u64).collect::<Vec<_>>());
    let complete = trials.iter().filter(|t| t.state == TrialState::Complete).count();
    assert_eq!(complete, TRIALS * stores.len());
}

#[test]
fn threads_share_a_store_in_memory() {
    let store = SqliteStore::in_memory().unwrap();
    write_at_once(&[&store, &store, &store]);
}

#[test]
fn threads_share_a_sqlite_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("x.db").to_str().unwrap()).unwrap();
    write_at_once(&[&store, &store, &store]);
}

#[test]
fn connections_share_a_file_that_they_make_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let open = || SqliteStore::open(path.to_str().unwrap()).unwrap();
    let stores: Vec<SqliteStore> = std::thread::scope(|scope| {
        let opened: Vec<_> = (0..3).map(|_| scope.spawn(open)).collect();
        opened.into_iter().map(|store| store.join().unwrap()).collect()
    });
    let stores: Vec<&dyn Store> = stores.iter().map(|store| store as &dyn Store).collect();
    write_at_once(&stores);
}

#[test]
fn threads_share_a_postgres_store() {
    let Some(cluster) = Cluster::shared("threads_share_a_postgres_store") else { return };
    let store = PostgresStore::open(&cluster.database()).unwrap();
    write_at_once(&[&store as &dyn Store; 10]);
}

#[test]
fn connections_share_a_database_whose_tables_they_make_at_once() {
    let test = "connections_share_a_database_whose_tables_they_make_at_once";
    let Some(cluster) = Cluster::shared(test) else { return };
    let url = cluster.database();
    let open = || PostgresStore::open(&url).unwrap();
    let stores: Vec<PostgresStore> = std::thread::scope(|scope| {
        let opened: Vec<_> = (0..5).map(|_| scope.spawn(open)).collect();
        opened.into_iter().map(|store| store.join().unwrap()).collect()
    });
    let stores: Vec<&dyn Store> = stores.iter().map(|store| store as &dyn Store).collect();
    write_at_once(&stores);
}
