//! Optuna's journal files: one operation a line, replayed by its rules.

mod fields;
mod replay;

use std::path::Path;

use super::error::Problem;
use super::{ImportError, ImportedStudy, optuna_storage};
use crate::error::StoreError;
use crate::json;
use crate::optuna::{AttributeKind, OptunaStorage};
use crate::sqlite::OptunaSqlite;
use replay::{JournalStudy, replay};

/// Whether a text begins as a journal does.
pub(super) fn is_journal(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    json::parse(first).is_ok_and(|document| document.get("op_code").is_some())
}

/// Reads the study `name` of a journal, or the only one.
pub(super) fn read(path: &Path, text: &str, name: Option<&str>) -> Result<ImportedStudy, ImportError> {
    let studies = replay(text).map_err(|problem| problem.in_file(path))?;
    let storage = OptunaSqlite::in_memory()?;
    for study in &studies {
        write(&storage, study).map_err(|problem| problem.in_file(path))?;
    }
    optuna_storage::read_store(&storage.into_store(), &path.into(), name)
}

/// What no client of Optuna could read back is no part of a study here either.
fn write(storage: &dyn OptunaStorage, study: &JournalStudy) -> Result<(), Problem> {
    let in_study = |error: StoreError| Problem::new(format!("study `{}`", study.name), error.to_string());
    let id = storage.create_study(&study.name, &study.directions).map_err(in_study)?;
    for (kind, attributes) in
        [(AttributeKind::User, &study.user_attributes), (AttributeKind::System, &study.system_attributes)]
    {
        for (key, json) in attributes {
            storage.set_study_attribute(id, kind, key, json).map_err(in_study)?;
        }
    }
    for (number, trial) in study.trials.iter().enumerate() {
        storage.create_trial(id, Some(trial)).map_err(|error| {
            Problem::new(format!("study `{}`, trial {number}", study.name), error.to_string())
        })?;
    }
    Ok(())
}
