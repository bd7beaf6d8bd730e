//! The arguments that select studies, for commands that only read them.

use allometry_core::Secret;
use allometry_store::import::{Note, is_file_of_trials};
use allometry_store::optuna;
use allometry_store::url::{self, Storage};
use allometry_store::{Store, StudyRecord};
use allometry_study::{Source, studies_as_given};
use clap::Args;

use super::objective::ObjectiveArgs;
use super::study_args::Place;
use crate::error::CliError;
use crate::notes;

/// The sources of studies, and the options on them.
#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// Where the studies are: a ladder file (or its folder), a storage URL, a database, journal or table, or
    /// LABEL=FILE:STUDY. Several may be given if each holds one study. Default: $ALLOMETRY_STORAGE if set,
    /// else ladder.toml.
    #[arg(value_name = "SOURCE")]
    sources: Vec<Source>,

    #[command(flatten)]
    options: ReadOptions,
}

/// The options on sources of studies.
#[derive(Debug, Args)]
pub(super) struct ReadOptions {
    /// Former option for SOURCE.
    #[arg(long = "in", value_name = "SOURCE", hide = true)]
    source: Option<Source>,

    /// Label of the study's budget, or name of the study.
    #[arg(long, value_name = "LABEL", visible_alias = "budget")]
    study: Option<String>,

    #[command(flatten)]
    objective: ObjectiveArgs,
}

impl ReadArgs {
    /// Opens the sources.
    ///
    /// # Errors
    /// The errors of [`ReadOptions::open`].
    pub(super) fn open(&self) -> Result<(Place, Box<dyn Store>), CliError> {
        self.options.open(&self.sources)
    }

    /// Returns the selected studies, in order of size; at least one.
    ///
    /// # Errors
    /// The errors of [`Place::select`].
    pub(super) fn select(&self, place: &Place, store: &dyn Store) -> Result<Vec<StudyRecord>, CliError> {
        place.select(store, self.options.study.as_deref())
    }
}

impl ReadOptions {
    /// Opens the sources: a storage directly, other files as a copy in memory.
    ///
    /// # Errors
    /// [`CliError`] that names the source that cannot be read.
    pub(super) fn open(&self, sources: &[Source]) -> Result<(Place, Box<dyn Store>), CliError> {
        let sources = self.sources(sources)?;
        if let [source] = sources.as_slice()
            && let Some(place) = place(source)?
        {
            refuse_objective_options(&place, &self.objective)?;
            let store = place.read()?;
            return Ok((place, store));
        }
        let objective = self.objective.to_objective(false);
        let mut studies = Vec::new();
        for source in &sources {
            for mut imported in studies_as_given(source, &objective)? {
                // These commands sample nothing, so inferred parameter ranges do not matter.
                imported.notes.retain(|note| !matches!(note, Note::Inferred { .. }));
                notes::say(&imported.notes, Some(&imported.study.name));
                studies.push(imported.study);
            }
        }
        let shown: Vec<String> = sources.iter().map(ToString::to_string).collect();
        let place = Place { ladder: None, file: String::new(), url: Secret::from(shown.join(", ")) };
        let store =
            optuna::in_memory(&studies).map_err(|(study, source)| CliError::NotReadable { study, source })?;
        Ok((place, store))
    }

    /// Returns the sources of the command line, or else that of `--in`, of `ALLOMETRY_STORAGE` or of the
    /// folder.
    fn sources(&self, given: &[Source]) -> Result<Vec<Source>, CliError> {
        let usage = |message: String| CliError::Usage { message, hint: None };
        match (given, &self.source) {
            ([], Some(source)) => Ok(vec![source.clone()]),
            ([], None) => {
                let inherited = std::env::var("ALLOMETRY_STORAGE").ok().filter(|url| !url.is_empty());
                let source = inherited.unwrap_or_else(|| "ladder.toml".into()).parse();
                Ok(vec![source.map_err(usage)?])
            }
            (_, Some(_)) => Err(usage("--in is the former option for SOURCE; give only one of them".into())),
            (given, None) => Ok(given.to_vec()),
        }
    }

    /// Returns the selected study.
    ///
    /// # Errors
    /// The errors of [`Place::one`].
    pub(super) fn one(&self, place: &Place, store: &dyn Store) -> Result<StudyRecord, CliError> {
        place.one(store, self.study.as_deref())
    }
}

/// Returns the storage that a source names; `None` for other files and for LABEL=FILE:STUDY.
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

/// Refuses options on the objective for a storage, which records its objectives.
///
/// # Errors
/// [`CliError::Usage`] that names the option; the storage's own error if it cannot be read.
pub(super) fn refuse_objective_options(place: &Place, objective: &ObjectiveArgs) -> Result<(), CliError> {
    let Some(option) = objective.given() else { return Ok(()) };
    // A missing file is reported as such.
    place.read()?;
    Err(CliError::Usage {
        message: format!("`{option}` applies to trials of other programs; {} is a storage", place.shown()),
        hint: Some("leave the option out".into()),
    })
}
