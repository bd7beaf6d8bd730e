//! Tests with connections that are lost during a commit.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use allometry_core::{Direction, TrialNumber, TrialRecord, TrialState};
use allometry_store::facts::Fact;
use allometry_store::optuna::{self, AttributeKind, TrialHead, TrialSink};
use allometry_store::{Finished, FinishedState, NewTrial, Owner, PostgresStore, Start, Store};
use allometry_testkit::Cluster;

use crate::support::{epoch, params, space, start, study};

/// What the proxy does with a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It is dropped.
    Before,
    /// It takes effect, and the response is dropped.
    After,
    /// The connection is closed first, and the commit arrives later.
    Late,
    /// It is held back on an open connection until [`Self::Released`].
    Held,
    /// Ends [`Self::Held`].
    Released,
}

/// Starts a proxy between a store and its server; returns its port.
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

/// Whether bytes contain a writer's name as a parameter: its length and 32 digits.
fn names_writer(bytes: &[u8]) -> bool {
    bytes.strip_prefix(&[0, 0, 0, 32]).is_some_and(|name| name.iter().all(u8::is_ascii_hexdigit))
}

/// Forwards the client's messages, except for the commits to be cut.
fn watch(mut client: TcpStream, mut server: TcpStream, cuts: &Mutex<VecDeque<Cut>>) {
    let mut buffer = [0; 1 << 13];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let said = &buffer[..length];
        let commits = said.windows(6).any(|word| word == b"COMMIT")
            && said.windows(17).any(|word| word == b"allometry_writers")
            || said.windows(36).any(names_writer);
        let cut = cuts.lock().unwrap().pop_front_if(|_| commits);
        match cut {
            None => server.write_all(said).unwrap(),
            Some(Cut::Before | Cut::Released) => break,
            Some(Cut::Held) => {
                while cuts.lock().unwrap().pop_front_if(|next| *next == Cut::Released).is_none() {
                    std::thread::sleep(Duration::from_millis(10));
                }
                // The server may have closed the connection.
                if server.write_all(said).is_err() {
                    break;
                }
            }
            Some(Cut::After) => {
                let _ = client.shutdown(Shutdown::Both);
                server.write_all(said).unwrap();
                // The server closes the connection after it has seen the end of the client's stream.
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

/// Returns the URL of a new database behind a proxy that applies the `cuts`.
fn behind_proxy(cluster: &Cluster, user: &str, cuts: &Arc<Mutex<VecDeque<Cut>>>) -> String {
    let direct = cluster.database();
    cluster.sql(&direct, &format!("CREATE ROLE {user} LOGIN SUPERUSER PASSWORD 's3cret'"));
    let port = proxy(cluster.port(), cuts);
    let database = cluster.sql(&direct, "SELECT current_database()");
    format!("postgresql://{user}:s3cret@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// Collects one trial.
#[derive(Default)]
struct Seen {
    state: Option<TrialState>,
    values: Vec<f64>,
    params: usize,
    attributes: Vec<String>,
    reports: Vec<(i64, f64)>,
}

impl TrialSink for Seen {
    fn restart(&mut self) {
        *self = Self::default();
    }
    fn begin(&mut self, head: &TrialHead) {
        self.state = Some(head.state);
    }
    fn value(&mut self, value: f64) {
        self.values.push(value);
    }
    fn param(&mut self, _: &str, _: f64, _: &str) {
        self.params += 1;
    }
    fn attribute(&mut self, _: AttributeKind, key: &str, json: &str) {
        self.attributes.push(format!("{key}={json}"));
    }
    fn intermediate(&mut self, step: i64, value: f64) {
        self.reports.push((step, value));
    }
    fn end(&mut self) {}
}

#[test]
fn optunas_calls_are_done_once() {
    let Some(cluster) = Cluster::shared("optunas_calls_are_done_once") else { return };
    let cuts = Arc::new(Mutex::new(VecDeque::new()));
    let storage = optuna::open(&behind_proxy(cluster, "optuna_cut", &cuts)).unwrap();
    let float = r#"{"name": "FloatDistribution",
        "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}"#;
    for cut in [Cut::Before, Cut::After, Cut::Late] {
        let next = || {
            assert!(cuts.lock().unwrap().is_empty(), "each call was cut");
            cuts.lock().unwrap().push_back(cut);
        };
        next();
        let study = storage.create_study(&format!("{cut:?}"), &[Direction::Minimize]).unwrap();
        next();
        storage.set_study_attribute(study, AttributeKind::User, "k", "1").unwrap();
        assert_eq!(storage.study_attributes(study, AttributeKind::User).unwrap()["k"], "1");
        for number in 0..2 {
            next();
            let trial = storage.create_trial(study, None).unwrap();
            // The first comparison of the distribution needs a transaction, later ones use the cache.
            next();
            storage.set_param(trial, "x", 0.5, float).unwrap();
            next();
            storage.set_intermediate(trial, 3, 0.25).unwrap();
            next();
            storage.set_trial_attribute(trial, AttributeKind::System, "k", "2").unwrap();
            next();
            assert!(storage.set_state(trial, TrialState::Complete, &[0.75]).unwrap());
            if cut == Cut::Late {
                // Give the last late commits time to arrive.
                std::thread::sleep(Duration::from_secs(1));
            }
            let mut seen = Seen::default();
            storage.trial(trial, &mut seen).unwrap();
            assert_eq!((seen.state, seen.values), (Some(TrialState::Complete), vec![0.75]), "{cut:?}");
            assert_eq!((seen.params, seen.reports), (1, vec![(3, 0.25)]));
            assert_eq!(seen.attributes, ["k=2"]);
            assert_eq!(storage.trial_id(study, number).unwrap(), trial);
            assert!(storage.trial_id(study, number + 1).is_err(), "no trial was made twice");
        }
    }
}

#[test]
fn who_falls_silent_in_mid_commit_holds_nobody_up_and_does_it_later() {
    let test = "who_falls_silent_in_mid_commit_holds_nobody_up_and_does_it_later";
    let Some(cluster) = Cluster::shared(test) else { return };
    let cuts = Arc::new(Mutex::new(VecDeque::new()));
    let url = behind_proxy(cluster, "silent", &cuts);
    let (silent, params) = (PostgresStore::open(&url).unwrap(), params());
    let database = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let other = PostgresStore::open(&cluster.url(database)).unwrap();
    let id = silent.create_study(&study("s")).unwrap();
    std::thread::scope(|scope| {
        cuts.lock().unwrap().push_back(Cut::Held);
        let held = scope.spawn(|| start(&silent, id, &params));
        while !cuts.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        // The held transaction has locked the numbers of the study.
        assert_eq!(start(&other, id, &params).number, TrialNumber(0));
        cuts.lock().unwrap().push_back(Cut::Released);
        assert_eq!(held.join().unwrap().number, TrialNumber(1));
    });
    assert_eq!(other.trials(id).unwrap().len(), 2, "each made one");
}

#[test]
fn what_was_being_committed_is_done_once() {
    let Some(cluster) = Cluster::shared("what_was_being_committed_is_done_once") else { return };
    let cuts = Arc::new(Mutex::new(VecDeque::new()));
    let store = PostgresStore::open(&behind_proxy(cluster, "cut", &cuts)).unwrap();
    let owner = Owner::this_process();
    let (space, params, plain) = (space(), params(), TrialRecord::default());
    for (round, cut) in [Cut::Before, Cut::After, Cut::Late].into_iter().enumerate() {
        let next = || cuts.lock().unwrap().push_back(cut);
        next();
        let name = format!("study {round}");
        let id = store.create_study(&study(&name)).unwrap();
        assert_eq!(store.studies().unwrap().len(), round + 1);
        next();
        store.set_facts(id, &[Fact::TargetTrials(round as u64)]).unwrap();
        assert_eq!(store.study(&name).unwrap().unwrap().facts.target_trials, Some(round as u64));
        next();
        let first = start(&store, id, &params);
        assert_eq!(first.number, TrialNumber(0));
        next();
        store.report(first.id, &[epoch(1, 0.5, 0.25)]).unwrap();
        next();
        let finished =
            Finished { values: vec![0.75], reports: vec![epoch(2, 0.75, 0.5)], ..Finished::default() };
        assert_eq!(store.finish(first.id, FinishedState::Complete, &finished).unwrap(), TrialState::Complete);
        next();
        let new = NewTrial { start: Start::Waiting, params: &params, space: &space, record: &plain };
        assert_eq!(store.create_trial_at(id, &new, TrialNumber(1)).unwrap().unwrap().number, TrialNumber(1));
        next();
        // Until the server notices the lost connection, it holds the lock of the trial, and claims skip the
        // trial.
        let claim = || store.claim_waiting(id, Some(&owner)).unwrap();
        let (claimed, trial) = (0..600)
            .find_map(|_| {
                claim().or_else(|| {
                    std::thread::sleep(Duration::from_millis(50));
                    None
                })
            })
            .unwrap();
        assert_eq!((claimed.number, trial.state), (TrialNumber(1), TrialState::Running));
        next();
        store.heartbeat(&[claimed.id]).unwrap();
        assert!(cuts.lock().unwrap().is_empty(), "each call was cut");
        if cut == Cut::Late {
            // Give the last late commits time to arrive.
            std::thread::sleep(Duration::from_secs(1));
        }
        let trials = store.trials(id).unwrap();
        let states: Vec<TrialState> = trials.iter().map(|trial| trial.state).collect();
        assert_eq!(states, [TrialState::Complete, TrialState::Running], "{cut:?}");
        assert_eq!((trials[0].value(), trials[0].intermediate.len()), (Some(0.75), 2));
        assert_eq!(store.running(id).unwrap().len(), 1);
    }
    assert_eq!(store.studies().unwrap().len(), 3);
}
