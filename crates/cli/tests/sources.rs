//! What trials of other programs are after: which values are better, and what the metric is called.

mod support;

use std::path::Path;

use support::run;

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// The best value and the name of the metric of a report's only budget.
fn best(folder: &Path, arguments: &[&str]) -> (f64, String) {
    let all: Vec<&str> = ["report", "-o", "r.json"].iter().chain(arguments).copied().collect();
    let (code, _, err) = run(folder, &all);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("r.json")).unwrap()).unwrap();
    let best = report["studies"][0]["summary"]["best"][0]["value"]["point"].as_f64().unwrap();
    (best, report["metric"].as_str().unwrap().to_owned())
}

const LOSSES: &str = r#"[{"number": 0, "value": 2.1, "params": {"lr": 0.1}}, {"number": 1, "value": 0.3, "params": {"lr": 0.01}},
    {"number": 2, "value": 0.5, "params": {"lr": 0.02}}]"#;

#[test]
fn a_loss_is_never_maximised_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "loss.json", LOSSES);
    let (code, out, err) = run(folder, &["report", "A=loss.json"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("larger or smaller values are better") && err.contains("--direction minimize"),
        "{err}"
    );
    assert_eq!(best(folder, &["A=loss.json", "--direction", "minimize"]), (0.3, "value".into()));
    assert_eq!(best(folder, &["A=loss.json", "--direction", "A=max"]), (2.1, "value".into()));
    assert_eq!(best(folder, &["A=loss.json", "--metric", "val_loss"]), (0.3, "val_loss".into()));
    write(folder, "best_params.json", r#"{"best_params": {"lr": 0.01}, "best_value": 0.3}"#);
    assert_eq!(best(folder, &["A=loss.json:best_params.json"]), (0.3, "value".into()));

    write(folder, "vl.csv", "Trial,val_loss,lr\n0,0.3,0.1\n1,0.2,0.2\n");
    let (code, _, err) = run(folder, &["report", "A=vl.csv"]);
    assert_eq!(code, 4);
    assert!(err.contains("name the objective with --metric: `val_loss`"), "{err}");
    assert_eq!(best(folder, &["A=vl.csv", "--metric", "A=val_loss"]), (0.2, "val_loss".into()));

    let (code, _, err) = run(folder, &["import", "loss.json"]);
    assert_eq!(code, 4);
    assert!(err.contains("does not say which values") && err.contains("--direction minimize"), "{err}");
    assert_eq!(run(folder, &["import", "loss.json", "--direction", "minimize"]).0, 0);
    let (code, out, err) = run(folder, &["best", "--in", "trials.db"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("0.3000 (trial 1)"), "{out}");
    assert_eq!(run(folder, &["import", "vl.csv", "--metric", "val_loss", "--storage", "vl.db"]).0, 0);
    assert_eq!(best(folder, &["A=vl.db"]), (0.2, "val_loss".into()));
    assert_eq!(best(folder, &["A=vl.db", "--direction", "maximize"]), (0.3, "val_loss".into()));
}

/// An interval that ends at 1, class counts and the name AUC are for values that can be one.
#[test]
fn nothing_but_an_auc_is_treated_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let trials: Vec<String> = (0..30)
        .map(|i| format!(r#"{{"value": {}, "params": {{"x": {}}}}}"#, 10.0 + f64::from(i * 7 % 30), i % 5))
        .collect();
    write(folder, "mae.json", &format!("[{}]", trials.join(",")));
    let (code, _, err) = run(folder, &["report", "A=mae.json", "--rows", "76:346"]);
    assert_eq!(code, 2);
    assert!(err.contains("an AUC lies between 0 and 1"), "{err}");
    let (code, out, err) = run(folder, &["report", "A=mae.json", "--metric", "val_mae", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Best val_mae") && !out.contains("AUC"), "{out}");
    assert!(!out.contains("1.0000 to 1.0000"), "{out}");
}

#[test]
fn small_and_large_values_keep_their_digits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "tiny.csv",
        "number,value,params_x,state\n0,1.2e-5,1,COMPLETE\n1,3.4e-6,2,COMPLETE\n2,1e308,3,COMPLETE\n",
    );
    let (code, out, err) = run(folder, &["report", "A=tiny.csv", "--direction", "minimize", "-o", "-"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("3.4e-6") && !out.contains("0.0000 |"), "{out}");
    assert_eq!(run(folder, &["import", "tiny.csv", "--direction", "minimize"]).0, 0);
    for command in ["best", "list"] {
        let (code, out, err) = run(folder, &[command, "--in", "trials.db"]);
        assert_eq!(code, 0, "{command}: {err}");
        assert!(out.contains("3.4e-6"), "{command}: {out}");
        assert!(!out.contains("00000000000000000000"), "{command}: {out}");
    }
}

/// Optuna and pandas write local times without an offset.
#[test]
fn times_without_an_offset_are_of_this_machines_zone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(
        path,
        "dt.json",
        r#"[{"number": 0, "value": 0.5, "params": {"x": 1}, "datetime_start": "2024-01-01 10:00:00"}]"#,
    );
    let tokyo = |arguments: &[&str]| {
        let output = support::allometry(path).env("TZ", "JST-9").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    tokyo(&["import", "dt.json", "--direction", "minimize"]);
    let store = allometry_store::open_read_only(path.join("trials.db").to_str().unwrap()).unwrap();
    let study = &store.studies().unwrap()[0];
    let started = store.trials(study.id).unwrap()[0].started.unwrap();
    assert_eq!(started.to_string(), "2024-01-01T01:00:00Z");
    tokyo(&["export", "trials.db", "-o", "back.json"]);
    assert!(std::fs::read_to_string(path.join("back.json")).unwrap().contains("2024-01-01 10:00:00"));
}
