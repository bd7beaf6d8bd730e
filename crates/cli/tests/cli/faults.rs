//! Tests of failures around the program: a stopped or crashed database server, a full disk, a clock that is
//! set.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use allometry_core::TrialState;
use allometry_store::url::of_sqlite;
use allometry_testkit::{Cluster, fault_rounds, program};

use crate::support::shared::{check, project, start, trials, wait_for};
use crate::support::small_disk::run_on_small_disk;
use crate::support::{allometry, random_pause, texts};

#[test]
fn a_run_outlives_restarts_of_postgresql() {
    let Some(cluster) = Cluster::start("a_run_outlives_restarts_of_postgresql") else { return };
    let rounds = fault_rounds(3);
    let wanted = 10 * rounds;
    let (folder, url) = (project(wanted), cluster.database());
    let mut run = start(folder.path(), &["run", "--workers", "2", "--storage", &url]);
    wait_for("the first trial", || !trials(&url).is_empty());
    // A worker that cannot connect at its start is refused: the restarts begin once it has joined.
    let log = folder.path().join("worker.txt");
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let mut worker = allometry(folder.path())
        .args(["worker", "--workers", "1", "--storage", &url])
        .stdout(std::process::Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    wait_for("the worker", || !said().is_empty());
    for round in 0..rounds {
        random_pause(Duration::from_secs(1));
        cluster.stop(if round % 2 == 0 { "immediate" } else { "fast" });
        random_pause(Duration::from_millis(500));
        cluster.start_again();
    }
    assert!(run.wait().unwrap().success());
    assert!(worker.wait().unwrap().success(), "{}", said());
    let trials = trials(&url);
    check(&trials, wanted);
    assert_eq!(trials.len(), wanted, "nobody lost a trial");
}

/// Runs a ladder on a disk of eight MiB that a file nearly fills, frees the disk, and runs the ladder again.
/// Returns the exit code of the first run; its output and the database are in `$OUT`.
const FULL_DISK: &str = r#"
    mount -t tmpfs -o size=8m none "$DISK" || exit 99
    cp "$LADDER" "$DISK/ladder.toml" && cd "$DISK" || exit 98
    head -c 7900000 /dev/zero > ballast
    "$ALLOMETRY" run > "$OUT/out.txt" 2> "$OUT/err.txt"
    code=$?
    rm -rf ballast
    [ $code -eq 0 ] || "$ALLOMETRY" run > "$OUT/out2.txt" 2> "$OUT/err2.txt" || exit 97
    cp trials.db* "$OUT"
    exit $code
"#;

#[test]
fn a_full_disk_ends_a_run_and_loses_nothing() {
    let test = "a_full_disk_ends_a_run_and_loses_nothing";
    let (wanted, out) = (30, tempfile::tempdir().unwrap());
    let folder = project(wanted);
    let ladder = folder.path().join("ladder.toml");
    let ladder = [("LADDER", ladder.as_os_str())];
    let Some((code, err)) = run_on_small_disk(test, FULL_DISK, out.path(), &ladder) else { return };
    let said = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap_or_default();
    assert_eq!(code, 5, "{err}{}{}", said("err.txt"), said("err2.txt"));
    // The error comes from a write of the store, or of a trial's own files.
    let err = said("err.txt");
    assert!(["the disk is full", "No space left"].iter().any(|words| err.contains(words)), "{err}");
    check(&trials(&of_sqlite(&out.path().join("trials.db"))), wanted);
}

/// Runs a ladder on a full disk, with its store on another disk, and again after freeing the disk. Returns
/// the exit code of the first run.
const NO_SPACE_FOR_TRIALS: &str = r#"
    mount -t tmpfs -o size=1m none "$DISK" || exit 99
    cp "$LADDER" "$DISK/ladder.toml" && cd "$DISK" || exit 98
    "$ALLOMETRY" run --quiet --trials 2 --storage "$OUT/trials.db" || exit 97
    cat /dev/zero > ballast 2>/dev/null
    "$ALLOMETRY" run --storage "$OUT/trials.db" > "$OUT/out.txt" 2> "$OUT/err.txt"
    code=$?
    rm -f ballast
    "$ALLOMETRY" run --storage "$OUT/trials.db" > "$OUT/out2.txt" 2> "$OUT/err2.txt" || exit 96
    exit $code
"#;

#[test]
fn a_disk_without_space_for_trials_is_no_fault_of_theirs() {
    let test = "a_disk_without_space_for_trials_is_no_fault_of_theirs";
    let (wanted, out) = (6, tempfile::tempdir().unwrap());
    let folder = project(wanted);
    let ladder = folder.path().join("ladder.toml");
    let ladder = [("LADDER", ladder.as_os_str())];
    let Some((code, err)) = run_on_small_disk(test, NO_SPACE_FOR_TRIALS, out.path(), &ladder) else { return };
    let said = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap_or_default();
    assert_eq!(code, 5, "{err}{}{}", said("err.txt"), said("err2.txt"));
    let text = said("err.txt");
    assert!(text.contains("a fault of the machine") && text.contains("pace"), "{text}");
    check(&trials(&of_sqlite(&out.path().join("trials.db"))), wanted);
}

#[test]
fn a_lack_of_file_descriptors_is_no_fault_of_trials() {
    let (wanted, folder) = (12, project(12));
    let limited = |most: u32| {
        let script = format!(r#"ulimit -n {most}; exec "$0" run --workers 6"#);
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_allometry")]).current_dir(folder.path());
        let (code, _, err) = texts(&command.env("CI", "true").output().unwrap());
        (code, err)
    };
    let mut interrupted = 0;
    for most in 12..26 {
        let (code, err) = limited(most);
        assert!(code == 0 || code == 5, "{most}: {code} {err}");
        interrupted += usize::from(err.contains("a fault of the machine"));
    }
    assert!(interrupted > 0, "some limit lets a run begin and its trials not");
    let (code, err) = limited(1024);
    assert_eq!(code, 0, "{err}");
    check(&trials(&of_sqlite(&folder.path().join("trials.db"))), wanted);
}

#[test]
fn a_lock_of_more_than_ten_seconds_ends_no_run() {
    let (wanted, folder) = (8, project(8));
    let path = folder.path().join("trials.db");
    let url = of_sqlite(&path);
    let mut run = start(folder.path(), &["run", "--workers", "2", "--lease", "30s"]);
    wait_for("the first trial", || !trials(&url).is_empty());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    std::thread::sleep(Duration::from_secs(12));
    other.execute_batch("COMMIT").unwrap();
    assert!(run.wait().unwrap().success());
    let trials = trials(&url);
    check(&trials, wanted);
    assert_eq!(trials.len(), wanted, "nobody lost a trial");
}

/// Imports a study on a disk of 16 MiB, fills the disk, imports another study, and again after freeing the
/// disk. Returns the exit code of the second import; the outputs and the databases are in `$OUT`, those from
/// before the disk was freed in `after`.
const FULL_DISK_IMPORT: &str = r#"
    mount -t tmpfs -o size=16m none "$DISK" || exit 99
    cp "$TRIALS" "$DISK/t.json" && cd "$DISK" || exit 98
    "$ALLOMETRY" import first=t.json || exit 97
    cat /dev/zero > ballast 2>/dev/null
    "$ALLOMETRY" import second=t.json > "$OUT/out.txt" 2> "$OUT/err.txt"
    code=$?
    "$ALLOMETRY" import t.json --storage new.db 2> "$OUT/new.txt"
    [ $? -eq 5 ] || exit 96
    rm -f ballast
    mkdir "$OUT/after" && cp trials.db* "$OUT/after" || exit 95
    "$ALLOMETRY" import second=t.json 2> "$OUT/err2.txt" || exit 94
    "$ALLOMETRY" import t.json --storage new.db 2> "$OUT/new2.txt" || exit 93
    cp trials.db new.db "$OUT"
    exit $code
"#;

#[test]
fn a_full_disk_ends_an_import_and_leaves_nothing_of_it() {
    let test = "a_full_disk_ends_an_import_and_leaves_nothing_of_it";
    let out = tempfile::tempdir().unwrap();
    let trial = |i: u32| {
        format!(
            r#"{{"value": {i}, "directions": ["minimize"], "params": {{"x": {i}}},
            "intermediate_values": {{"1": 1}}}}"#
        )
    };
    let list: Vec<String> = (0..2000).map(trial).collect();
    let file = out.path().join("t.json");
    std::fs::write(&file, format!("[{}]", list.join(","))).unwrap();
    let trials = [("TRIALS", file.as_os_str())];
    let Some((code, err)) = run_on_small_disk(test, FULL_DISK_IMPORT, out.path(), &trials) else { return };
    let said = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap_or_default();
    assert_eq!(code, 5, "{err}{}{}{}", said("err.txt"), said("err2.txt"), said("new2.txt"));
    for name in ["err.txt", "new.txt"] {
        assert!(said(name).contains("the disk is full"), "{name}: {}", said(name));
    }
    let studies = |path: &str| -> Vec<(String, usize)> {
        let store = allometry_store::open_read_only(&of_sqlite(&out.path().join(path))).unwrap();
        let studies = store.studies().unwrap().into_iter();
        studies.map(|study| (study.name, store.trials(study.id).unwrap().len())).collect()
    };
    assert_eq!(studies("after/trials.db"), [("first".into(), 2000)], "nothing of it is there");
    assert_eq!(studies("trials.db"), [("first".into(), 2000), ("second".into(), 2000)]);
    assert_eq!(studies("new.db"), [("t".into(), 2000)]);
}

#[test]
fn clocks_that_are_set_cost_nobody_a_trial() {
    let test = "clocks_that_are_set_cost_nobody_a_trial";
    let Some(compiler) = program(test, "cc") else { return };
    let (wanted, folder) = (24, project(24));
    let path = |name: &str| folder.path().join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/faults/clock.c");
    let compiled =
        Command::new(compiler).args(["-shared", "-fPIC", "-o"]).arg(path("clock.so")).arg(source).status();
    assert!(compiled.unwrap().success());
    let begin = |arguments: &[&str], clock: &str| {
        std::fs::write(path(clock), "0").unwrap();
        allometry(folder.path())
            .args(arguments)
            .env("LD_PRELOAD", path("clock.so"))
            .env("CLOCK_OFFSET", path(clock))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let url = of_sqlite(&path("trials.db"));
    let mut run = begin(&["run", "--workers", "1", "--lease", "3s"], "first");
    wait_for("the first trial", || !trials(&url).is_empty());
    let worker = ["worker", "--workers", "1", "--lease", "3s", "--storage", "trials.db"];
    let mut worker = begin(&worker, "second");
    for (first, second) in [(-3600, 0), (-3600, 7200), (86_400, -86_400), (-60, -60), (0, 3600)] {
        std::fs::write(path("first"), first.to_string()).unwrap();
        std::fs::write(path("second"), second.to_string()).unwrap();
        std::thread::sleep(Duration::from_millis(250));
    }
    assert!(run.wait().unwrap().success());
    assert!(worker.wait().unwrap().success());
    let trials = trials(&url);
    check(&trials, wanted);
    assert!(trials.iter().all(|trial| trial.state == TrialState::Complete), "nobody lost a trial");
}
