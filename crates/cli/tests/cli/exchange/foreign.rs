//! Tests of files that Optuna and pandas wrote, with every command and back in Optuna.

use std::path::{Path, PathBuf};
use std::process::Command;

use allometry_testkit::{python_with, skip};
use serde_json::Value;

use crate::support::{allometry, texts};

/// Runs the script of this folder and returns the JSON that it prints.
fn script(python: &Path, zone: &str, arguments: &[&str]) -> Value {
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/exchange/foreign.py"))
        .args(arguments)
        .env("TZ", zone)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A file that the script wrote.
struct File {
    name: String,
    study: String,
    directions: Vec<String>,
    /// Whether the file records the names of its studies.
    is_storage: bool,
}

impl File {
    fn read(file: &Value) -> Self {
        let text = |key: &str| file[key].as_str().unwrap().to_owned();
        let directions = file["directions"].as_array().unwrap();
        Self {
            name: text("file"),
            study: text("study"),
            directions: directions.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
            is_storage: text("kind") == "storage",
        }
    }

    /// Returns the file as a SOURCE with a label.
    fn source(&self, label: &str) -> String {
        let study = if self.is_storage { format!(":{}", self.study) } else { String::new() };
        format!("{label}={}{study}", self.name)
    }

    /// Returns the options for what the file does not record.
    fn told(&self) -> Vec<String> {
        let directions = self.directions.iter().filter(|_| !self.is_storage);
        directions.flat_map(|direction| ["--direction".to_owned(), direction.clone()]).collect()
    }
}

/// Writes files with the Optuna of an interpreter and reads each with all commands.
fn through_every_command(python: &Path, zone: &str) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let files = script(python, zone, &["write", place.to_str().unwrap()]);
    std::fs::write(place.join("files.json"), files.to_string()).unwrap();
    let files: Vec<File> = files.as_array().unwrap().iter().map(File::read).collect();
    assert!(files.len() > 30, "{} files", files.len());
    let run = |arguments: Vec<String>| {
        let output = allometry(place).env("TZ", zone).args(&arguments).output().unwrap();
        let (code, out, err) = texts(&output);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        out
    };
    let words = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    for (place, file) in files.iter().enumerate() {
        let label = format!("file-{place}");
        let source = file.source(&label);
        run([words(&["import", &source, "--storage", "copies.db"]), file.told()].concat());
        let best = run([words(&["best", &source]), file.told()].concat());
        let copied = run(words(&["best", "copies.db", "--study", &label]));
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        assert_eq!(first(&best), first(&copied), "{}", file.name);
        let report = run([words(&["report", &source, "-o", "-"]), file.told()].concat());
        assert!(report.starts_with(&format!("# HPO Study: {label}\n")), "{}: {report}", file.name);
    }
    let wrong =
        script(python, zone, &["check", place.to_str().unwrap(), place.join("copies.db").to_str().unwrap()]);
    assert_eq!(wrong, serde_json::json!([]), "{}: {wrong:#}", python.display());
    // `ask` adds a trial to the copy.
    for place in 0..files.len() {
        let asked = run(words(&["ask", "--in", "copies.db", "--study", &format!("file-{place}")]));
        assert!(asked.contains("\"params\""), "{asked}");
    }
}

#[test]
fn what_optuna_and_pandas_write_comes_back_with_every_field_equal() {
    let test = "what_optuna_and_pandas_write_comes_back_with_every_field_equal";
    let Some(python) = python_with(test, "optuna, pandas") else { return };
    through_every_command(&python, "Asia/Kolkata");
}

/// The interpreters of `ALLOMETRY_FORMER_OPTUNA` that have Optuna 3.2 to 4, and pandas: those before cannot
/// read the copies.
#[test]
fn what_former_optuna_and_pandas_write_comes_back_with_every_field_equal() {
    let test = "what_former_optuna_and_pandas_write_comes_back_with_every_field_equal";
    let listed = std::env::var_os("ALLOMETRY_FORMER_OPTUNA").unwrap_or_default();
    let has_both = |python: &PathBuf| {
        let script = "import optuna, pandas; \
                      assert (3, 2) <= tuple(map(int, optuna.__version__.split('.')[:2])) < (5,)";
        let asked = Command::new(python).args(["-c", script]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let pythons: Vec<PathBuf> = std::env::split_paths(&listed).filter(has_both).collect();
    if pythons.is_empty() {
        skip(test, "ALLOMETRY_FORMER_OPTUNA names no interpreter with Optuna 3.2 to 4 and pandas");
    }
    for python in pythons {
        // Before version 5 databases have local times without a time zone.
        through_every_command(&python, "UTC");
    }
}

/// Holds what the exporters of a tool wrote to the trials that it ran. The interpreter is that of
/// `ALLOMETRY_TOOLS`, or of `ALLOMETRY_PYTHON`; it is no failure anywhere that it lacks the tool, which is
/// large.
fn holds_to(test: &str, tool: &str) {
    let given = std::env::var_os("ALLOMETRY_TOOLS").or_else(|| std::env::var_os("ALLOMETRY_PYTHON"));
    let python = given.map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let asked = Command::new(&python).args(["-c", &format!("import {tool}, pandas")]).output();
    if !asked.is_ok_and(|output| output.status.success()) {
        skip(test, &format!("{} has no {tool}", python.display()));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let output = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/exchange/tools.py"))
        .args([tool, place.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let files: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    for file in files.as_array().unwrap() {
        let name = file["file"].as_str().unwrap();
        let (code, out, err) = crate::support::run(place, &["list", name, "--metric", "loss", "--json"]);
        assert_eq!(code, 0, "{name}: {err}");
        let listed: Value = serde_json::from_str(&out).unwrap();
        let listed = listed["studies"][0]["trials"].as_array().unwrap();
        let expected = file["trials"].as_array().unwrap();
        assert_eq!(listed.len(), expected.len(), "{name}");
        for (found, expected) in listed.iter().zip(expected) {
            assert_eq!(found["state"], "complete", "{name}");
            let close = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-12,
                _ => a == b,
            };
            assert!(close(&found["value"], &expected["value"]), "{name}: {found}");
            let params = expected["params"].as_object().unwrap();
            assert_eq!(found["params"].as_object().unwrap().len(), params.len(), "{name}: {found}");
            assert!(params.iter().all(|(key, value)| close(&found["params"][key], value)), "{name}: {found}");
        }
        let (code, _, err) = crate::support::run(place, &["report", name, "--metric", "loss", "-o", "-"]);
        assert_eq!(code, 0, "{name}: {err}");
    }
}

#[test]
fn what_ray_tune_exports_is_read() {
    holds_to("what_ray_tune_exports_is_read", "ray");
}

#[test]
fn what_wandb_exports_is_read() {
    holds_to("what_wandb_exports_is_read", "wandb");
}
