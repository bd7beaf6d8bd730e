//! Connections that are cut just while they commit.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use allometry_core::{TrialNumber, TrialRecord, TrialState};
use allometry_store::{Finished, FinishedState, NewTrial, Owner, PostgresStore, Start, Store};
use allometry_testkit::Cluster;
use serde_json::json;

use crate::support::{epoch, params, space, start, study};

/// What becomes of a commit on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It never arrives.
    Before,
    /// It takes effect, and the answer never arrives.
    After,
    /// The connection is cut first, and it arrives a while later.
    Late,
}

/// Stands between a store and its server; returns the port.
fn proxy(server: u16, cuts: &Arc<Mutex<VecDeque<Cut>>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let cuts = Arc::clone(cuts);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let (to_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || pass(from_server, to_client));
            let cuts = Arc::clone(&cuts);
            std::thread::spawn(move || watch(client, server, &cuts));
        }
    });
    port
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Passes on what a client says, but for the commits that are to be cut.
fn watch(mut client: TcpStream, mut server: TcpStream, cuts: &Mutex<VecDeque<Cut>>) {
    let mut buffer = [0; 1 << 13];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let said = &buffer[..length];
        let commits = said.windows(6).any(|word| word == b"COMMIT")
            && said.windows(17).any(|word| word == b"allometry_writers");
        match cuts.lock().unwrap().pop_front_if(|_| commits) {
            None => server.write_all(said).unwrap(),
            Some(Cut::Before) => break,
            Some(Cut::After) => {
                let _ = client.shutdown(Shutdown::Both);
                server.write_all(said).unwrap();
                // The server says so by closing, once it has seen that nobody says any more.
                server.shutdown(Shutdown::Write).unwrap();
                return;
            }
            Some(Cut::Late) => {
                let said = said.to_vec();
                let _ = client.shutdown(Shutdown::Both);
                std::thread::sleep(Duration::from_millis(500));
                let _ = server.write_all(&said);
                let _ = server.shutdown(Shutdown::Write);
                return;
            }
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

#[test]
fn what_was_being_committed_is_done_once() {
    let Some(cluster) = Cluster::shared("what_was_being_committed_is_done_once") else { return };
    let direct = cluster.database();
    cluster.sql(&direct, "CREATE ROLE cut LOGIN SUPERUSER PASSWORD 's3cret'");
    let cuts = Arc::new(Mutex::new(VecDeque::new()));
    let port = proxy(cluster.port(), &cuts);
    let database = cluster.sql(&direct, "SELECT current_database()");
    let store =
        PostgresStore::open(&format!("postgresql://cut:s3cret@127.0.0.1:{port}/{database}?sslmode=disable"))
            .unwrap();
    let owner = Owner::this_process();
    let (space, params, plain) = (space(), params(), TrialRecord::default());
    for (round, cut) in [Cut::Before, Cut::After, Cut::Late].into_iter().enumerate() {
        let next = || cuts.lock().unwrap().push_back(cut);
        next();
        let name = format!("study {round}");
        let id = store.create_study(&study(&name)).unwrap();
        assert_eq!(store.studies().unwrap().len(), round + 1);
        next();
        store.set_study_attribute(id, "cut", &json!(round)).unwrap();
        assert_eq!(store.study(&name).unwrap().unwrap().attributes["cut"], json!(round));
        next();
        let first = start(&store, id, &params);
        assert_eq!(first.number, TrialNumber(0));
        next();
        store.report(first.id, &[epoch(1, 0.5, 0.25)]).unwrap();
        next();
        let finished =
            Finished { value: Some(0.75), reports: vec![epoch(2, 0.75, 0.5)], ..Finished::default() };
        assert_eq!(store.finish(first.id, FinishedState::Complete, &finished).unwrap(), TrialState::Complete);
        next();
        let new = NewTrial { start: Start::Waiting, params: &params, space: &space, record: &plain };
        assert_eq!(store.create_trial_at(id, &new, TrialNumber(1)).unwrap().unwrap().number, TrialNumber(1));
        next();
        let (claimed, trial) = store.claim_waiting(id, Some(&owner)).unwrap().unwrap();
        assert_eq!((claimed.number, trial.state), (TrialNumber(1), TrialState::Running));
        next();
        store.heartbeat(&[claimed.id]).unwrap();
        assert!(cuts.lock().unwrap().is_empty(), "each call was cut");
        if cut == Cut::Late {
            // The last of them arrive.
            std::thread::sleep(Duration::from_secs(1));
        }
        let trials = store.trials(id).unwrap();
        let states: Vec<TrialState> = trials.iter().map(|trial| trial.state).collect();
        assert_eq!(states, [TrialState::Complete, TrialState::Running], "{cut:?}");
        assert_eq!((trials[0].value, trials[0].intermediate.len()), (Some(0.75), 2));
        assert_eq!(store.running(id).unwrap().len(), 1);
    }
    assert_eq!(store.studies().unwrap().len(), 3);
}
