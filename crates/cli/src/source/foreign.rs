//! One study of somebody else's trials.

use std::path::{Path, PathBuf};

use allometry_analysis::StudyTrials;
use allometry_core::Direction;
use allometry_store::import;

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
    let study = StudyTrials {
        best_params: imported.best_params,
        space: imported.space,
        ..StudyTrials::new(label, &file.display().to_string(), imported.trials)
    };
    Ok((study, imported.direction))
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
