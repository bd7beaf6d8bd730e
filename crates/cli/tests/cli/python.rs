//! Tests of the Python module with the program.

use std::path::Path;
use std::process::Command;

use allometry_testkit::{python_with, skip, skip_absent};

/// Packages that may be missing anywhere, because they are large.
const LARGE: [&str; 4] = ["torch", "mlflow", "tensorboard", "wandb"];

#[test]
fn the_python_module_reads_and_drives_studies() {
    pytest("the_python_module_reads_and_drives_studies", "test_allometry.py");
}

#[test]
fn the_python_module_applies_models_like_the_program() {
    pytest("the_python_module_applies_models_like_the_program", "test_model.py");
}

#[test]
fn the_python_module_writes_trials_for_other_programs() {
    pytest("the_python_module_writes_trials_for_other_programs", "test_exports.py");
}

#[test]
fn the_guide_for_python_runs() {
    pytest("the_guide_for_python_runs", "test_guide.py");
}

/// Runs a file of `python/tests`. What it skips is reported as skipped by `test`.
fn pytest(test: &str, file: &str) {
    let Some(python) = python_with(test, "pandas, pytest") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"])
        .arg(Path::new("tests").join(file))
        .current_dir(&root)
        .env("PYTHONPATH", &root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ALLOMETRY_BINARY", env!("CARGO_BIN_EXE_allometry"))
        .output()
        .expect("the interpreter was found");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    for skipped in text.lines().filter_map(|line| line.strip_prefix("SKIPPED ")) {
        let is_large = LARGE.iter().any(|package| skipped.ends_with(package));
        let report = if is_large { skip } else { skip_absent };
        report(test, skipped);
    }
}
