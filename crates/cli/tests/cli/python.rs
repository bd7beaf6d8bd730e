//! Tests of the Python module with the program.

use std::path::Path;
use std::process::Command;

use allometry_testkit::{python_with, skip, skip_absent};

#[test]
fn the_python_module_reads_and_drives_studies() {
    let test = "the_python_module_reads_and_drives_studies";
    let Some(python) = python_with(test, "pandas, pytest") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests"])
        .current_dir(&root)
        .env("PYTHONPATH", &root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ALLOMETRY_BINARY", env!("CARGO_BIN_EXE_allometry"))
        .output()
        .expect("the interpreter was found");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    // The large packages may be missing anywhere.
    for skipped in text.lines().filter_map(|line| line.strip_prefix("SKIPPED ")) {
        let is_large = ["torch", "mlflow", "tensorboard", "wandb"].iter().any(|name| skipped.ends_with(name));
        let report = if is_large { skip } else { skip_absent };
        report(test, skipped);
    }
}
