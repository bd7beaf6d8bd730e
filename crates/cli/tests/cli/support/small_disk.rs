//! A small file system that a test can fill.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use allometry_testkit::{program, skip};

use super::texts;

/// Runs a script that mounts a small file system at `$DISK` and leaves files in `out`, its `$OUT`. Returns
/// its exit code and output; `None`, with a visible skip of `test`, if nothing can be mounted, for which the
/// script exits with 99.
pub(crate) fn run_on_small_disk(
    test: &str,
    script: &str,
    out: &Path,
    variables: &[(&str, &OsStr)],
) -> Option<(i32, String)> {
    let unshare = program(test, "unshare")?;
    let disk = tempfile::tempdir().unwrap();
    let output = Command::new(unshare)
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .env("ALLOMETRY", env!("CARGO_BIN_EXE_allometry"))
        .envs(variables.iter().copied())
        .env("DISK", disk.path())
        .env("OUT", out)
        .env("CI", "true")
        .env_remove("ALLOMETRY_STORAGE")
        .env_remove("OPTUNA_STORAGE")
        .output()
        .unwrap();
    let (code, _, err) = texts(&output);
    if code == 99 || err.contains("unshare") {
        skip(test, &format!("no file system can be mounted here: {}", err.trim()));
        return None;
    }
    Some((code, err))
}
