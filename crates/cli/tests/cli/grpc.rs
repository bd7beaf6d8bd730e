//! Tests of `allometry serve --grpc` with Optuna's Python workers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use allometry_store::url::of_sqlite;
use allometry_testkit::{Cluster, certificates, fault_rounds, python_with};
use serde_json::Value;

use crate::support::{allometry, random_pause};

/// A running server, killed on drop.
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

    /// Kills the server, like `kill -9`.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn script(python: &Path, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/grpc").join(name))
        .args(arguments)
        .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../../python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // A proxy from the environment must not be used on one machine.
        .env("no_proxy", "127.0.0.1,localhost");
    command
}

fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Starts processes that tell trials of the study `shared`. Each thread returns the values that its process
/// was told are stored.
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

/// Returns the study `shared` as Optuna reads it from the database.
fn read(python: &Path, url: &str) -> Vec<Value> {
    let text = output(script(python, "read.py", &[url, "shared"]));
    serde_json::from_str(&text).unwrap()
}

fn peer(test: &str) -> Option<PathBuf> {
    python_with(test, "optuna, grpc, google.protobuf")
}

/// Runs Optuna's contract tests against a server of a storage, in PostgreSQL or not.
fn hold_to_contract(test: &str, storage: &str, postgres: Option<String>) {
    let modules = if postgres.is_some() { ", psycopg2" } else { "" };
    let modules = format!("optuna, grpc, google.protobuf, pytest{modules}");
    let Some(python) = python_with(test, &modules) else { return };
    let serve =
        serde_json::json!([env!("CARGO_BIN_EXE_allometry"), "serve", "--grpc", "127.0.0.1:PORT", storage]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/grpc/test_contract.py");
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
    let trials = read(&python, &of_sqlite(&folder.path().join("x.db")));
    assert_eq!(trials.len(), 100);
    for trial in &trials {
        assert_eq!(
            (&trial["state"], &trial["params"], &trial["reports"]),
            (&"COMPLETE".into(), &3.into(), &3.into())
        );
    }
}

/// Kills a server at random moments while workers use it, and compares the acknowledged values with the
/// stored ones.
fn kill_under_workers(python: &Path, folder: &Path, storage: &str) {
    const WORKERS: usize = 3;
    let kills = fault_rounds(6);
    let trials_each = 10 * kills;
    let mut server = Server::start(folder, &["--grpc", "127.0.0.1:0", storage]);
    let address = format!("127.0.0.1:{}", server.port);
    let workers = workers(python, &server.port, WORKERS, trials_each);
    let mut killed = 0;
    while workers.iter().any(|worker| !worker.is_finished()) {
        random_pause(Duration::from_millis(1400));
        if killed < kills {
            killed += 1;
            server.kill();
            server = Server::start(folder, &["--grpc", &address, storage]);
        }
    }
    let told: Vec<(u64, f64)> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    assert_eq!(told.len(), WORKERS * trials_each);
    let told: BTreeMap<u64, f64> = told.into_iter().collect();
    assert_eq!(told.len(), WORKERS * trials_each, "no number was given out twice");
    let trials = read(python, storage);
    for (i, trial) in trials.iter().enumerate() {
        assert_eq!(trial["number"], i);
        if let Some(value) = told.get(&(i as u64)) {
            assert_eq!((&trial["state"], trial["value"].as_f64()), (&"COMPLETE".into(), Some(*value)));
        }
        // Attributes set before a tell are stored with it, even if the answer was lost.
        if trial["state"] == "COMPLETE" {
            assert_eq!((&trial["params"], &trial["reports"]), (&3.into(), &3.into()));
            assert!(trial["worker"].is_string());
        }
    }
    let cut_off = trials.len() - told.len();
    assert!(cut_off <= killed * WORKERS, "a kill cuts off one trial of each worker at most: {cut_off}");
}

#[test]
fn a_killed_server_loses_nothing_told() {
    let Some(python) = peer("a_killed_server_loses_nothing_told") else { return };
    let folder = tempfile::tempdir().unwrap();
    kill_under_workers(&python, folder.path(), &of_sqlite(&folder.path().join("x.db")));
}

#[test]
fn a_killed_server_over_postgresql_loses_nothing_told() {
    let test = "a_killed_server_over_postgresql_loses_nothing_told";
    let Some(cluster) = Cluster::shared(test) else { return };
    let Some(python) = python_with(test, "optuna, grpc, google.protobuf, psycopg2") else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.database().replace("postgresql://", "postgresql+psycopg2://");
    kill_under_workers(&python, folder.path(), &url);
}

#[test]
fn a_token_is_shown_from_python() {
    let Some(python) = peer("a_token_is_shown_from_python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let server =
        Server::start(folder.path(), &["--grpc", "127.0.0.1:0", "--token", "s3cret", "sqlite:///:memory:"]);
    assert_eq!(output(script(&python, "proxy.py", &[&server.port, "s3cret"])), "UNAUTHENTICATED\n3\n");
}

/// The options that encrypt a server with `server.crt` and `server.key` of its folder.
const ENCRYPTED: [&str; 4] = ["--tls-certificate", "server.crt", "--tls-key", "server.key"];

#[test]
fn encrypted_connections_are_served_and_no_others() {
    let test = "encrypted_connections_are_served_and_no_others";
    let Some(python) = peer(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = certificates(test, folder.path(), |command| command) else { return };
    let arguments = [&["--grpc", "127.0.0.1:0", "--token", "s3cret", "sqlite:///:memory:"][..], &ENCRYPTED];
    let server = Server::start(folder.path(), &arguments.concat());
    // A silent client does not block the others.
    let _silent = TcpStream::connect(("127.0.0.1", server.port.parse().unwrap())).unwrap();
    let with = |authority: &Path| {
        script(&python, "proxy.py", &[&server.port, "s3cret", authority.to_str().unwrap()])
    };
    assert_eq!(output(with(&authority)), "UNAVAILABLE\n3\n");
    let distrusting = with(&folder.path().join("other.crt")).output().unwrap();
    let error = String::from_utf8_lossy(&distrusting.stderr);
    assert!(error.contains("ConnectionError: the storage's server does not answer"), "{error}");
}

#[test]
fn certificates_of_no_use_are_refused() {
    let test = "certificates_of_no_use_are_refused";
    let folder = tempfile::tempdir().unwrap();
    let Some(_) = certificates(test, folder.path(), |command| command) else { return };
    fs::write(folder.path().join("empty.crt"), "nothing").unwrap();
    for (certificate, key, code, said) in [
        ("none.crt", "server.key", 4, "none.crt: "),
        ("empty.crt", "server.key", 4, "empty.crt: it holds no certificate"),
        ("server.crt", "none.key", 4, "none.key: "),
        ("server.crt", "server.crt", 4, "server.crt: "),
        ("server.crt", "other.key", 4, "other.key: "),
    ] {
        let arguments =
            ["serve", "--grpc", "127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key];
        let output = allometry(folder.path()).args(arguments).arg("sqlite:///:memory:").output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(said) && error.contains("BEGIN PRIVATE KEY"), "{error}");
    }
    let alone = ["serve", "--grpc", "127.0.0.1:0", "--tls-certificate", "server.crt", "x.db"];
    let page = [&["serve", "x.db"][..], &ENCRYPTED].concat();
    for arguments in [&alone[..], &page] {
        assert_eq!(allometry(folder.path()).args(arguments).output().unwrap().status.code(), Some(2));
    }
}

/// Runs Optuna's own server on a storage. It does not accept port 0.
const OPTUNAS: &str = "import optuna, sys; optuna.storages.run_grpc_proxy_server(\
optuna.storages.RDBStorage(sys.argv[1]), host='127.0.0.1', port=int(sys.argv[2]))";

#[test]
fn wrong_calls_have_the_status_that_optunas_server_gives_them() {
    let Some(python) = peer("wrong_calls_have_the_status_that_optunas_server_gives_them") else { return };
    let folder = tempfile::tempdir().unwrap();
    let statuses = |port: &str| -> Vec<String> {
        output(script(&python, "status.py", &[port])).lines().map(str::to_owned).collect()
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut optunas = Command::new(&python);
    optunas
        .args([
            "-W",
            "ignore",
            "-c",
            OPTUNAS,
            &of_sqlite(&folder.path().join("theirs.db")),
            &port.to_string(),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let theirs = {
        let _server = Server { process: optunas.spawn().unwrap(), port: port.to_string() };
        crate::support::shared::wait_for("Optuna's server", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        statuses(&port.to_string())
    };
    let database = Cluster::shared("statuses over PostgreSQL").map(Cluster::database);
    for storage in ["sqlite:///:memory:"].into_iter().chain(database.as_deref()) {
        let server = Server::start(folder.path(), &["--grpc", "127.0.0.1:0", storage]);
        let ours = statuses(&server.port);
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let (what, code) = ours.rsplit_once(": ").unwrap();
            // Calls that fail in Optuna's server, or that store what no client can read back, are errors of
            // the caller here.
            let stumbled = ["UNKNOWN", "INTERNAL"].iter().any(|code| *theirs == format!("{what}: {code}"));
            let kept = theirs.ends_with(": OK") && BEYOND_OPTUNAS.contains(&what);
            assert!(
                ours == theirs || ((stumbled || kept) && code == "INVALID_ARGUMENT"),
                "{ours}, Optuna's {theirs}"
            );
        }
    }
}

/// Calls that Optuna's server accepts and this one refuses.
const BEYOND_OPTUNAS: [&str; 2] = ["CreateNewStudy, no direction", "CreateNewStudy, unknown direction"];

#[test]
fn what_cannot_be_served_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.db"), "no database at all").unwrap();
    for (arguments, code, message) in [
        (&["--grpc", "0.0.0.0:0", "x.db"][..], 2, "there is no token"),
        (&["--grpc", "127.0.0.1:0", "--listen", "127.0.0.1:0", "x.db"], 2, "cannot be used with"),
        (&["--grpc", "nonsense", "x.db"], 2, "invalid"),
        (&["--grpc", "127.0.0.1:0", "notes.db"], 5, "not a SQLite database"),
        (&["--grpc", "127.0.0.1:0", "missing/x.db"], 5, "there is no folder"),
    ] {
        let (found, _, err) = crate::support::run(folder.path(), &[&["serve"], arguments].concat());
        assert_eq!(found, code, "{err}");
        assert!(err.contains(message), "{err}");
    }
    assert!(!folder.path().join("x.db").exists());
}
