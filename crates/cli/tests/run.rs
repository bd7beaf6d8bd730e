//! `allometry run`: the whole way, and what survives an interruption.

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use support::{allometry, project, run, texts};

fn report(folder: &std::path::Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("report/report.json")).expect("the run wrote its report");
    serde_json::from_str(&text).expect("the report is JSON")
}

#[test]
fn a_ladder_runs_to_its_report_and_the_same_command_adds_nothing() {
    let folder = project();
    let (code, out, err) = run(folder.path(), &["run", "--workers", "2"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("s: trial 0 complete"), "{err}");
    let first = std::fs::read(folder.path().join("report/report.md")).unwrap();
    assert!(String::from_utf8_lossy(&first).contains("logistic regression"));
    let (code, _, err) = run(folder.path(), &["run"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("4 of them done already"), "{err}");
    assert_eq!(std::fs::read(folder.path().join("report/report.md")).unwrap(), first);
}

#[test]
fn the_number_of_workers_changes_no_result() {
    let values = |workers: &str| {
        let folder = project();
        let (code, _, err) = run(folder.path(), &["run", "--quiet", "--workers", workers]);
        assert_eq!(code, 0, "{err}");
        std::fs::read_to_string(folder.path().join("report/report.md")).unwrap()
    };
    assert_eq!(values("1"), values("3"));
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let folder = project();
    let long = ["run", "--workers", "2", "-S", "trials=30", "-S", "model.epochs=6", "-S", "model.patience=6"];
    let mut kills = 0;
    for round in 0..6 {
        let mut child =
            allometry(folder.path()).args(long).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150 + 130 * round));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills > 0, "the runs ended before they could be killed");
    let (code, _, err) = run(folder.path(), &long);
    assert_eq!(code, 0, "{err}");
    let document = report(folder.path());
    let text = document.to_string();
    assert!(text.contains("\"complete\":30"), "each budget has exactly its trials: {text:.2000}");

    let whole = project();
    let (code, _, err) = run(whole.path(), &long);
    assert_eq!(code, 0, "{err}");
    assert_eq!(best(&report(whole.path())), best(&document), "interruptions change no result");
}

/// Best value and configuration of each budget; its number may differ, as a repetition is a trial of its own.
fn best(document: &serde_json::Value) -> Vec<(serde_json::Value, serde_json::Value)> {
    let studies = document["studies"].as_array().expect("the document has studies");
    let best = studies.iter().map(|s| &s["summary"]["best"][0]);
    best.map(|b| (b["value"]["point"].clone(), b["params"].clone())).collect()
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let folder = project();
    let child = allometry(folder.path())
        .args(["run", "-S", "trials=200", "-S", "model.epochs=40", "-S", "model.patience=40"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let database = folder.path().join("trials.db");
    let patience = Instant::now();
    while !database.exists() && patience.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let asked = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let (code, _, err) = texts(&child.wait_with_output().unwrap());
    assert_eq!(code, 130, "{err}");
    assert!(err.contains("hint: the same command goes on from here"), "{err}");
}

#[test]
fn a_changed_space_is_refused_with_the_difference() {
    let folder = project();
    assert_eq!(run(folder.path(), &["run", "--quiet", "--budget", "s"]).0, 0);
    let (code, _, err) = run(folder.path(), &["run", "-S", "space.dropout=[0.0, 0.2]"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("dropout") && err.contains("0.2"), "{err}");
    let (code, _, err) = run(folder.path(), &["run", "-S", "model.context=12"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("model.context: was 8, is 12"), "{err}");
}
