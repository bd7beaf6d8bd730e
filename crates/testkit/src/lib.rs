//! What the tests of several crates share: reference data that lies outside the repository, the Python peers, skipping a
//! test so that it is seen, damaged files and what reading them may cost, certificates, and a private PostgreSQL server.

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

/// Set to 1 where every Python peer is installed (as `.ci/run` does): an absent one is then a failure, not a skip.
const REQUIRE: &str = "ALLOMETRY_REQUIRE_PEERS";

/// Says on standard error, past the test harness's capture, that a test was skipped.
pub fn skip(test: &str, reason: &str) {
    writeln!(std::io::stderr(), "SKIPPED {test}: {reason}").expect("standard error is open in tests");
}

/// How often a fault is made: a few times among the other tests, as often as `ALLOMETRY_FAULT_ROUNDS` says where it is set.
pub fn fault_rounds(few: usize) -> usize {
    std::env::var("ALLOMETRY_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// Path of a file of the reference data (`seed/report.md`, `data/...`): in the folder that `ALLOMETRY_REFERENCE_DATA`
/// names, or `shared` beside the repository. `None`, with a visible skip of `test`, where it is absent.
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

/// A program on the path. `None`, with a visible skip of `test`, where there is none.
///
/// # Panics
/// Where there is none although `ALLOMETRY_REQUIRE_PEERS` is 1.
pub fn program(test: &str, name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skip_absent(test, &format!("there is no {name} on the path"));
    }
    found
}

/// A file of an npm package, under the folder `node_modules` that `ALLOMETRY_NODE_MODULES` names. `None`, with a visible
/// skip of `test`, where there is none.
///
/// # Panics
/// Where there is none although `ALLOMETRY_REQUIRE_PEERS` is 1.
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

/// The same of anything that can be had where every peer is: a visible skip, or a failure where `ALLOMETRY_REQUIRE_PEERS` is 1.
///
/// # Panics
/// Where `ALLOMETRY_REQUIRE_PEERS` is 1.
pub fn skip_absent(test: &str, reason: &str) {
    assert!(std::env::var(REQUIRE).as_deref() != Ok("1"), "{test} cannot be skipped here: {reason}");
    skip(test, reason);
}

/// A Python interpreter that imports `module`: the one that `ALLOMETRY_PYTHON` names, or `python3`. `None`, with a
/// visible skip of `test`, where there is none.
///
/// # Panics
/// Where there is none although `ALLOMETRY_REQUIRE_PEERS` is 1.
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

/// A Python interpreter that imports `torch`: the one that `ALLOMETRY_TORCH` names, or that of [`python_with`]. `None`, with a
/// visible skip of `test`, where there is none; that is no failure anywhere, for PyTorch is too large a peer to be asked for.
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
