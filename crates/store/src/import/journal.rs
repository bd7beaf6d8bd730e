//! Reader of Optuna's journal files: one operation per line, replayed by Optuna's rules.

mod fields;
mod replay;

use std::path::Path;

use super::error::Problem;
use super::{ImportError, ImportedStudy, Roles, optuna_storage};
use crate::json;
use crate::optuna::{self, StudyWithTrials};
use replay::replay;

/// Whether a text starts like a journal.
pub(super) fn is_journal(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    json::parse(first).is_ok_and(|document| document.get("op_code").is_some())
}

/// Returns the studies of a journal.
pub(super) fn studies(path: &Path, text: &str) -> Result<Vec<StudyWithTrials>, ImportError> {
    replay(text).map_err(|problem| problem.in_file(path))
}

/// Reads the study `name` of a journal, or the only one. Data that no client of Optuna could read back are
/// dropped here too.
pub(super) fn read(
    path: &Path,
    text: &str,
    name: Option<&str>,
    roles: &Roles<'_>,
) -> Result<ImportedStudy, ImportError> {
    let studies = studies(path, text)?;
    let store = optuna::in_memory(&studies).map_err(|(study, error)| {
        Problem::new(format!("study `{study}`"), error.to_string()).in_file(path)
    })?;
    optuna_storage::read_store(&*store, &path.into(), name, roles)
}
