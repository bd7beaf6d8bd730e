//! The arguments that name studies which are only read.

use allometry_core::Secret;
use allometry_store::import::{Note, is_file_of_trials};
use allometry_store::optuna;
use allometry_store::url::{self, Storage};
use allometry_store::{Store, StudyRecord};
use allometry_study::{Source, whole_as_told};
use clap::Args;

use super::objective::ObjectiveArgs;
use super::study_args::Place;
use crate::error::CliError;
use crate::notes;

/// Studies of any source.
#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// Where the studies are: a ladder file (or its folder), a storage URL, a database, journal or table, or
    /// LABEL=FILE:STUDY; several where each has one study. Without it ALLOMETRY_STORAGE, then ladder.toml.
    #[arg(value_name = "SOURCE")]
    sources: Vec<Source>,

    #[command(flatten)]
    options: ReadOptions,
}

/// What is said of sources beside their names.
#[derive(Debug, Args)]
pub(super) struct ReadOptions {
    /// The former name of SOURCE.
    #[arg(long = "in", value_name = "SOURCE", hide = true)]
    source: Option<Source>,

    /// The study, by its budget's label or its name.
    #[arg(long, value_name = "LABEL", visible_alias = "budget")]
    study: Option<String>,

    #[command(flatten)]
    objective: ObjectiveArgs,
}

impl ReadArgs {
    /// As [`ReadOptions::open`].
    ///
    /// # Errors
    /// As [`ReadOptions::open`].
    pub(super) fn open(&self) -> Result<(Place, Box<dyn Store>), CliError> {
        self.options.open(&self.sources)
    }

    /// The studies asked for, in order of size; at least one.
    ///
    /// # Errors
    /// As [`Place::select`].
    pub(super) fn select(&self, place: &Place, store: &dyn Store) -> Result<Vec<StudyRecord>, CliError> {
        place.select(store, self.options.study.as_deref())
    }
}

impl ReadOptions {
    /// Opens what is named: a storage as it is, other files copied into memory.
    ///
    /// # Errors
    /// [`CliError`] naming the source that cannot be read.
    pub(super) fn open(&self, sources: &[Source]) -> Result<(Place, Box<dyn Store>), CliError> {
        let sources = self.sources(sources)?;
        if let [source] = sources.as_slice()
            && let Some(place) = place(source)?
        {
            refuse_told(&place, &self.objective)?;
            let store = place.read()?;
            return Ok((place, store));
        }
        let objective = self.objective.of_an_auc(false);
        let mut studies = Vec::new();
        for source in &sources {
            for mut imported in whole_as_told(source, &objective)? {
                // Nothing is drawn from these sets here.
                imported.notes.retain(|note| !matches!(note, Note::Inferred { .. }));
                notes::say(&imported.notes, Some(&imported.study.name));
                studies.push(imported.study);
            }
        }
        let shown: Vec<String> = sources.iter().map(ToString::to_string).collect();
        let place = Place { ladder: None, url: Secret::from(shown.join(", ")) };
        let store =
            optuna::in_memory(&studies).map_err(|(study, source)| CliError::NotStorable { study, source })?;
        Ok((place, store))
    }

    /// The sources given, or where none is that of the former option, the environment, or the folder.
    fn sources(&self, given: &[Source]) -> Result<Vec<Source>, CliError> {
        let usage = |message: String| CliError::Usage { message, hint: None };
        match (given, &self.source) {
            ([], Some(source)) => Ok(vec![source.clone()]),
            ([], None) => {
                let inherited = std::env::var("ALLOMETRY_STORAGE").ok().filter(|url| !url.is_empty());
                let source = inherited.unwrap_or_else(|| "ladder.toml".into()).parse();
                Ok(vec![source.map_err(usage)?])
            }
            (_, Some(_)) => Err(usage("--in is the former name of SOURCE, and both are given".into())),
            (given, None) => Ok(given.to_vec()),
        }
    }

    /// The one study asked for.
    ///
    /// # Errors
    /// As [`Place::one`].
    pub(super) fn one(&self, place: &Place, store: &dyn Store) -> Result<StudyRecord, CliError> {
        place.one(store, self.study.as_deref())
    }
}

/// The storage that a source is; `None` for files of other kinds, and for one study of several.
pub(super) fn place(source: &Source) -> Result<Option<Place>, CliError> {
    let is_other = match source {
        Source::Store(url) => match url::parse(url.expose()) {
            Ok(Storage::Sqlite(path)) => path.is_dir() || is_file_of_trials(&path),
            _ => false,
        },
        Source::Ladder(path) => !path.exists() && allometry_study::experiment(path).is_some(),
        _ => true,
    };
    if is_other { Ok(None) } else { Place::of(source).map(Some) }
}

/// Refuses what is said of trials that a storage records.
///
/// # Errors
/// [`CliError::Usage`] naming the option; the storage's own error where it cannot be read.
pub(super) fn refuse_told(place: &Place, objective: &ObjectiveArgs) -> Result<(), CliError> {
    let Some(option) = objective.given() else { return Ok(()) };
    // A file that is not there is no storage.
    place.read()?;
    Err(CliError::Usage {
        message: format!("`{option}` is for trials of other programs, and {} is a storage", place.shown()),
        hint: Some("leave the option out".into()),
    })
}
