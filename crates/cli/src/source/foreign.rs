//! One study of somebody else's trials.

use std::path::{Path, PathBuf};

use allometry_analysis::StudyTrials;
use allometry_core::Direction;
use allometry_store::url::redact;
use allometry_store::{ImportedStudy, import};

use crate::error::CliError;

/// Reads the study of a budget, and whether it maximises.
///
/// # Errors
/// [`CliError::Import`] naming the file and the place in it.
pub(super) fn read(
    label: &str,
    file: &Path,
    detail: Option<&str>,
) -> Result<(StudyTrials, Direction), CliError> {
    let detail = detail.map(|detail| beside(file, detail));
    let imported = import::read(file, detail.as_deref())?;
    Ok(labelled(label, &file.display().to_string(), imported))
}

/// Reads the study of a budget from a storage.
///
/// # Errors
/// [`CliError::Import`] naming the storage.
pub(super) fn read_stored(
    label: &str,
    url: &str,
    study: Option<&str>,
) -> Result<(StudyTrials, Direction), CliError> {
    Ok(labelled(label, &redact(url), import::read_storage(url, study)?))
}

fn labelled(label: &str, source: &str, imported: ImportedStudy) -> (StudyTrials, Direction) {
    let study = StudyTrials {
        best_params: imported.best_params,
        space: imported.space,
        ..StudyTrials::new(label, source, imported.trials)
    };
    (study, imported.direction)
}

/// A file of best parameters may be named from here or from the folder of its trials.
fn beside(file: &Path, detail: &str) -> String {
    let sibling: PathBuf = file.with_file_name(detail);
    if Path::new(detail).exists() || !sibling.exists() {
        detail.into()
    } else {
        sibling.display().to_string()
    }
}
