//! The arguments that select studies of a store, for commands that write to it.

use allometry_core::Secret;
use allometry_ladder::Ladder;
use allometry_store::{Store, StoreError, StudyRecord, open_existing, open_read_only};
use allometry_study::{Source, storage_url};
use clap::Args;

use super::ladder_file::words_of;
use crate::error::CliError;

/// The arguments that select a study of a store.
#[derive(Debug, Args)]
pub(super) struct StudyArgs {
    /// Where the study is stored: a ladder file (or its folder), a storage URL or a database file.
    #[arg(
        long = "in",
        value_name = "SOURCE",
        default_value = "ladder.toml",
        env = "ALLOMETRY_STORAGE",
        hide_env_values = true
    )]
    source: Source,

    /// Label of the study's budget, or name of the study.
    #[arg(long, value_name = "LABEL", visible_alias = "budget")]
    study: Option<String>,
}

/// A storage, with its ladder if it was named by a ladder file.
pub(super) struct Place {
    pub(super) ladder: Option<Ladder>,
    /// The argument that names the ladder file; empty for `ladder.toml` and without a ladder.
    pub(super) file: String,
    pub(super) url: Secret,
}

impl StudyArgs {
    /// Returns the storage of the arguments.
    ///
    /// # Errors
    /// The errors of [`Place::of`].
    pub(super) fn place(&self) -> Result<Place, CliError> {
        Place::of(&self.source)
    }

    /// Returns the value of `--study`.
    pub(super) fn wanted(&self) -> Option<&str> {
        self.study.as_deref()
    }

    /// Returns the selected study.
    ///
    /// # Errors
    /// The errors of [`Place::one`].
    pub(super) fn one(&self, place: &Place, store: &dyn Store) -> Result<StudyRecord, CliError> {
        place.one(store, self.wanted())
    }
}

/// Checks that Allometry's own attributes of a study can be read.
///
/// # Errors
/// [`StoreError::Malformed`] if one cannot.
pub(super) fn readable(place: &Place, study: &StudyRecord) -> Result<(), StoreError> {
    study.check_readable(&place.shown())
}

/// Returns why one of several studies is unreadable, so that a command can go on with the others; `None` if
/// it was read.
///
/// # Errors
/// The error of `read` if it is of another kind, or if there is only one study.
pub(super) fn refusal(
    read: Result<(), CliError>,
    studies: &[StudyRecord],
) -> Result<Option<String>, CliError> {
    match read {
        Err(CliError::Store(StoreError::Malformed { place, problem, .. })) if studies.len() > 1 => {
            Ok(Some(format!("{place}: {problem}")))
        }
        read => read.map(|()| None),
    }
}

impl Place {
    /// Returns the storage that a source names.
    ///
    /// # Errors
    /// [`CliError`] if the ladder file is not valid or the source is not a storage.
    pub(super) fn of(source: &Source) -> Result<Self, CliError> {
        match source {
            Source::Ladder(path) => {
                let ladder = allometry_study::read_ladder(path, &[])?;
                let url = storage_url(&ladder, None, path);
                Ok(Self { ladder: Some(ladder), file: words_of(path), url })
            }
            Source::Store(url) => Ok(Self { ladder: None, file: String::new(), url: url.clone() }),
            other => Err(CliError::Usage {
                message: format!("`{other}` is not a storage"),
                hint: Some("give a ladder file, a storage URL or a database file".into()),
            }),
        }
    }

    /// Returns the studies with the label or name `wanted`, or all, in order of size; at least one.
    ///
    /// # Errors
    /// [`CliError::NotFound`] if there are none.
    pub(super) fn select(
        &self,
        store: &dyn Store,
        wanted: Option<&str>,
    ) -> Result<Vec<StudyRecord>, CliError> {
        let mut studies = self.studies(store)?;
        let known: Vec<String> = studies.iter().map(|study| format!("`{}`", study.name)).collect();
        if let Some(wanted) = wanted {
            studies.retain(|study| study.name == wanted || label(study) == wanted);
        }
        if studies.is_empty() {
            let message = match wanted {
                Some(wanted) => format!("{} has no study `{wanted}`", self.shown()),
                None => format!("{} has no study", self.shown()),
            };
            let hint = if known.is_empty() {
                "`allometry run` creates the studies of a ladder".into()
            } else {
                format!("it has {}", known.join(", "))
            };
            return Err(CliError::NotFound { message, hint: Some(hint) });
        }
        Ok(studies)
    }

    /// Returns the only study, or the only one with the label or name `wanted`.
    ///
    /// # Errors
    /// The errors of [`Self::select`]; [`CliError::Usage`] if there are several; [`CliError::Store`] if it
    /// cannot be read.
    pub(super) fn one(&self, store: &dyn Store, wanted: Option<&str>) -> Result<StudyRecord, CliError> {
        let mut studies = self.select(store, wanted)?;
        if studies.len() > 1 {
            let labels: Vec<String> = studies.iter().map(label).collect();
            return Err(CliError::Usage {
                message: format!("{} has {} studies", self.shown(), studies.len()),
                hint: Some(format!("name one with --study: {}", labels.join(", "))),
            });
        }
        let study = studies.remove(0);
        readable(self, &study)?;
        Ok(study)
    }

    /// Opens the store for reading.
    ///
    /// # Errors
    /// [`CliError::Store`] if there is no such store.
    pub(super) fn read(&self) -> Result<Box<dyn Store>, CliError> {
        Ok(open_read_only(self.url.expose())?)
    }

    /// Opens the existing store for writing.
    ///
    /// # Errors
    /// [`CliError::Store`] if there is no such store.
    pub(super) fn write(&self) -> Result<Box<dyn Store>, CliError> {
        Ok(open_existing(self.url.expose())?)
    }

    /// Returns the URL without its password, for messages.
    pub(super) fn shown(&self) -> String {
        self.url.shown()
    }

    /// Returns the studies of the ladder in the order of its file, or all studies of the store.
    fn studies(&self, store: &dyn Store) -> Result<Vec<StudyRecord>, CliError> {
        let all = store.studies()?;
        let Some(ladder) = &self.ladder else { return Ok(all) };
        let names = ladder.budgets.iter().map(|b| format!("{}/{}", ladder.name, b.budget.label));
        Ok(names.filter_map(|name| all.iter().find(|study| study.name == name).cloned()).collect())
    }
}

/// Returns the label of the study's budget, or the study's name if it has none.
pub(super) fn label(study: &StudyRecord) -> String {
    study.facts.budget.as_ref().map_or(&study.name, |budget| &budget.label).clone()
}

/// Returns the names of the study's objectives; `value 0`, `value 1` and so on if they have none.
pub(super) fn objective_names(study: &StudyRecord) -> Vec<String> {
    let numbered = || (0..study.directions.len()).map(|place| format!("value {place}")).collect();
    study.metric_names().unwrap_or_else(numbered)
}
