//! Several processes on one study: the total is exact, nothing is lost, whatever is killed or suspended.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use allometry_core::{FrozenTrial, Params, TrialState};
use support::shared::{self, start, wait_for};
use support::{allometry, run};

const TRIALS: usize = 24;

fn project() -> tempfile::TempDir {
    shared::project(TRIALS)
}

fn trials(folder: &Path) -> Vec<FrozenTrial> {
    shared::trials(&allometry_store::url::of_sqlite(&folder.join("trials.db")))
}

fn check(folder: &Path) -> BTreeSet<String> {
    shared::check(&trials(folder), TRIALS)
}

/// The configurations that one process alone tries.
fn alone() -> BTreeSet<String> {
    let folder = project();
    let (code, _, err) = run(folder.path(), &["run", "--workers", "3"]);
    assert_eq!(code, 0, "{err}");
    check(folder.path())
}

fn worker(folder: &Path) -> Child {
    start(
        folder,
        &["worker", "--storage", "trials.db", "--workers", "2", "--lease", "2s", "--retries", "100"],
    )
}

#[test]
fn processes_together_make_the_trials_that_one_alone_makes() {
    let folder = project();
    let mut main = start(folder.path(), &["run", "--workers", "1"]);
    wait_for("the first trial", || !trials(folder.path()).is_empty());
    let mut others = [worker(folder.path()), worker(folder.path()), start(folder.path(), &["run"])];
    assert!(main.wait().unwrap().success());
    for other in &mut others {
        assert!(other.wait().unwrap().success());
    }
    assert_eq!(trials(folder.path()).len(), TRIALS);
    assert_eq!(check(folder.path()), alone());
}

#[test]
fn whatever_is_killed_the_study_has_its_trials_in_the_end() {
    let folder = project();
    let mut processes = vec![start(folder.path(), &["run", "--lease", "2s", "--retries", "100"])];
    wait_for("the first trial", || !trials(folder.path()).is_empty());
    let mut kills = 0;
    for round in 0..12_u64 {
        processes.push(worker(folder.path()));
        std::thread::sleep(Duration::from_millis(60 + 37 * (round % 5)));
        let victim = &mut processes[round as usize / 2];
        if victim.try_wait().unwrap().is_none() {
            victim.kill().unwrap();
            kills += 1;
        }
    }
    assert!(kills > 0, "the processes ended before they could be killed");
    for mut process in processes {
        process.wait().unwrap();
    }
    let (code, _, err) = run(folder.path(), &["run", "--lease", "2s", "--retries", "100"]);
    assert_eq!(code, 0, "{err}");
    check(folder.path());
}

#[cfg(target_os = "linux")]
#[test]
fn a_suspended_process_loses_its_trial_and_its_late_result_is_refused() {
    let signal = |child: &Child, name: &str| {
        let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
        assert!(status.unwrap().success());
    };
    let folder = project();
    let log = std::fs::File::create(folder.path().join("stderr.txt")).unwrap();
    let mut suspended = allometry(folder.path())
        .args(["run", "--workers", "1", "--lease", "2s"])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    wait_for("the first trial", || !trials(folder.path()).is_empty());
    signal(&suspended, "-STOP");
    let mut other = worker(folder.path());
    assert!(other.wait().unwrap().success());
    check(folder.path());
    signal(&suspended, "-CONT");
    assert!(suspended.wait().unwrap().success());
    check(folder.path());
    let lost = trials(folder.path()).iter().filter(|t| t.state == TrialState::Failed).count();
    assert!(lost <= 1);
    let said = std::fs::read_to_string(folder.path().join("stderr.txt")).unwrap();
    assert_eq!(said.contains("its result is not taken"), lost == 1, "{said}");
}

#[test]
fn a_worker_says_what_it_misses() {
    let folder = project();
    let (code, _, err) = run(folder.path(), &["worker", "--storage", "none.db"]);
    assert_eq!(code, 4, "{err}");
    let (code, _, err) = run(folder.path(), &["run", "--quiet", "--trials", "1"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = run(folder.path(), &["worker", "--storage", "trials.db", "--ladder", "other"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("no ladder `other`") && err.contains("it has shared"), "{err}");
    // What the first process was asked for holds for those that join it.
    let (code, _, err) = run(folder.path(), &["worker", "--storage", "trials.db"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(trials(folder.path()).len(), 1);
}

#[test]
fn an_enqueued_trial_runs_once() {
    let folder = project();
    let (code, _, err) = run(folder.path(), &["run", "--quiet", "--trials", "1"]);
    assert_eq!(code, 0, "{err}");
    for x in ["0.125", "0.25", "0.375"] {
        let (code, _, err) = run(folder.path(), &["enqueue", &format!("x={x}"), "y=b"]);
        assert_eq!(code, 0, "{err}");
    }
    let mut processes: Vec<Child> =
        (0..3).map(|_| start(folder.path(), &["run", "--workers", "2"])).collect();
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    let trials = trials(folder.path());
    for x in [0.125, 0.25, 0.375] {
        let of = |params: &Params| params.get("x").and_then(allometry_core::ParamValue::as_f64) == Some(x);
        assert_eq!(trials.iter().filter(|t| of(&t.params)).count(), 1);
    }
    assert_eq!(trials.iter().filter(|t| t.state == TrialState::Complete).count(), TRIALS);
}
