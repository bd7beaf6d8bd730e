//! Tests that files in a ladder's folder from earlier runs, or from runs into another storage, are not used
//! as results of this run.

use allometry_core::{FrozenTrial, ParamValue, TrialState};

use crate::support::run;
use crate::support::shared::{self, start, trials, wait_for};

fn x_of(trial: &FrozenTrial) -> Option<f64> {
    trial.params.get("x").and_then(ParamValue::as_f64)
}

fn url(folder: &std::path::Path, name: &str) -> String {
    allometry_store::url::of_sqlite(&folder.join(name))
}

#[test]
fn a_new_study_does_not_take_the_checkpoints_of_a_deleted_one() {
    let folder = shared::project(3);
    let ladder = r#"
name = "shared"
metric = "accuracy"
trials = 3
[command]
shell = true
run = '''
kept={checkpoint_dir}/value
[ -e $kept ] || echo {x} > $kept
printf '{{"final": true, "value": %s}}\n' $(cat $kept) >> {report}
'''
[space]
x = { float = [0.0, 1.0] }
[sampler]
kind = "random"
[[budget]]
label = "s"
weights = "any"
"#;
    let path = folder.path().join("ladder.toml");
    std::fs::write(&path, ladder).unwrap();
    let (code, _, err) = run(folder.path(), &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    for file in ["trials.db", "trials.db-wal", "trials.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    let changed = std::fs::read_to_string(&path).unwrap().replace("[0.0, 1.0]", "[2.0, 3.0]");
    std::fs::write(&path, changed).unwrap();
    let (code, _, err) = run(folder.path(), &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let found = trials(&url(folder.path(), "trials.db"));
    assert_eq!(found.len(), 3);
    for trial in &found {
        assert_eq!((trial.state, trial.value()), (TrialState::Complete, x_of(trial)), "{trial:?}");
        assert!(trial.value().unwrap() >= 2.0, "{trial:?}");
    }
}

#[test]
fn runs_of_one_ladder_into_two_storages_leave_each_other_alone() {
    let folder = shared::project(12);
    let mut one = start(folder.path(), &["run", "--workers", "2", "--storage", "one.db"]);
    wait_for("the first trial", || !trials(&url(folder.path(), "one.db")).is_empty());
    let mut two = start(folder.path(), &["run", "--workers", "2", "--storage", "two.db"]);
    assert!(one.wait().unwrap().success());
    assert!(two.wait().unwrap().success());
    for name in ["one.db", "two.db"] {
        let trials = trials(&url(folder.path(), name));
        shared::check(&trials, 12);
        assert_eq!(trials.len(), 12, "nobody lost a trial: {name}");
    }
}

/// A study whose own attributes cannot be read is refused, because they decide what its trials mean.
#[test]
fn a_study_whose_facts_cannot_be_read_is_listed_and_neither_analysed_nor_continued() {
    let folder = shared::project(2);
    let (code, _, err) = run(folder.path(), &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let database = folder.path().join("trials.db");
    for (key, value) in [
        ("sampler", r#""best""#),
        ("limits", "5"),
        ("facts", "2"),
        ("search_space", r#"{"x": {"kind": "float", "low": 5.0, "high": 0.1, "log": false, "step": null}}"#),
    ] {
        let copy = folder.path().join("copy.db");
        std::fs::copy(&database, &copy).unwrap();
        let connection = rusqlite::Connection::open(&copy).unwrap();
        let change = "UPDATE study_user_attributes SET value_json = ?2 WHERE key = ?1";
        let changed = connection.execute(change, [&format!("allometry:{key}"), value]).unwrap();
        assert_eq!(changed, 1, "{key}");
        drop(connection);
        for arguments in [
            &["report", "copy.db"][..],
            &["report", "2M=copy.db:shared/s"],
            &["compare", "2M=copy.db:shared/s", "2M=trials.db:shared/s"],
            &["export", "copy.db", "-o", "copy.json"],
            &["status", "copy.db"],
            &["run", "--quiet", "--trials", "3", "--storage", "copy.db"],
            &["ask", "--in", "copy.db"],
        ] {
            let (code, _, err) = run(folder.path(), arguments);
            assert_eq!(code, 5, "{key} {arguments:?}: {err}");
            let named = if key == "search_space" { "search space" } else { key };
            assert!(err.contains("shared/s") && (err.contains(named) || key == "facts"), "{err}");
            assert!(err.contains("later version") == (key == "facts"), "{err}");
        }
    }
}
