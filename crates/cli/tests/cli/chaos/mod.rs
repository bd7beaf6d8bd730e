//! Tests with random faults: processes are killed or suspended, and stores are locked, disconnected, filled
//! or removed. Afterwards a study has exactly its trials, each with its own value.
//!
//! `ALLOMETRY_FAULT_ROUNDS` sets the number of rounds, and `ALLOMETRY_CHAOS_SEED` repeats a failed round.

#![cfg(target_os = "linux")]

mod crowd;
mod dice;
mod disk;
mod reader;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use allometry_store::url::of_sqlite;
use allometry_testkit::{Cluster, fault_rounds};
use crowd::{Crowd, Role};
use dice::Dice;
use reader::{Database, Programs};

use crate::support::{run, shared};

/// Number of complete trials of a round.
const TRIALS: usize = 14;
/// Number of complete trials of a round whose store is removed in the middle.
const MANY: usize = 200;

/// Numbers of faults by name.
type Deeds = BTreeMap<&'static str, usize>;

#[test]
fn whatever_happens_a_study_has_its_trials_in_the_end() {
    let test = "whatever_happens_a_study_has_its_trials_in_the_end";
    let seed = std::env::var("ALLOMETRY_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    let cluster = Cluster::start(test);
    let mut deeds = Deeds::new();
    for round in 0..fault_rounds(10) as u64 {
        eprintln!("seed {seed}, round {round}: {deeds:?}");
        let mut dice = Dice::new(seed.wrapping_add(round.wrapping_mul(0x9e37_79b9)));
        *deeds.entry("rounds").or_default() += 1;
        match (dice.below(8), &cluster) {
            (0, _) => disk_round(test, &mut dice, &mut deeds),
            (1 | 2, _) => departure_round(&mut dice, &mut deeds),
            (3..=5, Some(cluster)) => round_over(&Over::Postgres(cluster), &mut dice, &mut deeds),
            _ => round_over(&Over::Sqlite, &mut dice, &mut deeds),
        }
    }
    eprintln!("seed {seed}: {deeds:?}");
}

/// The kind of store of a round.
enum Over<'a> {
    Sqlite,
    Postgres(&'a Cluster),
}

/// Faults that a store survives.
fn round_over(over: &Over<'_>, dice: &mut Dice, deeds: &mut Deeds) {
    let folder = shared::project(TRIALS);
    let path = folder.path().join("trials.db");
    let url = match over {
        Over::Sqlite => of_sqlite(&path),
        Over::Postgres(cluster) => cluster.database(),
    };
    let mut crowd = Crowd::new(folder.path(), &url);
    crowd.start(Role::Run);
    shared::wait_for("the first trial", || !shared::trials(&url).is_empty());
    for role in [Role::Worker, Role::Dashboard, Role::Storage].into_iter().take(1 + dice.below(3)) {
        crowd.start(role);
    }
    for _ in 0..3 + dice.below(5) {
        std::thread::sleep(dice.up_to(Duration::from_millis(300)));
        let deed = match (dice.below(5), over) {
            (0 | 1, _) => crowd.kill_one(dice),
            (2, _) => crowd.suspend_one(dice),
            (3, Over::Sqlite) => reader::lock(&path, dice.up_to(Duration::from_secs(1))),
            (3, Over::Postgres(cluster)) => reader::cut_connections(cluster, &url),
            _ => crowd.drop_connections(dice),
        };
        *deeds.entry(deed).or_default() += 1;
    }
    crowd.finish(|_, _, _| {});
    let (code, _, err) = run(folder.path(), &["run", "--quiet", "--retries", "1000", "--storage", &url]);
    assert_eq!(code, 0, "{err}");
    let database = match over {
        Over::Sqlite => Database::Sqlite(path),
        Over::Postgres(cluster) => Database::Postgres(cluster, url),
    };
    note(deeds, reader::check(&database, TRIALS, Programs::CouldWrite));
}

/// The file is removed while it is in use: every process fails, and the trials saved by one of them are
/// continued elsewhere.
fn departure_round(dice: &mut Dice, deeds: &mut Deeds) {
    let folder = shared::project(MANY);
    let path = folder.path().join("trials.db");
    let url = of_sqlite(&path);
    let mut crowd = Crowd::new(folder.path(), &url);
    crowd.start(Role::Run);
    shared::wait_for("the first trial", || !shared::trials(&url).is_empty());
    crowd.start(Role::Worker);
    // Until then all pages may be in the write-ahead log alone; a worker that opened another file with that
    // log would have the whole study.
    shared::wait_for("a worker at its trials", || crowd.all_said("complete"));
    // Fast machines train all trials within a second, so that trials, and not time, say when.
    let told = 1 + dice.below(MANY / 5);
    shared::wait_for("some trials", || shared::trials(&url).len() >= told);
    let deed = reader::take_away(&path, dice);
    *deeds.entry(deed).or_default() += 1;
    crowd.finish(|role, code, said| {
        assert!(code != Some(0), "{role:?} ended well over a store that {deed}: {said}");
    });
    let best = rescued(folder.path()).into_iter().max_by_key(|(lines, _)| *lines);
    let (_, file) = best.expect("somebody kept what it knew");
    let other = of_sqlite(&folder.path().join("new.db"));
    let (code, _, err) = run(folder.path(), &["import", &file.display().to_string(), "--storage", &other]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) =
        run(folder.path(), &["run", "--quiet", "--workers", "4", "--retries", "1000", "--storage", &other]);
    assert_eq!(code, 0, "{err}");
    note(deeds, reader::check(&Database::Sqlite(folder.path().join("new.db")), MANY, Programs::CouldWrite));
}

/// Returns the files of trials that runs saved, with their numbers of lines.
fn rescued(folder: &Path) -> Vec<(usize, PathBuf)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_rescued =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rescued"));
    let lines = |path: &PathBuf| std::fs::read_to_string(path).unwrap().lines().count();
    entries.filter(is_rescued).map(|path| (lines(&path), path)).collect()
}

/// The disk of the store and of the trials' files is full at times.
fn disk_round(test: &str, dice: &mut Dice, deeds: &mut Deeds) {
    let folder = shared::project(TRIALS);
    let out = tempfile::tempdir().unwrap();
    if disk::play(test, folder.path(), out.path(), dice) {
        *deeds.entry("disk filled").or_default() += 1;
        note(
            deeds,
            reader::check(&Database::Sqlite(out.path().join("trials.db")), TRIALS, Programs::LostLines),
        );
    }
}

fn note(deeds: &mut Deeds, (complete, cut_off): (usize, usize)) {
    *deeds.entry("trials complete").or_default() += complete;
    *deeds.entry("attempts cut off").or_default() += cut_off;
}
