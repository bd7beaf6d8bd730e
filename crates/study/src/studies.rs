//! Reads complete studies for import into a store.

use allometry_store::import::{Assumed, Imported, name_of, read_all, read_all_of_storage};

use crate::foreign::{best_params_path, own_name};
use crate::ladder_file::read as read_ladder;
use crate::{Objective, Source, StudyError, experiment, storage_url};

/// Reads the studies of a source with the options for it.
///
/// # Errors
/// Those of [`studies`].
pub fn studies_as_given(source: &Source, objective: &Objective<'_>) -> Result<Vec<Imported>, StudyError> {
    let label = match source {
        Source::Labelled { label, .. } | Source::LabelledStore { label, .. } => label.clone(),
        Source::Store(url) => own_name(url),
        Source::Ladder(path) => experiment(path).map(name_of).unwrap_or_default(),
        Source::Report(_) => String::new(),
    };
    studies(source, &objective.assumed(&label))
}

/// Reads the studies of a source. A label renames the only study.
///
/// # Errors
/// [`StudyError`] naming a source that cannot be read, or a label for several studies.
pub fn studies(source: &Source, assumed: &Assumed) -> Result<Vec<Imported>, StudyError> {
    let (label, studies) = match source {
        Source::Ladder(path) if let Some(folder) = experiment(path) => {
            (None, read_all(folder, None, assumed)?)
        }
        Source::Ladder(path) => {
            let ladder = read_ladder(path, &[])?;
            let url = storage_url(&ladder, None, path);
            let mut studies = read_all_of_storage(url.expose(), None, assumed)?;
            let of_ladder = format!("{}/", ladder.name);
            studies.retain(|imported| imported.study.name.starts_with(&of_ladder));
            if studies.is_empty() {
                return Err(StudyError::NotFound {
                    message: format!("the storage of `{source}` has no study of its ladder"),
                    hint: Some("`allometry run` makes them".into()),
                });
            }
            (None, studies)
        }
        Source::Store(url) if url.expose().contains("://") => {
            (None, read_all_of_storage(url.expose(), None, assumed)?)
        }
        Source::Store(path) => (None, read_all(path.expose().as_ref(), None, assumed)?),
        Source::Report(_) => {
            return Err(StudyError::Usage {
                message: format!("`{source}` is a report, which holds no trials"),
                hint: Some("`allometry report` reads reports".into()),
            });
        }
        Source::Labelled { label, file, detail } => {
            let detail = detail.as_deref().map(|detail| best_params_path(file, detail));
            (Some(label), read_all(file, detail.as_deref(), assumed)?)
        }
        Source::LabelledStore { label, url, study } => {
            (Some(label), read_all_of_storage(url.expose(), study.as_deref(), assumed)?)
        }
    };
    let Some(label) = label else { return Ok(studies) };
    match <[Imported; 1]>::try_from(studies) {
        Ok([mut only]) => {
            only.study.name.clone_from(label);
            Ok(vec![only])
        }
        Err(several) => {
            let names: Vec<String> = several.iter().map(|found| format!("`{}`", found.study.name)).collect();
            Err(StudyError::Usage {
                message: format!("`{source}` holds {} studies", several.len()),
                hint: Some(format!("name one as LABEL=FILE:STUDY; there are {}", names.join(", "))),
            })
        }
    }
}
