//! Tests of several processes on one study: the number of trials is exact and no value is lost, even if
//! processes are killed or suspended.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use allometry_core::{FrozenTrial, Params, TrialState};
use allometry_testkit::{Cluster, fault_rounds};

use crate::support::shared::{self, start, wait_for};
use crate::support::{allometry, random_pause, refused, run};

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

/// Returns the configurations that a single process tries.
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

/// Kills a runner or worker at a random moment in each round, and lets a last one finish the study.
fn survives_kills(url: &str) {
    let rounds = fault_rounds(12);
    let wanted = 6 * rounds;
    let folder = shared::project(wanted);
    let arguments = ["--workers", "2", "--lease", "2s", "--retries", "1000", "--storage", url];
    let begin = |verb: &str| start(folder.path(), &[&[verb], &arguments[..]].concat());
    let mut processes = vec![begin("run")];
    wait_for("the first trial", || !shared::trials(url).is_empty());
    let mut kills = 0;
    for round in 0..rounds {
        processes.push(begin(if round % 2 == 0 { "worker" } else { "run" }));
        random_pause(Duration::from_millis(400));
        // Both old processes in the middle of a trial and new ones at their start are killed.
        let mut victim = processes.remove(round % 3 / 2);
        if victim.try_wait().unwrap().is_none() {
            victim.kill().unwrap();
            kills += 1;
        }
        victim.wait().unwrap();
    }
    assert!(2 * kills > rounds, "the processes ended before they could be killed: {kills} of {rounds}");
    for mut process in processes {
        process.wait().unwrap();
    }
    let (code, _, err) = run(folder.path(), &[&["run"], &arguments[..]].concat());
    assert_eq!(code, 0, "{err}");
    let trials = shared::trials(url);
    shared::check(&trials, wanted);
    eprintln!("{kills} kills, {wanted} trials complete, {} attempts cut off", trials.len() - wanted);
}

#[test]
fn whatever_is_killed_the_study_has_its_trials_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    survives_kills(&allometry_store::url::of_sqlite(&folder.path().join("trials.db")));
}

#[test]
fn whatever_is_killed_a_study_in_postgresql_has_its_trials_in_the_end() {
    let test = "whatever_is_killed_a_study_in_postgresql_has_its_trials_in_the_end";
    let Some(cluster) = Cluster::shared(test) else { return };
    survives_kills(&cluster.database());
}

#[cfg(target_os = "linux")]
fn suspended_beyond_its_lease(folder: &Path, url: &str) {
    let ladder = std::fs::read_to_string(folder.join("ladder.toml")).unwrap();
    std::fs::write(folder.join("ladder.toml"), ladder.replace("sleep 0.03", "sleep 0.5")).unwrap();
    let log = std::fs::File::create(folder.join("stderr.txt")).unwrap();
    let mut suspended = allometry(folder)
        .args(["run", "--workers", "1", "--lease", "2s", "--storage", url])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let signal = |name: &str| {
        let status = std::process::Command::new("kill").args([name, &suspended.id().to_string()]).status();
        assert!(status.unwrap().success());
    };
    wait_for("the first trial", || !shared::trials(url).is_empty());
    signal("-STOP");
    let mut other = start(folder, &["worker", "--storage", url, "--workers", "4", "--lease", "2s"]);
    assert!(other.wait().unwrap().success());
    let trials = || shared::trials(url);
    shared::check(&trials(), 4);
    let before = trials();
    signal("-CONT");
    let told_by = format!("process {} on ", suspended.id());
    assert!(suspended.wait().unwrap().success());
    assert_eq!(trials(), before, "what was told late changed nothing");

    let said = std::fs::read_to_string(folder.join("stderr.txt")).unwrap();
    assert!(said.contains("its result is discarded"), "{said}");
    assert_eq!(before[0].state, TrialState::Failed);
    let repetition = &before.iter().find(|trial| trial.record.retry_of.is_some()).unwrap();
    assert_eq!(
        (repetition.state, repetition.record.retry_of),
        (TrialState::Complete, Some(before[0].number))
    );
    let store = allometry_store::open_read_only(url).unwrap();
    let study = store.study("shared/s").unwrap().unwrap();
    let tells: Vec<_> = before.iter().flat_map(|t| store.late_results(study.id, t.number).unwrap()).collect();
    assert_eq!(tells.len(), 1, "{tells:?}");
    assert_eq!(store.late_results(study.id, before[0].number).unwrap(), tells);
    let x = before[0].params.get("x").and_then(allometry_core::ParamValue::as_f64).unwrap();
    assert_eq!(tells[0].values, [x], "the refused value is kept");
    assert!(tells[0].teller.as_ref().unwrap().starts_with(&told_by), "{tells:?}");

    let (code, out, err) = run(folder, &["show", "--in", url, "--study", "shared/s", "0"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains(&format!("by {told_by}")) && out.contains("told after the trial had ended"),
        "{out}"
    );
    let (_, out, _) = run(folder, &["show", "--in", url, "--study", "shared/s", "0", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["late_tells"][0]["values"], serde_json::json!([x]));
    let (_, out, _) = run(folder, &["show", "--in", url, "--study", "shared/s", "1", "--json"]);
    assert!(!out.contains("late_tells"), "{out}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_suspended_process_loses_its_trial_and_what_it_tells_late_is_refused_and_kept() {
    let folder = shared::project(4);
    let url = allometry_store::url::of_sqlite(&folder.path().join("trials.db"));
    suspended_beyond_its_lease(folder.path(), &url);
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_told_late_is_kept_in_postgresql_too() {
    let Some(cluster) = Cluster::shared("what_is_told_late_is_kept_in_postgresql_too") else { return };
    suspended_beyond_its_lease(shared::project(4).path(), &cluster.database());
}

#[test]
fn a_worker_says_what_it_misses() {
    let folder = project();
    insta::assert_snapshot!(refused(folder.path(), &["worker", "--storage", "none.db"]), @r"
    $ allometry worker --storage none.db
    error: there is no file none.db
    hint: `allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
    the working directory
    exit code 4
    ");
    let (code, _, err) = run(folder.path(), &["run", "--quiet", "--trials", "1"]);
    assert_eq!(code, 0, "{err}");
    let other = ["worker", "--storage", "trials.db", "--ladder", "other"];
    insta::assert_snapshot!(refused(folder.path(), &other), @"
    $ allometry worker --storage trials.db --ladder other
    error: the store has no ladder `other`
    hint: it has shared
    exit code 4
    ");
    // The settings of the first process apply to those that join it.
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
