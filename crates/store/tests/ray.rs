//! Tests of the folder of an experiment that Ray Tune wrote (`ray/make.py`), compared with Ray's own results.

use std::fs;
use std::path::{Path, PathBuf};

use allometry_core::{FrozenTrial, TrialState};
use allometry_store::import::{self, Assumed, ImportError, Note};
use serde_json::Value;

fn experiment() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ray/experiment")
}

fn expected() -> Value {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ray/expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Copies the experiment to a folder in which tests may damage it.
fn copy() -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(experiment()).unwrap() {
        let path = entry.unwrap().path();
        let to = target.path().join(path.file_name().unwrap());
        if !path.is_dir() {
            fs::copy(&path, to).unwrap();
            continue;
        }
        fs::create_dir(&to).unwrap();
        for file in fs::read_dir(&path).unwrap() {
            let file = file.unwrap().path();
            fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
    }
    target
}

fn hold_to_ray(trials: &[FrozenTrial]) {
    let expected = expected();
    let rays = expected["trials"].as_array().unwrap();
    assert_eq!(trials.len(), rays.len());
    for (trial, ray) in trials.iter().zip(rays) {
        let state = if ray["error"] == true { TrialState::Failed } else { TrialState::Complete };
        assert_eq!(trial.state, state, "{ray}");
        assert_eq!(trial.user_attributes["ray_trial_id"], ray["trial_id"].to_string());
        assert_eq!(trial.value(), ray["auc"].as_f64().filter(|_| state == TrialState::Complete));
        let history: Vec<f64> = trial.intermediate.values().copied().collect();
        assert_eq!(serde_json::json!(history), ray["history"]);
        assert_eq!(
            trial.intermediate.keys().copied().collect::<Vec<_>>(),
            (1..=history.len() as i64).collect::<Vec<_>>()
        );
        for (name, path) in [("lr", "/lr"), ("width", "/width"), ("inner/flag", "/inner/flag")] {
            let value = serde_json::to_value(trial.params.get(name).unwrap()).unwrap();
            assert_eq!(&value, ray["config"].pointer(path).unwrap(), "{name}");
        }
        assert_eq!(trial.params.get("inner/layers").unwrap().to_string(), "[1, 2]");
        assert!(trial.started < trial.completed);
    }
}

#[test]
fn trials_are_those_of_ray() {
    let study = import::read(&experiment(), Some("auc"), &import::Roles::default()).unwrap();
    hold_to_ray(&study.trials);
    let failed = study.trials.iter().find(|trial| trial.state == TrialState::Failed).unwrap();
    assert_eq!(failed.record.failure.as_ref().unwrap().reason, "ValueError: gradients are not finite");
    let assumed = Assumed { metric: Some("auc".into()), ..Assumed::default() };
    let whole = import::read_all(&experiment(), None, &assumed).unwrap().pop().unwrap();
    assert_eq!((whole.study.name.as_str(), whole.study.trials.len()), ("experiment", study.trials.len()));
    assert!(whole.notes.iter().any(|note| matches!(note, Note::Inferred { .. })));
}

#[test]
fn tables_stand_in_for_results() {
    let folder = copy();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let trial = entry.unwrap().path();
        if trial.is_dir() {
            fs::remove_file(trial.join("result.json")).unwrap();
        }
    }
    hold_to_ray(&import::read(folder.path(), Some("auc"), &import::Roles::default()).unwrap().trials);
}

#[test]
fn damage_is_told_with_its_place() {
    let folder = copy();
    let result = folder.path().join("trial_0/result.json");
    let whole = fs::read_to_string(&result).unwrap();
    let message = |read: Result<_, ImportError>| {
        let error: ImportError = read.map(|_: import::ImportedStudy| ()).unwrap_err();
        format!("{error} ({})", error.hint().unwrap_or_default())
    };
    let read = || import::read(folder.path(), Some("auc"), &import::Roles::default());
    assert!(
        message(import::read(folder.path(), None, &import::Roles::default()))
            .contains("several metrics (name one with --metric")
    );
    let other = message(import::read(folder.path(), Some("acc"), &import::Roles::default()));
    assert!(other.contains("no metric `acc`") && other.contains("`inner/loss`"), "{other}");
    // The last line may be incomplete, others may not.
    fs::write(&result, &whole[..whole.len() - 30]).unwrap();
    assert!(read().is_ok());
    fs::write(&result, format!("{{\"auc\": \n{whole}")).unwrap();
    assert!(message(read()).contains("trial_0/result.json, line 1, column"), "{}", message(read()));
    fs::write(&result, format!("{{\"auc\": 1, \"training_iteration\": \"x\"}}\n{whole}")).unwrap();
    assert!(message(read()).contains("line 1, field `training_iteration`: expected a whole number"));
    fs::write(&result, &whole).unwrap();
    fs::write(folder.path().join("trial_1/params.json"), "[1]").unwrap();
    assert!(message(read()).contains("trial_1/params.json, line 1: expected an object"));
    let empty = tempfile::tempdir().unwrap();
    let refused = message(import::read(empty.path(), None, &import::Roles::default()));
    assert!(refused.contains("is not a file of trials"));
}

#[test]
fn what_ray_did_not_finish_failed() {
    let folder = copy();
    let state = folder.path().join("experiment_state-2026-01-01_00-00-00.json");
    let text = fs::read_to_string(&state).unwrap();
    // The newest record is used.
    let later = folder.path().join("experiment_state-2026-01-02_00-00-00.json");
    fs::write(later, text.replace("TERMINATED", "RUNNING")).unwrap();
    let study = import::read(folder.path(), Some("auc"), &import::Roles::default()).unwrap();
    assert!(study.trials.iter().all(|trial| trial.state == TrialState::Failed));
    let reasons = study.trials.iter().map(|trial| trial.record.failure.as_ref().unwrap().reason.as_str());
    assert!(reasons.clone().any(|reason| reason == "the experiment ended before the trial"));
}
