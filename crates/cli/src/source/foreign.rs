//! One study of somebody else's trials.

use std::path::{Path, PathBuf};

use allometry_analysis::StudyTrials;
use allometry_core::ladder::MetricSpec;
use allometry_core::{Direction, Secret};
use allometry_store::import::Roles;
use allometry_store::url::{self, Storage};
use allometry_store::{ImportedStudy, Location, import};

use super::goal::{Objective, Recorded};
use super::notes;
use crate::error::CliError;

/// A study of another program, and what it says of its objectives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Foreign {
    pub(super) study: StudyTrials,
    /// Of the first objective.
    pub(super) recorded: Recorded,
    /// Those after the first; empty where which of their values are better is not known.
    pub(super) further: Vec<MetricSpec>,
}

/// Reads the study of a budget. `objective` is what the command line says of it.
///
/// # Errors
/// [`CliError::Import`] naming the file and the place in it.
pub(super) fn read(
    label: &str,
    file: &Path,
    detail: Option<&str>,
    objective: &Objective<'_>,
) -> Result<Foreign, CliError> {
    let detail = detail.map(|detail| beside(file, detail));
    let params = objective.params_of(label);
    let imported = import::read(file, detail.as_deref(), &objective.roles_of(label, &params))?;
    notes::say_of(&imported.notes, label, objective);
    labelled(label, &file.display().to_string(), imported, objective)
}

/// Reads the only study of a source without a label, which is its name, or that of its file.
///
/// # Errors
/// [`CliError::Import`] naming the source, and its studies where there are several.
pub(super) fn read_unlabelled(source: &Secret, objective: &Objective<'_>) -> Result<Foreign, CliError> {
    let url = source.expose();
    let read = |label: &str| -> Result<ImportedStudy, CliError> {
        let params = objective.params_of(label);
        let roles = objective.roles_of(label, &params);
        Ok(match url::parse(url)? {
            Storage::Sqlite(path) => import::read(&path, None, &roles)?,
            Storage::Postgres(_) => import::read_storage(url, None, &Roles { metric: None, ..roles })?,
        })
    };
    let named = own_name(source);
    let mut imported = read(&named)?;
    let label = imported.name.clone().unwrap_or(named);
    if objective.size_of(&label).is_some() {
        imported = read(&label)?;
    }
    notes::say_of(&imported.notes, &label, objective);
    labelled(&label, &source.shown(), imported, objective)
}

/// The name that the file of a source gives its study.
pub(super) fn own_name(source: &Secret) -> String {
    match url::parse(source.expose()) {
        Ok(Storage::Sqlite(path)) => import::name_of(&path),
        _ => String::new(),
    }
}

/// Reads the study of a budget from a storage.
///
/// # Errors
/// [`CliError::Import`] naming the storage.
pub(super) fn read_stored(
    label: &str,
    url: &Secret,
    study: Option<&str>,
    objective: &Objective<'_>,
) -> Result<Foreign, CliError> {
    let params = objective.params_of(label);
    let roles = Roles { metric: None, ..objective.roles_of(label, &params) };
    labelled(label, &url.shown(), import::read_storage(url.expose(), study, &roles)?, objective)
}

fn labelled(
    label: &str,
    source: &str,
    imported: ImportedStudy,
    objective: &Objective<'_>,
) -> Result<Foreign, CliError> {
    let names = imported.metric_names.unwrap_or_default();
    let named = |(place, direction): (usize, &Direction)| {
        let name = names.get(place).cloned().unwrap_or_else(|| format!("value {place}"));
        MetricSpec { name, direction: *direction }
    };
    // What the source does not say of the objectives, the command line may.
    let recorded =
        imported.direction.into_iter().filter(|_| imported.objectives == 1 || !imported.further.is_empty());
    let recorded: Vec<Direction> = recorded.chain(imported.further.iter().copied()).collect();
    let said = objective.said_directions_of(label);
    let (told, note) = said.of(&names, &recorded, &Location::from(Path::new(source)))?;
    notes::say(note.as_slice(), Some(label));
    let directions =
        if imported.further.is_empty() { told.get(1..).unwrap_or_default() } else { &imported.further };
    let further = (1..).zip(directions).take(imported.objectives - 1).map(named).collect();
    let study = StudyTrials {
        best_params: imported.best_params,
        space: imported.space,
        ..StudyTrials::new(label, source, imported.trials)
    };
    let by_name =
        said.named.iter().find(|(name, _)| names.first() == Some(name)).map(|(_, direction)| *direction);
    let mut names = names.into_iter();
    let recorded = Recorded {
        direction: by_name.or(imported.direction),
        metric: names.next(),
        further: names.collect(),
    };
    Ok(Foreign { study, recorded, further })
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
