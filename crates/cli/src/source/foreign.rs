//! One study of somebody else's trials.

use std::path::{Path, PathBuf};

use allometry_analysis::StudyTrials;
use allometry_core::ladder::MetricSpec;
use allometry_core::{Direction, Secret};
use allometry_store::{ImportedStudy, import};

use crate::error::CliError;

/// A study's objectives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Goals {
    pub(super) direction: Direction,
    /// Those after the first; empty where which of their values are better is not known.
    pub(super) further: Vec<MetricSpec>,
}

/// Reads the study of a budget, and what it is after.
///
/// # Errors
/// [`CliError::Import`] naming the file and the place in it.
pub(super) fn read(label: &str, file: &Path, detail: Option<&str>) -> Result<(StudyTrials, Goals), CliError> {
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
    url: &Secret,
    study: Option<&str>,
) -> Result<(StudyTrials, Goals), CliError> {
    Ok(labelled(label, &url.shown(), import::read_storage(url.expose(), study)?))
}

fn labelled(label: &str, source: &str, imported: ImportedStudy) -> (StudyTrials, Goals) {
    let names = imported.metric_names;
    let named = |(place, direction): (usize, &Direction)| {
        let name = names.as_ref().map_or_else(|| format!("value {place}"), |names| names[place].clone());
        MetricSpec { name, direction: *direction }
    };
    let further = (1..).zip(&imported.further).map(named).collect();
    let study = StudyTrials {
        best_params: imported.best_params,
        space: imported.space,
        ..StudyTrials::new(label, source, imported.trials)
    };
    (study, Goals { direction: imported.direction, further })
}

/// A file of best parameters may be named from here or from the folder of its trials.
pub(super) fn beside(file: &Path, detail: &str) -> String {
    let sibling: PathBuf = file.with_file_name(detail);
    if Path::new(detail).exists() || !sibling.exists() {
        detail.into()
    } else {
        sibling.display().to_string()
    }
}
