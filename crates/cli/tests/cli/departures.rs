//! Tests of a store that is removed during a run: the run ends with an error and saves its trials, which can
//! be imported again.

use std::fs;
use std::path::Path;

use allometry_core::TrialState;
use allometry_store::url::of_sqlite;

use crate::support::run;
use crate::support::shared::{self, trials, wait_for};

const TRIALS: usize = 40;

/// Damages the store in the middle of a run; the run ends with an error and then continues from what it
/// saved.
fn survives(what: &str, act: impl Fn(&Path)) {
    let folder = shared::project(TRIALS);
    let path = folder.path();
    let database = path.join("trials.db");
    let log = fs::File::create(path.join("stderr.txt")).unwrap();
    let mut first = crate::support::allometry(path)
        .args(["run", "--workers", "2", "--lease", "1s"])
        .stdout(std::process::Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let complete = |name: &str| {
        let found = trials(&of_sqlite(&path.join(name)));
        found.iter().filter(|trial| trial.state == TrialState::Complete).count()
    };
    wait_for("some results", || complete("trials.db") >= 4);
    let known = complete("trials.db");
    act(&database);
    let code = first.wait().unwrap().code();
    let said = fs::read_to_string(path.join("stderr.txt")).unwrap();
    assert_eq!(code, Some(5), "{what}: {said}");
    assert!(said.contains(what) && said.contains("rescued.jsonl"), "{what}: {said}");

    let (code, _, err) = run(path, &["import", "rescued.jsonl", "--storage", "new.db"]);
    assert_eq!(code, 0, "{what}: {err}");
    let rescued = trials(&of_sqlite(&path.join("new.db")));
    let values = rescued.iter().filter(|trial| trial.state == TrialState::Complete);
    assert!(values.count() >= known, "{what}: nothing that was told is lost");
    let (code, _, err) = run(path, &["run", "--quiet", "--workers", "2", "--storage", "new.db"]);
    assert_eq!(code, 0, "{what}: {err}");
    shared::check(&trials(&of_sqlite(&path.join("new.db"))), TRIALS);
}

#[test]
fn a_store_that_is_removed_ends_the_run() {
    survives("was removed", |database| {
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", database.display()));
        }
    });
}

#[test]
fn a_store_that_is_replaced_ends_the_run() {
    survives("was replaced by another file", |database| {
        let other = database.with_file_name("other.db");
        fs::write(&other, "another file").unwrap();
        fs::rename(other, database).unwrap();
    });
}

#[test]
fn a_store_that_is_emptied_ends_the_run() {
    survives("trials.db", |database| {
        fs::OpenOptions::new().write(true).open(database).unwrap().set_len(0).unwrap();
    });
}

#[test]
fn a_store_whose_folder_is_moved_ends_the_run() {
    // The store has a folder of its own, so that the folder of the ladder file stays.
    let folder = shared::project(TRIALS);
    let path = folder.path();
    fs::create_dir(path.join("data")).unwrap();
    let mut command = crate::support::allometry(path);
    command.args(["run", "--quiet", "--workers", "2", "--lease", "1s", "--storage", "data/trials.db"]);
    let mut first = command.spawn().unwrap();
    wait_for("a result", || !trials(&of_sqlite(&path.join("data/trials.db"))).is_empty());
    fs::rename(path.join("data"), path.join("elsewhere")).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(5));
    assert!(path.join("rescued.jsonl").exists(), "into the working directory where the store's is gone");
    assert_eq!(
        run(path, &["run", "--quiet", "--storage", "elsewhere/trials.db"]).0,
        0,
        "the moved one goes on"
    );
    shared::check(&trials(&of_sqlite(&path.join("elsewhere/trials.db"))), TRIALS);
}
