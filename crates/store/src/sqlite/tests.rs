//! Tests of the file format and of the errors.

mod departures;
mod former;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use allometry_core::{
    Distribution, EpochReport, Params, SearchSpace, TrialNumber, TrialRecord, ValidationScores,
};
use allometry_testkit::grows_in_proportion;
use tempfile::TempDir;

use std::path::PathBuf;

use super::*;
use crate::error::ErrorKind;
use crate::late::LateResult;
use crate::owner::Owner;
use crate::store::{Finished, FinishedState, NewStudy, NewTrial, Start, Store, TrialHandle, each_trial};
use crate::stored_study::StoredStudy;

const SHORT: Duration = Duration::from_millis(20);

fn folder_and_path() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    (folder, path)
}

/// Creates a store with one study and closes it.
fn written(path: &Path) -> StudyId {
    let store = SqliteStore::open_within(path, SHORT).unwrap();
    store.create_study(&NewStudy { name: "s".into(), ..NewStudy::default() }).unwrap()
}

/// A new file, its log and its index are readable by their owner alone; an existing file keeps its mode.
#[test]
#[cfg(unix)]
fn a_new_store_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (folder, path) = folder_and_path();
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    store.create_study(&NewStudy { name: "s".into(), ..NewStudy::default() }).unwrap();
    assert_eq!((mode(&path), mode(&folder.path().join("x.db-wal"))), (0o600, 0o600));
    drop(store);
    let shared = folder.path().join("shared.db");
    fs::write(&shared, "").unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o664)).unwrap();
    written(&shared);
    assert_eq!(mode(&shared), 0o664);
}

fn sql(path: &Path, text: &str) {
    Connection::open(path).unwrap().execute_batch(text).unwrap();
}

fn start(store: &SqliteStore, study: StudyId) -> Result<TrialHandle, StoreError> {
    let mut space = SearchSpace::default();
    let mut params = Params::default();
    for i in 0..7 {
        let name = format!("p{i}");
        space.0.insert(name.clone(), Distribution::Int { low: 0, high: 9, log: false, step: 1 });
        params.insert(name, i64::from(i));
    }
    let (owner, record) = (Owner::this_process(), TrialRecord { seed: Some(1), ..TrialRecord::default() });
    store.create_trial(
        study,
        &NewTrial { start: Start::Running(&owner), params: &params, space: &space, record: &record },
    )
}

fn scores() -> ValidationScores {
    ValidationScores { rows: vec![0; 422], labels: vec![true; 422], scores: vec![0.5; 422] }
}

fn epochs(steps: std::ops::Range<i64>) -> Vec<EpochReport> {
    let metrics = std::collections::BTreeMap::from([("loss".to_owned(), 0.5)]);
    steps.map(|step| EpochReport { step, value: 0.5, metrics: metrics.clone() }).collect()
}

#[test]
fn a_told_trial_costs_two_commits() {
    let (_folder, path) = folder_and_path();
    let study = written(&path);
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let commits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&commits);
    let count = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        false
    };
    store.connection().commit_hook(Some(count)).unwrap();

    let trial = start(&store, study).unwrap();
    assert_eq!(commits.load(Ordering::SeqCst), 1);
    let finished = Finished {
        values: vec![0.5],
        reports: epochs(1..20),
        record: TrialRecord { seed: Some(1), ..TrialRecord::default() },
        predictions: Some(scores().into()),
        log: None,
        ..Finished::default()
    };
    store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
    assert_eq!(commits.load(Ordering::SeqCst), 2);

    let many: Vec<TrialId> = (0..3).map(|_| start(&store, study).unwrap().id).collect();
    store.report(many[0], &epochs(1..5)).unwrap();
    store.heartbeat(&many).unwrap();
    assert_eq!(commits.load(Ordering::SeqCst), 2 + 3 + 2);
    store.trials(study).unwrap();
    store.report(many[0], &[]).unwrap();
    assert_eq!(commits.load(Ordering::SeqCst), 7, "reading commits nothing");
}

#[test]
fn files_that_are_no_stores_are_told_apart() {
    let (folder, path) = folder_and_path();
    let name = path.display().to_string();
    let both = |expected: &str, kind: ErrorKind| {
        for opened in
            [SqliteStore::open_within(&path, SHORT), SqliteStore::open_read_only_within(&path, SHORT)]
        {
            let error = opened.unwrap_err();
            assert_eq!(error.to_string(), expected.replace("FILE", &name));
            assert_eq!(error.kind(), kind);
            assert!(error.hint().is_some());
        }
    };
    let missing = SqliteStore::open_read_only_within(&path, SHORT).unwrap_err();
    assert!(matches!(missing, StoreError::NoFile { .. }) && missing.kind() == ErrorKind::NotFound);
    assert!(!path.exists());

    fs::write(&path, "this is a text that has more than a hundred bytes, ".repeat(5)).unwrap();
    both("FILE is not a SQLite database", ErrorKind::Unavailable);
    fs::write(&path, "").unwrap();
    let empty = SqliteStore::open_read_only_within(&path, SHORT).unwrap_err();
    assert_eq!(empty.to_string(), format!("{name} holds no studies: it is empty"));
    fs::write(&path, "short").unwrap();
    assert!(matches!(SqliteStore::open_read_only_within(&path, SHORT), Err(StoreError::NotADatabase { .. })));

    fs::remove_file(&path).unwrap();
    sql(&path, "CREATE TABLE songs (title TEXT)");
    let before = fs::read(&path).unwrap();
    both("FILE holds no studies: it has no table `studies`", ErrorKind::Unavailable);
    assert_eq!(fs::read(&path).unwrap(), before, "a file of somebody else is left as it is");

    let inside = folder.path().join("no/such/x.db");
    let error = SqliteStore::open_within(&inside, SHORT).unwrap_err();
    assert!(error.to_string().ends_with("no/such"), "{error}");
    let error = SqliteStore::open_within(folder.path(), SHORT).unwrap_err();
    assert!(error.to_string().ends_with("it is a folder"), "{error}");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let (_folder, path) = folder_and_path();
    fs::write(&path, "").unwrap();
    written(&path);
    assert_eq!(SqliteStore::open_read_only_within(&path, SHORT).unwrap().studies().unwrap().len(), 1);
}

#[test]
fn other_versions_are_refused_by_name() {
    let (_folder, path) = folder_and_path();
    written(&path);
    let name = path.display().to_string();
    let message = |opened: Result<SqliteStore, StoreError>| {
        let error = opened.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.hint().is_some());
        error.to_string().replace(&name, "FILE")
    };
    for (change, expected) in [
        (
            "UPDATE allometry_version SET version = 2",
            "FILE was written by a newer Allometry (tables of version 2; this one reads up to 1)",
        ),
        (
            "UPDATE alembic_version SET version_num = 'v9.0.0.a'",
            "FILE has revision `v9.0.0.a` of Optuna's schema; this program writes `v3.2.0.a`",
        ),
        (
            "DROP TABLE alembic_version",
            "FILE has revision `none` of Optuna's schema; this program writes `v3.2.0.a`",
        ),
    ] {
        sql(&path, change);
        let before = fs::read(&path).unwrap();
        assert_eq!(message(SqliteStore::open_within(&path, SHORT)), expected);
        assert_eq!(message(SqliteStore::open_read_only_within(&path, SHORT)), expected);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_locked_file_says_so() {
    let (_folder, path) = folder_and_path();
    let study = written(&path);
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let mut other = Connection::open(&path).unwrap();
    let lock = other.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let error = start(&store, study).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is locked by another program", path.display()));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(store.trials(study).unwrap(), [], "readers are not held up");
    drop(lock);
    assert_eq!(start(&store, study).unwrap().number, TrialNumber(0), "the failed call left nothing");
}

#[test]
fn a_full_disk_loses_nothing_told() {
    let (_folder, path) = folder_and_path();
    let study = written(&path);
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let told = start(&store, study).unwrap();
    let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection().pragma_update(None, "max_page_count", pages).unwrap();
    let big = Finished {
        values: vec![0.5],
        predictions: Some(ValidationScores { scores: vec![0.5; 100_000], ..scores() }.into()),
        ..Finished::default()
    };
    let error = store.finish(told.id, FinishedState::Complete, &big).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert!(error.hint().unwrap().contains("free some space"));
    assert_eq!(store.running(study).unwrap().len(), 1);
    store.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    store.finish(told.id, FinishedState::Complete, &big).unwrap();
    assert_eq!(store.trials(study).unwrap()[0].value(), Some(0.5));
}

#[test]
fn damaged_rows_are_named() {
    let (_folder, path) = folder_and_path();
    let study = written(&path);
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    start(&store, study).unwrap();
    for (change, expected) in [
        ("UPDATE trials SET state = 'DONE'", "trial 0: state `DONE` is unknown"),
        (
            "UPDATE trials SET state = 'RUNNING'; \
             UPDATE trial_user_attributes SET value_json = '{\"seed\": '",
            "record of trial 0: line 1, column 9: EOF while parsing a value",
        ),
        (
            "DELETE FROM trial_user_attributes; \
             UPDATE trial_params SET distribution_json = '{}' WHERE param_name = 'p3'",
            "trial 0, parameter `p3`: distribution has no `name`",
        ),
    ] {
        sql(&path, change);
        let error = store.trials(study).unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn reading_changes_nothing_and_leaves_no_file() {
    let (folder, path) = folder_and_path();
    written(&path);
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["x.db"], "closing folds the log into the file");
    for mode in ["wal", "delete"] {
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", mode).unwrap();
        drop(connection);
        let before = fs::read(&path).unwrap();
        let store = SqliteStore::open_read_only_within(&path, SHORT).unwrap();
        assert_eq!(store.studies().unwrap().len(), 1);
        let refused = store.create_study(&NewStudy::default()).unwrap_err();
        assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
        drop(store);
        assert_eq!(names(), ["x.db"]);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn rows_of_ours_go_with_their_trial() {
    let (_folder, path) = folder_and_path();
    let study = written(&path);
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let trial = start(&store, study).unwrap();
    let finished = Finished {
        values: vec![0.5],
        reports: epochs(1..3),
        predictions: Some(scores().into()),
        log: Some("words".into()),
        ..Finished::default()
    };
    store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
    start(&store, study).unwrap();
    let late = LateResult {
        at: jiff::Timestamp::UNIX_EPOCH,
        teller: None,
        state: TrialState::Complete,
        values: vec![0.5],
        step: None,
    };
    store.record_late(trial.id, &late).unwrap();
    sql(&path, "PRAGMA foreign_keys = OFF; DELETE FROM trials");
    for table in [
        "allometry_leases",
        "allometry_epoch_metrics",
        "allometry_scores",
        "allometry_logs",
        "allometry_late_tells",
    ] {
        let count: i64 = store
            .connection()
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

fn odd_rows(path: &Path, choices: &str, internal: &str) {
    let distribution =
        format!(r#"{{"name": "CategoricalDistribution", "attributes": {{"choices": {choices}}}}}"#);
    sql(
        path,
        &format!(
            "INSERT INTO studies (study_id, study_name) VALUES (7, 'odd');
             INSERT INTO trials (trial_id, number, study_id, state) VALUES (70, 0, 7, 'COMPLETE');
             INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
             VALUES (70, 'c', {internal}, '{distribution}');"
        ),
    );
}

#[test]
fn choices_of_any_kind_are_read_and_written_as_they_were() {
    let (_folder, path) = folder_and_path();
    written(&path);
    let choices = r#"[[64, 64], {"a": [1, null]}, "x", 1000000000000000000000000000000, NaN, []]"#;
    odd_rows(&path, choices, "1");
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let trial = store.trials(StudyId(7)).unwrap().remove(0);
    assert_eq!(trial.params.get("c").unwrap().to_string(), "{'a': [1, None]}");
    // A new trial with equal choices has the text that Optuna wrote, even where the parsed choices are less
    // exact.
    let space = SearchSpace([("c".to_owned(), trial.distributions["c"].clone())].into_iter().collect());
    let params: Params = [("c", trial.params.get("c").unwrap().clone())].into_iter().collect();
    let (owner, record) = (Owner::this_process(), TrialRecord::default());
    let start = Start::Running(&owner);
    let new = NewTrial { start, params: &params, space: &space, record: &record };
    store.create_trial(StudyId(7), &new).unwrap();
    let texts: Vec<(f64, String)> = Connection::open(&path)
        .unwrap()
        .prepare("SELECT param_value, distribution_json FROM trial_params")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(texts[0], texts[1]);
    assert!(texts[1].1.contains("1000000000000000000000000000000, NaN"), "{}", texts[1].1);
}

#[test]
fn a_study_that_nobody_can_read_hides_no_other() {
    let (_folder, path) = folder_and_path();
    let good = written(&path);
    odd_rows(&path, "[1, 2]", "9");
    sql(
        &path,
        "INSERT INTO study_user_attributes (study_id, key, value_json)
         VALUES (7, 'allometry:search_space', '[1]'), (7, 'allometry:ladder', '{');",
    );
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let studies = store.studies().unwrap();
    assert_eq!(studies.len(), 2);
    assert_eq!(studies[0].unreadable, None);
    assert!(studies[1].unreadable.is_some());
    assert!(store.trials(good).unwrap().is_empty());
    assert!(matches!(store.trials(StudyId(7)), Err(StoreError::Malformed { .. })));
}

#[test]
fn integers_beyond_floats_keep_their_value_in_the_queue() {
    let (_folder, path) = folder_and_path();
    let study = written(&path);
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let set = Distribution::Int { low: 0, high: i64::MAX, log: false, step: 1 };
    let space = SearchSpace([("n".to_owned(), set)].into_iter().collect());
    for value in [(1_i64 << 53) + 1, i64::MAX, i64::MAX - 1] {
        let params: Params = [("n", value)].into_iter().collect();
        let record = TrialRecord::default();
        let new = NewTrial { start: Start::Waiting, params: &params, space: &space, record: &record };
        store.create_trial(study, &new).unwrap();
        let (_, claimed) = store.claim_waiting(study, None).unwrap().unwrap();
        assert_eq!(claimed.params.get("n").unwrap().to_string(), value.to_string());
    }
}

#[test]
fn pages_are_the_whole_study_and_predictions_those_of_its_trials() {
    let (_folder, path) = folder_and_path();
    let (one, other) = (written(&path), {
        let store = SqliteStore::open_within(&path, SHORT).unwrap();
        store.create_study(&NewStudy { name: "t".into(), ..NewStudy::default() }).unwrap()
    });
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    for number in 0..23 {
        let trial = start(&store, if number % 3 == 0 { other } else { one }).unwrap();
        let finished = Finished {
            values: vec![0.5],
            predictions: Some(scores().into()),
            log: Some("x".into()),
            ..Finished::default()
        };
        store.finish(trial.id, FinishedState::Complete, &finished).unwrap();
    }
    for study in [one, other] {
        let all = store.trials(study).unwrap();
        for limit in [1, 4, 100] {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = store.trials_page(study, after, limit).unwrap();
                assert!(page.trials.len() <= limit);
                if page.trials.is_empty() {
                    break;
                }
                paged.extend(page.trials);
                after = page.last;
            }
            assert_eq!(paged, all, "{limit}");
        }
        for first in 0..=all.len() as u64 {
            let found = store.predictions_from(study, TrialNumber(first)).unwrap();
            let numbers: Vec<u64> = found.keys().map(|number| number.0).collect();
            assert_eq!(numbers, (first..all.len() as u64).collect::<Vec<_>>());
        }
        let extras = store.extras(study).unwrap();
        assert_eq!(extras.len(), all.len());
        assert!(extras.values().all(|kept| kept.predictions.is_some() && kept.log.as_deref() == Some("x")));
    }
}

/// Creates a store with `trials` complete trials, each with 7 parameters, an epoch, predictions and a log, by
/// SQL.
fn of_size(trials: usize) -> (TempDir, PathBuf, StudyId) {
    let (folder, path) = folder_and_path();
    let study = written(&path);
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let first = start(&store, study).unwrap();
    let finished = Finished {
        values: vec![0.5],
        predictions: Some(scores().into()),
        reports: epochs(1..2),
        log: Some("x".into()),
        ..Finished::default()
    };
    store.finish(first.id, FinishedState::Complete, &finished).unwrap();
    drop(store);
    let many =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {trials})");
    sql(
        &path,
        &format!(
            "BEGIN;
             INSERT INTO trials (trial_id, number, study_id, state)
             {many} SELECT i + 1, i, {study}, 'COMPLETE' FROM n;
             INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
             {many} SELECT i + 1, param_name, param_value, distribution_json FROM n, trial_params
             WHERE trial_id = 1;
             INSERT INTO trial_values (trial_id, objective, value, value_type)
             {many} SELECT i + 1, 0, 0.5, 'FINITE' FROM n;
             INSERT INTO allometry_scores (trial_id, \"rows\", labels, scores)
             {many} SELECT i + 1, x'0000000000000000', x'01', x'00000000' FROM n;
             INSERT INTO allometry_logs (trial_id, tail) {many} SELECT i + 1, 'x' FROM n;
             INSERT INTO allometry_epoch_metrics (trial_id, step, metrics_json)
             {many} SELECT i + 1, 1, '{{}}' FROM n;
             COMMIT;"
        ),
    );
    (folder, path, study)
}

#[test]
fn whole_studies_cost_in_proportion_to_their_trials() {
    let open = |path: &Path| SqliteStore::open_read_only_within(path, SHORT).unwrap();
    let make = |trials: usize| {
        let (folder, path, study) = of_size(trials);
        (folder, open(&path), study, trials)
    };
    let record = |store: &SqliteStore| store.studies().unwrap().remove(0);
    grows_in_proportion("a study read whole", 1000, make, |(_, store, _, trials)| {
        let study = StoredStudy::read(store, record(store)).unwrap();
        assert_eq!((study.trials.len(), study.predictions.len()), (*trials, *trials));
    });
    grows_in_proportion("what is kept beside", 1000, make, |(_, store, study, trials)| {
        assert_eq!(store.extras(*study).unwrap().len(), *trials);
    });
    grows_in_proportion("page by page", 1000, make, |(_, store, study, trials)| {
        let mut seen = 0;
        each_trial(store, *study, |_| {
            seen += 1;
            Ok::<_, StoreError>(())
        })
        .unwrap();
        assert_eq!(seen, *trials);
    });
}

/// A cell of another type than Optuna writes is the fault of its own study.
#[test]
fn a_study_of_an_unknown_direction_is_unreadable() {
    let (_folder, path) = folder_and_path();
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    for name in ["broken", "sound"] {
        store.create_study(&NewStudy { name: name.into(), ..NewStudy::default() }).unwrap();
    }
    for direction in ["'SIDEWAYS'", "X'00'", "''"] {
        sql(&path, &format!("UPDATE study_directions SET direction = {direction} WHERE study_id = 1"));
        let studies = store.studies().unwrap();
        let why = studies[0].unreadable.as_deref().unwrap_or_default();
        assert!(why.contains("neither MINIMIZE nor MAXIMIZE"), "{direction}: {why}");
        assert_eq!(studies[1].unreadable, None);
    }
}

#[test]
fn cells_of_another_type_hide_no_other_study() {
    let (_folder, path) = folder_and_path();
    let store = SqliteStore::open_within(&path, SHORT).unwrap();
    let broken = store.create_study(&NewStudy { name: "broken".into(), ..NewStudy::default() }).unwrap();
    let sound = store.create_study(&NewStudy { name: "sound".into(), ..NewStudy::default() }).unwrap();
    for study in [broken, sound] {
        start(&store, study).unwrap();
    }
    for value in ["NULL", "X'00ff'", "7.5"] {
        sql(
            &path,
            &format!(
                "UPDATE study_user_attributes SET value_json = {value}
                 WHERE key = 'allometry:search_space' AND study_id = {broken}"
            ),
        );
        let studies = store.studies().unwrap();
        assert!(studies[0].unreadable.is_some(), "{value}");
        assert_eq!((studies[1].name.as_str(), &studies[1].unreadable), ("sound", &None));
    }
    sql(
        &path,
        &format!(
            "UPDATE study_user_attributes SET value_json = '{{}}'
             WHERE key = 'allometry:search_space' AND study_id = {broken};
             UPDATE trial_params SET param_value = 'much'
             WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = {broken})"
        ),
    );
    let refused = store.trials(broken).unwrap_err();
    assert!(
        matches!(&refused, StoreError::Malformed { place, .. } if place.contains("param_value")),
        "{refused}"
    );
    assert_eq!(store.trials(sound).unwrap().len(), 1);
}
