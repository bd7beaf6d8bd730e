//! Tests with a process that is killed while it writes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use allometry_core::{TrialRecord, TrialState};
use allometry_store::{Finished, FinishedState, Liveness, SqliteStore, Store as _};
use allometry_testkit::{Cluster, fault_rounds};

use crate::support::{epoch, params, scores, start, study};

/// Environment variable with the storage's URL, set for the child process only.
const CHILD: &str = "ALLOMETRY_TEST_CRASH_URL";

/// Runs only as the child process that [`survives_kills`] starts and kills.
#[test]
fn child_writes_until_killed() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let store = allometry_store::open(&url).unwrap();
    let id = match store.study("s").unwrap() {
        Some(study) => study.id,
        None => store.create_study(&study("s")).unwrap(),
    };
    let mut out = std::io::stdout();
    loop {
        let trial = start(&*store, id, &params());
        store.report(trial.id, &[epoch(1, 0.25, 0.5)]).unwrap();
        let finished = Finished {
            values: vec![trial.number.0 as f64],
            reports: vec![epoch(2, 0.5, 0.5), epoch(3, 0.75, 0.5)],
            record: TrialRecord { seed: Some(trial.number.0), ..TrialRecord::default() },
            predictions: Some(scores().into()),
            log: Some("said".into()),
            ..Finished::default()
        };
        store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
        writeln!(out, "told {}", trial.number).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_was_told_survives_a_kill_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    survives_kills(folder.path().join("x.db").to_str().unwrap(), || {});
}

#[test]
fn what_was_told_survives_a_kill_on_postgres() {
    let Some(cluster) = Cluster::shared("what_was_told_survives_a_kill_on_postgres") else { return };
    let url = cluster.database();
    // Requests that a killed process has sent take effect until the server notices its end.
    let others = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    survives_kills(&url, || while cluster.sql(&url, others) != "0" {});
}

/// Kills writers repeatedly. `settled` returns when no request of a killed process can take effect any more.
fn survives_kills(url: &str, settled: impl Fn()) {
    let mut told_before = 0;
    for round in 0..fault_rounds(20) as u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::child_writes_until_killed", "--exact", "--nocapture"])
            .env(CHILD, url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: String| line.rsplit_once("told ").and_then(|(_, n)| n.trim().parse::<u64>().ok());
        let mut told = None;
        // The number of trials varies, so that the kills hit different moments.
        while told.is_none_or(|last| last < told_before + 1 + round % 7) {
            let line = lines.next().expect("the child writes until it is killed").unwrap();
            told = number(line).or(told);
        }
        child.kill().unwrap();
        for line in lines.map_while(Result::ok) {
            told = number(line).or(told);
        }
        child.wait().unwrap();
        let told = told.unwrap();

        settled();
        let store = allometry_store::open(url).unwrap();
        let id = store.study("s").unwrap().unwrap().id;
        let trials = store.trials(id).unwrap();
        assert!(trials.iter().enumerate().all(|(i, t)| t.number.0 == i as u64));
        let mut unfinished = 0;
        for trial in &trials {
            let number = trial.number;
            match trial.state {
                TrialState::Complete => {
                    assert_eq!(trial.value(), Some(number.0 as f64));
                    assert_eq!((trial.record.seed, trial.intermediate.len()), (Some(number.0), 3));
                    assert_eq!(trial.params.to_string(), params().to_string());
                    assert_eq!(store.predictions(id, number).unwrap(), Some(scores().into()));
                    assert_eq!(store.epoch_metrics(id, number).unwrap().len(), 3);
                }
                TrialState::Running => {
                    assert!(number.0 > told, "trial {number} was told as ended");
                    unfinished += 1;
                    assert_eq!((trial.value(), trial.params.0.len()), (None, 6));
                    assert!(trial.intermediate.len() <= 1);
                }
                TrialState::Failed => {}
                other => panic!("trial {number} is {other:?}"),
            }
        }
        assert!(unfinished <= 1 && told < trials.len() as u64);
        let running = store.running(id).unwrap();
        assert_eq!(running.len(), unfinished);
        for trial in running {
            if cfg!(target_os = "linux") {
                assert_eq!(trial.owner.unwrap().liveness(), Liveness::Ended, "seen at once");
            }
            store.finish(trial.handle.id, FinishedState::Failed, &Finished::default()).unwrap();
        }
        told_before = trials.len() as u64;
    }
}

/// POSIX drops a process's locks on a file when any of its handles to the file is closed. Without that lock
/// the next program that closes the file considers itself the last user, and deletes the log to which the
/// writer still writes.
#[cfg(target_os = "linux")]
#[test]
fn readers_in_the_process_leave_the_writers_lock() {
    use std::os::unix::fs::MetadataExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let url = path.to_str().unwrap();
    let writer = SqliteStore::open(url).unwrap();
    writer.create_study(&study("s")).unwrap();
    let inode = std::fs::metadata(&path).unwrap().ino();
    // The list of locks is read in pieces: one reading may miss a line while other tests take and release
    // locks.
    let held = || {
        (0..100).any(|_| {
            let locks = std::fs::read_to_string("/proc/locks").unwrap();
            locks.lines().any(|line| line.contains("POSIX") && line.contains(&format!(":{inode} ")))
        })
    };
    assert!(held());
    drop(SqliteStore::open_read_only(url).unwrap());
    assert!(held(), "after reading");
    drop(SqliteStore::open(url).unwrap());
    assert!(held(), "after writing");
    assert!(allometry_store::import::read(&path, None, &allometry_store::import::Roles::default()).is_err());
    assert!(held(), "after importing");
}
