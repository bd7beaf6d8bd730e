//! Helpers shared by the tests of several crates: reference data outside the repository, Python peers,
//! visible skips, damaged files with limits on the cost of reading them, certificates, and a private
//! PostgreSQL server.

mod certificates;
mod limits;
mod mutation;
#[cfg(unix)]
mod postgres;

pub use certificates::certificates;
pub use limits::{Limits, MOST_GROWTH, grows_in_proportion};
pub use mutation::damaged;
#[cfg(unix)]
pub use postgres::Cluster;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// Variable that is 1 where every Python peer is installed (as `.ci/run` does). A missing peer then fails
/// the test instead of skipping it.
const REQUIRE: &str = "ALLOMETRY_REQUIRE_PEERS";

/// Reports on standard error that a test was skipped. The message bypasses the capture of the test harness.
pub fn skip(test: &str, reason: &str) {
    writeln!(std::io::stderr(), "SKIPPED {test}: {reason}").expect("standard error is open in tests");
}

/// Returns how often to inject a fault: `few` times, or as often as `ALLOMETRY_FAULT_ROUNDS` says.
pub fn fault_rounds(few: usize) -> usize {
    std::env::var("ALLOMETRY_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// Returns the path of a file of the reference data (`seed/report.md`, `data/...`), in the folder named by
/// `ALLOMETRY_REFERENCE_DATA` or in `shared` beside the repository.
///
/// If the file is missing, the result is `None` and `test` is reported as skipped.
pub fn reference_file(test: &str, relative: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ALLOMETRY_REFERENCE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let path = folder.join(relative);
    if path.exists() {
        return Some(path);
    }
    skip(test, &format!("no reference data at {}", path.display()));
    None
}

/// Returns the path of a program on `PATH`.
///
/// If there is none, the result is `None` and `test` is reported as skipped.
///
/// # Panics
/// If there is none although `ALLOMETRY_REQUIRE_PEERS` is 1.
pub fn program(test: &str, name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skip_absent(test, &format!("there is no {name} on the path"));
    }
    found
}

/// Returns the path of a file of an npm package, below the folder `node_modules` named by
/// `ALLOMETRY_NODE_MODULES`.
///
/// If the file is missing, the result is `None` and `test` is reported as skipped.
///
/// # Panics
/// If it is missing although `ALLOMETRY_REQUIRE_PEERS` is 1.
pub fn npm_file(test: &str, relative: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ALLOMETRY_NODE_MODULES")
        .map_or_else(|| PathBuf::from("node_modules"), PathBuf::from);
    let path = folder.join(relative);
    if path.is_file() {
        return Some(path);
    }
    skip_absent(test, &format!("there is no {}", path.display()));
    None
}

/// Reports that `test` is skipped because something is missing that is installed where every peer is.
///
/// # Panics
/// If `ALLOMETRY_REQUIRE_PEERS` is 1, where the test must not be skipped.
pub fn skip_absent(test: &str, reason: &str) {
    assert!(std::env::var(REQUIRE).as_deref() != Ok("1"), "{test} cannot be skipped here: {reason}");
    skip(test, reason);
}

/// Returns a Python interpreter that can import `module`: the one named by `ALLOMETRY_PYTHON`, or
/// `python3`.
///
/// If there is none, the result is `None` and `test` is reported as skipped.
///
/// # Panics
/// If there is none although `ALLOMETRY_REQUIRE_PEERS` is 1.
pub fn python_with(test: &str, module: &str) -> Option<PathBuf> {
    let python = std::env::var_os("ALLOMETRY_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let found = Command::new(&python).arg("-c").arg(format!("import {module}")).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let reason = format!("{} has no module {module}", python.display());
    skip_absent(test, &reason);
    None
}

/// Returns a Python interpreter that can import `torch`: the one named by `ALLOMETRY_TORCH`, or that of
/// [`python_with`].
///
/// If there is none, the result is `None` and `test` is reported as skipped. This never fails a test,
/// because PyTorch is too large to require.
pub fn torch(test: &str) -> Option<PathBuf> {
    let given = std::env::var_os("ALLOMETRY_TORCH").or_else(|| std::env::var_os("ALLOMETRY_PYTHON"));
    let python = given.map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let found = Command::new(&python).args(["-c", "import torch, safetensors"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    skip(test, &format!("{} has no torch and safetensors", python.display()));
    None
}
