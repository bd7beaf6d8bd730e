//! Optuna's Python workers on `allometry serve --grpc`.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use allometry_testkit::{Cluster, python_with};
use serde_json::Value;
use support::allometry;

/// A running server, ended with this value.
struct Server {
    process: Child,
    port: String,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process =
            allometry(folder).arg("serve").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().to_owned();
        assert!(port.parse::<u16>().is_ok(), "the server says where it listens: {line}");
        Self { process, port }
    }

    /// Ends at once, as `kill -9` does.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn script(python: &Path, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc").join(name))
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // A proxy of the environment has no place between processes of one machine.
        .env("no_proxy", "127.0.0.1");
    command
}

fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Processes that tell trials of the study `shared`; each thread returns what its process was told is stored.
fn workers(
    python: &Path,
    port: &str,
    count: usize,
    trials: usize,
) -> Vec<thread::JoinHandle<Vec<(u64, f64)>>> {
    let start = |worker: usize| {
        let command =
            script(python, "workers.py", &[port, "shared", &trials.to_string(), &worker.to_string()]);
        thread::spawn(move || {
            let told = |line: &str| {
                let (number, value) = line.split_once(' ').unwrap();
                (number.parse().unwrap(), value.parse().unwrap())
            };
            output(command).lines().map(told).collect()
        })
    };
    (0..count).map(start).collect()
}

/// The study `shared` as Optuna reads it from the database.
fn read(python: &Path, database: &Path) -> Vec<Value> {
    let text = output(script(python, "read.py", &[database.to_str().unwrap(), "shared"]));
    serde_json::from_str(&text).unwrap()
}

fn peer(test: &str) -> Option<PathBuf> {
    python_with(test, "optuna, grpc, google.protobuf")
}

/// Runs Optuna's contract against a server over that storage, in a PostgreSQL server or not.
fn hold_to_contract(test: &str, storage: &str, postgres: Option<String>) {
    let modules = if postgres.is_some() { ", psycopg2" } else { "" };
    let modules = format!("optuna, grpc, google.protobuf, pytest{modules}");
    let Some(python) = python_with(test, &modules) else { return };
    let serve =
        serde_json::json!([env!("CARGO_BIN_EXE_allometry"), "serve", "--grpc", "127.0.0.1:PORT", storage]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc/test_contract.py");
    let mut command = Command::new(&python);
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(script)
        .env("SERVE", serve.to_string())
        .envs(postgres.map(|url| ("POSTGRES", url)))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("no_proxy", "127.0.0.1");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("57 passed"), "{storage}\n{text}");
}

#[test]
fn optunas_own_contract_holds_over_sqlite() {
    hold_to_contract("optunas_own_contract_holds_over_sqlite", "DATABASE", None);
}

#[test]
fn optunas_own_contract_holds_in_memory() {
    hold_to_contract("optunas_own_contract_holds_in_memory", "sqlite:///:memory:", None);
}

#[test]
fn optunas_own_contract_holds_over_postgresql() {
    let test = "optunas_own_contract_holds_over_postgresql";
    let Some(cluster) = Cluster::shared(test) else { return };
    hold_to_contract(test, "DATABASE", Some(cluster.database()));
}

#[test]
fn processes_share_a_study() {
    let Some(python) = peer("processes_share_a_study") else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--grpc", "127.0.0.1:0", "x.db"]);
    let told: Vec<Vec<(u64, f64)>> =
        workers(&python, &server.port, 4, 25).into_iter().map(|w| w.join().unwrap()).collect();
    let numbers: BTreeSet<u64> = told.iter().flatten().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..100).collect(), "every number once");
    let trials = read(&python, &folder.path().join("x.db"));
    assert_eq!(trials.len(), 100);
    for trial in &trials {
        assert_eq!(
            (&trial["state"], &trial["params"], &trial["reports"]),
            (&"COMPLETE".into(), &3.into(), &3.into())
        );
    }
}

#[test]
fn a_killed_server_loses_nothing_told() {
    const KILLS: usize = 6;
    let Some(python) = peer("a_killed_server_loses_nothing_told") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &["--grpc", "127.0.0.1:0", "x.db"]);
    let address = format!("127.0.0.1:{}", server.port);
    let workers = workers(&python, &server.port, 3, 60);
    let database = folder.path().join("x.db");
    let mut kills = 0;
    while workers.iter().any(|worker| !worker.is_finished()) {
        thread::sleep(Duration::from_millis(700));
        if kills < KILLS && database.exists() {
            kills += 1;
            server.kill();
            server = Server::start(folder.path(), &["--grpc", &address, "x.db"]);
        }
    }
    let told: Vec<(u64, f64)> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert_eq!(told.len(), 180);
    let told: BTreeMap<u64, f64> = told.into_iter().collect();
    assert_eq!(told.len(), 180, "no number was given out twice");
    let trials = read(&python, &database);
    for (i, trial) in trials.iter().enumerate() {
        assert_eq!(trial["number"], i);
        if let Some(value) = told.get(&(i as u64)) {
            assert_eq!((&trial["state"], trial["value"].as_f64()), (&"COMPLETE".into(), Some(*value)));
            assert_eq!((&trial["params"], &trial["reports"]), (&3.into(), &3.into()));
        }
    }
}

#[test]
fn a_token_is_shown_from_python() {
    let Some(python) = peer("a_token_is_shown_from_python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let server =
        Server::start(folder.path(), &["--grpc", "127.0.0.1:0", "--token", "s3cret", "sqlite:///:memory:"]);
    assert_eq!(output(script(&python, "proxy.py", &[&server.port, "s3cret"])), "UNAUTHENTICATED\n3\n");
}

#[test]
fn what_cannot_be_served_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.db"), "no database at all").unwrap();
    for (arguments, code, message) in [
        (&["--grpc", "0.0.0.0:0", "x.db"][..], 2, "there is no token"),
        (&["--grpc", "127.0.0.1:0", "--listen", "127.0.0.1:0", "x.db"], 2, "cannot be used with"),
        (&["--grpc", "nonsense", "x.db"], 2, "invalid"),
        (&["--grpc", "127.0.0.1:0", "notes.db"], 5, "no SQLite database"),
        (&["--grpc", "127.0.0.1:0", "missing/x.db"], 5, "there is no folder"),
    ] {
        let (found, _, err) = support::run(folder.path(), &[&["serve"], arguments].concat());
        assert_eq!(found, code, "{err}");
        assert!(err.contains(message), "{err}");
    }
    assert!(!folder.path().join("x.db").exists());
}
