//! Tests that Optuna's package reads a copied study like the original, and can continue it.

use std::path::{Path, PathBuf};
use std::process::Command;

use allometry_testkit::{Cluster, python_with};
use serde_json::Value;

use crate::support::run;

/// The output of the script.
fn python(python: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/exchange/studies.py"))
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TZ", "Asia/Kolkata")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const ONE: &str = "café/2M";

struct Copies {
    python: PathBuf,
    folder: tempfile::TempDir,
}

impl Copies {
    /// Creates a folder with Optuna's studies in `original.db`.
    fn new(test: &str) -> Option<Self> {
        let found = python_with(test, "optuna, sqlalchemy")?;
        let folder = tempfile::tempdir().unwrap();
        let copies = Self { python: found, folder };
        copies.python(&["make", &copies.url("original.db")]);
        Some(copies)
    }

    fn python(&self, arguments: &[&str]) -> Value {
        python(&self.python, arguments)
    }

    fn url(&self, name: &str) -> String {
        allometry_store::url::of_sqlite(&self.folder.path().join(name))
    }

    fn run(&self, arguments: &[&str]) -> String {
        let (code, _, err) = run(self.folder.path(), arguments);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        err
    }

    fn seen(&self, storage: &str, study: &str) -> Value {
        self.python(&["seen", storage, study])
    }

    fn hold_to_original(&self, storage: &str) {
        for study in [ONE, "two"] {
            assert_eq!(self.seen(storage, study), self.seen(&self.url("original.db"), study), "{storage}");
        }
    }
}

#[test]
fn a_copied_store_is_the_same_to_optuna() {
    let Some(copies) = Copies::new("a_copied_store_is_the_same_to_optuna") else { return };
    let said = copies.run(&["export", "original.db", "-o", "copy.db"]);
    assert!(
        said.contains("exported 8 trials into study \"café/2M\": 3 complete, 2 pruned, 1 failed"),
        "{said}"
    );
    assert!(said.contains("note: trials that are running in the source"), "{said}");
    copies.hold_to_original(&copies.url("copy.db"));
    assert!(!copies.folder.path().join("copy.db-wal").exists(), "the log is taken into the file");
    let went_on = copies.python(&["go_on", &copies.url("copy.db"), ONE]);
    assert_eq!(went_on["trials"], 12, "one of the five was in the queue");
    assert_eq!((&went_on["waiting"], &went_on["queued"]), (&serde_json::json!([]), &serde_json::json!(1e-4)));
}

#[test]
fn a_journal_becomes_a_store() {
    let test = "a_journal_becomes_a_store";
    let Some(copies) = Copies::new(test) else { return };
    let journal = copies.folder.path().join("journal.log");
    copies.python(&["make", journal.to_str().unwrap()]);
    copies.run(&["import", "journal.log", "--storage", "copy.db"]);
    for study in [ONE, "two"] {
        assert_eq!(copies.seen(&copies.url("copy.db"), study), copies.seen(journal.to_str().unwrap(), study));
    }
}

#[test]
fn a_server_and_a_file_hold_the_same() {
    let test = "a_server_and_a_file_hold_the_same";
    let Some(copies) = Copies::new(test) else { return };
    let Some(cluster) = Cluster::shared(test) else { return };
    if python_with(test, "psycopg2").is_none() {
        return;
    }
    let server = cluster.database();
    copies.run(&["import", "original.db", "--storage", &server]);
    copies.hold_to_original(&server.replace("postgresql://", "postgresql+psycopg2://"));
    copies.run(&["export", &server, "-o", "back.db"]);
    copies.hold_to_original(&copies.url("back.db"));
    let (code, _, err) = run(copies.folder.path(), &["import", "original.db", "--storage", &server]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("already has a study \"café/2M\"; nothing was written"), "{err}");
}

#[test]
fn json_and_tables_keep_what_optuna_knows_of_trials() {
    let Some(copies) = Copies::new("json_and_tables_keep_what_optuna_knows_of_trials") else { return };
    for (file, kept) in [
        (
            "trials.json",
            &["values", "params", "distributions", "intermediate", "times", "system_attrs", "user_attrs"][..],
        ),
        (
            "trials.csv",
            &["values", "params", "distributions", "intermediate", "times", "system_attrs", "user_attrs"],
        ),
    ] {
        for (study, label) in [(ONE, "2M"), ("two", "two")] {
            copies.run(&["export", "original.db", "--study", label, "-o", file]);
            let storage = format!("{file}.db");
            copies.run(&["import", file, "--storage", &storage, "--study", study]);
            let original = copies.seen(&copies.url("original.db"), study);
            let copy = copies.seen(&copies.url(&storage), study);
            assert_eq!(copy["directions"], original["directions"]);
            let (Some(copied), Some(trials)) = (copy["trials"].as_array(), original["trials"].as_array())
            else {
                panic!("studies have trials");
            };
            assert_eq!(copied.len(), trials.len());
            for (copied, trial) in copied.iter().zip(trials) {
                for field in kept.iter().chain(&["number", "state"]) {
                    assert_eq!(copied[*field], trial[*field], "{file}, {field}: {trial}");
                }
            }
        }
        let went_on = copies.python(&["go_on", &copies.url(&format!("{file}.db")), ONE]);
        assert_eq!(went_on["queued"], 1e-4, "{file}: the queue goes on");
    }
}
