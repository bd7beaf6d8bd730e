//! Folders beside a ladder file.

use std::path::{Path, PathBuf};

/// Returns the folder of a ladder file's reports.
pub fn report_folder(ladder: &Path) -> PathBuf {
    ladder.parent().unwrap_or(Path::new("")).join("report")
}

/// Returns the folder of the trials' files: `ladder.runs` for `ladder.toml`.
pub fn runs_folder(ladder: &Path) -> PathBuf {
    ladder.with_extension("runs")
}
