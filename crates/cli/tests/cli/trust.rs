//! Tests that a store decides which trials are run, but not which program runs them.

use std::path::Path;
use std::process::Command;

use allometry_core::{ParamValue, TrialState};
use allometry_testkit::python_with;
use serde_json::json;

use allometry_store::facts::{CommandFacts, Fact, ObjectiveFacts, Program};

use crate::support::shared;
use crate::support::{refused, run, shown};

/// Creates a folder with a ladder, and a store in which somebody has stored another command under the
/// ladder's name.
fn poisoned(settings: &serde_json::Value) -> tempfile::TempDir {
    let folder = shared::project(2);
    let (code, _, err) = run(folder.path(), &["run", "--quiet", "--trials", "1"]);
    assert_eq!(code, 0, "{err}");
    let text = std::fs::read_to_string(folder.path().join("ladder.toml")).unwrap();
    let text =
        if settings == &json!([]) { text.replace("for step in", "touch pwned; for step in") } else { text };
    let store = allometry_store::open(&url(folder.path())).unwrap();
    let study = store.study("shared/s").unwrap().unwrap();
    let file = json!({"text": text, "settings": settings, "folder": folder.path(), "file": "ladder.toml"});
    let file = serde_json::from_value(file).unwrap();
    let objective = CommandFacts {
        command: Program::Line("touch pwned".into()),
        metric: "auc".into(),
        weights: None,
        horizon: 1,
        part: None,
    };
    // The stored objective is changed as well, so that a mismatch with it does not hide the result.
    let objective = Fact::Objective(ObjectiveFacts::Command(objective));
    store.set_facts(study.id, &[Fact::LadderFile(file), Fact::TargetTrials(2), objective]).unwrap();
    folder
}

fn url(folder: &Path) -> String {
    allometry_store::url::of_sqlite(&folder.join("trials.db"))
}

#[test]
fn a_worker_does_not_run_what_the_store_says() {
    let folder = poisoned(&json!([]));
    let pwned = || folder.path().join("pwned").exists();
    let storage = url(folder.path());

    let elsewhere = tempfile::tempdir().unwrap();
    let (code, out, err) = run(elsewhere.path(), &["worker", "--storage", &storage, "--quiet"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    insta::assert_snapshot!(shown(folder.path(), &err), @r"
    error: the working directory has no ladder file, which says what is run
    hint: name this machine's copy of it (the run's is FOLDER/ladder.toml), or take the ladder from the \
    store with --trust-store; then everybody who can write to the store decides which programs run here
    ");
    for arguments in [
        vec!["worker", "--storage", &storage, "--quiet"],
        vec!["worker", "ladder.toml", "--storage", &storage, "--quiet"],
        vec!["worker", "--folder", ".", "--storage", &storage, "--quiet"],
    ] {
        let (_, _, err) = run(folder.path(), &arguments);
        assert!(!pwned(), "{arguments:?}: {err}");
    }
    let (_, _, err) = run(elsewhere.path(), &["worker", "--storage", &storage, "--quiet", "--trust-store"]);
    let was_asked = shared::trials(&storage).len() == 2 || err.contains("has changed");
    assert!(was_asked, "with consent the store is believed: {err}");
}

#[test]
fn settings_of_the_store_change_no_command() {
    let folder = poisoned(&json!([["command.run", "\"touch pwned\""]]));
    insta::assert_snapshot!(refused(folder.path(), &["worker", "--storage", "trials.db", "--quiet"]), @r#"
    $ allometry worker --storage trials.db --quiet
    error: the run was begun with settings that change the command or the data of this ladder file
    hint: give the worker those that you want too: -S command.run="touch pwned"
    exit code 2
    "#);
    assert!(!folder.path().join("pwned").exists());
}

#[test]
fn a_worker_takes_harmless_settings_of_the_run_and_may_be_told_the_others() {
    let folder = shared::project(2);
    let grace = ["-S", "command.grace=200ms"];
    let (code, _, err) =
        run(folder.path(), &[&["run", "--quiet", "--trials", "1", "-S", "trials=2"], &grace[..]].concat());
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!(refused(folder.path(), &["worker", "--storage", "trials.db", "--quiet"]), @"
    $ allometry worker --storage trials.db --quiet
    error: the run was begun with settings that change the command or the data of this ladder file
    hint: give the worker those that you want too: -S trials=2 -S command.grace=200ms
    exit code 2
    ");
    let (code, _, err) =
        run(folder.path(), &[&["worker", "--storage", "trials.db", "--quiet"], &grace[..]].concat());
    assert_eq!(code, 0, "{err}");
}

#[test]
fn enqueued_trials_of_the_wrong_type_fail_and_the_run_goes_on() {
    let test = "enqueued_trials_of_the_wrong_type_fail_and_the_run_goes_on";
    let Some(python) = python_with(test, "optuna") else { return };
    let folder = shared::project(4);
    let (code, _, err) = run(folder.path(), &["run", "--quiet", "--trials", "1"]);
    assert_eq!(code, 0, "{err}");
    let script = r#"
import optuna
s = optuna.load_study(study_name="shared/s", storage="sqlite:///trials.db")
for params in [{"x": "a"}, {"x": 5.0}, {"x": 0.25, "y": "b"}, {"x": [1]}, {"x": None},
               {"y": "; touch pwned"}, {}]:
    s.enqueue_trial(params)
"#;
    let made = Command::new(python).args(["-c", script]).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (code, _, err) = run(folder.path(), &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let trials = shared::trials(&url(folder.path()));
    let reasons: Vec<String> = trials
        .iter()
        .filter(|trial| trial.state == TrialState::Failed)
        .map(|trial| trial.record.failure.as_ref().unwrap().reason.clone())
        .collect();
    assert_eq!(reasons.len(), 5, "{reasons:?}");
    for (reason, value) in reasons.iter().zip([r#""a""#, "5.0", "[1]", "null", r#""; touch pwned""#]) {
        assert!(reason.starts_with("the enqueued value of `") && reason.contains(value), "{reason}");
    }
    let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete);
    let xs: Vec<f64> =
        complete.filter_map(|trial| trial.params.get("x").and_then(ParamValue::as_f64)).collect();
    assert_eq!((xs.len(), xs.contains(&0.25)), (4, true), "{xs:?}");
    assert!(!folder.path().join("pwned").exists());
}
