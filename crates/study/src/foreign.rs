//! One study of another program.

use std::path::{Path, PathBuf};

use allometry_analysis::StudyTrials;
use allometry_core::{Direction, MetricSpec, Secret};
use allometry_store::import::Note;
use allometry_store::url::{self, Storage};
use allometry_store::{ImportedStudy, Location, import};

use crate::StudyError;
use crate::goal::{Objective, Recorded};

/// A study of another program, with what it records about its objectives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Foreign {
    pub(crate) study: StudyTrials,
    pub(crate) recorded: Recorded,
    /// Objectives after the first; empty where their directions are unknown.
    pub(crate) later: Vec<MetricSpec>,
    /// Notes on guesses and on data left out.
    pub(crate) notes: Vec<Note>,
}

/// Reads the study of a budget. `objective` holds the options of the command line.
///
/// # Errors
/// [`StudyError::Import`] naming the file and the place in it.
pub(crate) fn read(
    label: &str,
    file: &Path,
    detail: Option<&str>,
    objective: &Objective<'_>,
) -> Result<Foreign, StudyError> {
    let detail = detail.map(|detail| best_params_path(file, detail));
    let params = objective.params_of(label);
    let imported = import::read(file, detail.as_deref(), &objective.roles_of(label, &params))?;
    labelled(label, &file.display().to_string(), imported, objective)
}

/// Reads the only study of a source without a label. Its label is its name, or that of its file.
///
/// # Errors
/// [`StudyError::Import`] naming the source, and its studies where there are several.
pub(crate) fn read_unlabelled(source: &Secret, objective: &Objective<'_>) -> Result<Foreign, StudyError> {
    let url = source.expose();
    let read = |label: &str| -> Result<ImportedStudy, StudyError> {
        let params = objective.params_of(label);
        let roles = objective.roles_of(label, &params);
        Ok(match url::parse(url)? {
            Storage::Sqlite(path) => import::read(&path, None, &roles)?,
            Storage::Postgres(_) => import::read_storage(url, None, &roles)?,
        })
    };
    let named = own_name(source);
    let mut imported = read(&named)?;
    let label = imported.name.clone().unwrap_or(named);
    if objective.size_of(&label).is_some() {
        imported = read(&label)?;
    }
    labelled(&label, &source.shown(), imported, objective)
}

/// Returns the name of a source's file, which names its study.
pub(crate) fn own_name(source: &Secret) -> String {
    match url::parse(source.expose()) {
        Ok(Storage::Sqlite(path)) => import::name_of(&path),
        _ => String::new(),
    }
}

/// Reads the study of a budget from a storage.
///
/// # Errors
/// [`StudyError::Import`] naming the storage.
pub(crate) fn read_stored(
    label: &str,
    url: &Secret,
    study: Option<&str>,
    objective: &Objective<'_>,
) -> Result<Foreign, StudyError> {
    let params = objective.params_of(label);
    let roles = objective.roles_of(label, &params);
    labelled(label, &url.shown(), import::read_storage(url.expose(), study, &roles)?, objective)
}

fn labelled(
    label: &str,
    source: &str,
    imported: ImportedStudy,
    objective: &Objective<'_>,
) -> Result<Foreign, StudyError> {
    let mut names = imported.metric_names;
    // Options give the directions that the source does not record.
    let are_all = imported.directions.len() > 1 || imported.objectives == 1;
    let recorded: &[Direction] = if are_all { &imported.directions } else { &[] };
    let said = objective.given_directions_of(label);
    let (told, order) = said.of(&names, recorded, &Location::from(Path::new(source)))?;
    let directions = if recorded.len() > 1 { recorded } else { &told };
    if imported.objectives > 1 {
        names.extend((names.len()..imported.objectives).map(|place| format!("value {place}")));
    }
    let named = |(place, direction): (usize, &Direction)| {
        let name = names.get(place).cloned().unwrap_or_else(|| format!("value {place}"));
        MetricSpec { name, direction: *direction }
    };
    let later = directions.iter().enumerate().take(imported.objectives).skip(1).map(named).collect();
    let study = StudyTrials {
        best_params: imported.best_params,
        space: imported.space,
        ..StudyTrials::new(label, source, imported.trials)
    };
    // With an option for AUCs the source is a table of the scripts that write classic reports, where every
    // column without a prefix is a parameter: nothing is guessed.
    let is_noted = |note: &Note| !(objective.is_auc && matches!(note, Note::Guessed { .. }));
    let notes = imported.notes.into_iter().filter(is_noted).chain(order).collect();
    let by_name =
        said.named.iter().find(|(name, _)| names.first() == Some(name)).map(|(_, direction)| *direction);
    let direction = by_name.or(imported.directions.first().copied());
    let recorded = Recorded { direction, names };
    Ok(Foreign { study, recorded, later, notes })
}

/// Returns the path of a file of best parameters, which is relative to the working directory or to the
/// folder of the trials.
pub(crate) fn best_params_path(file: &Path, detail: &str) -> String {
    let sibling: PathBuf = file.with_file_name(detail);
    if Path::new(detail).exists() || !sibling.exists() {
        detail.into()
    } else {
        sibling.display().to_string()
    }
}
