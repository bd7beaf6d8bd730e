//! Tests of the Python module with the program.

use std::path::Path;
use std::process::Command;

use allometry_testkit::python_with;

#[test]
fn the_python_module_reads_and_drives_studies() {
    let test = "the_python_module_reads_and_drives_studies";
    let Some(python) = python_with(test, "pandas, pytest") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"])
        .current_dir(&root)
        .env("PYTHONPATH", &root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ALLOMETRY_BINARY", env!("CARGO_BIN_EXE_allometry"))
        .output()
        .expect("the interpreter was found");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}
