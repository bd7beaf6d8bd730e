//! What can be wrong with a file of trials.

use std::path::{Path, PathBuf};

use super::note::listed;
use crate::error::StoreError;
use crate::location::Location;

/// What can be wrong with a file of trials.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is of no known kind.
    #[error("{} is no file of trials", .path.display())]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },
    /// The file has no content.
    #[error("{} is empty", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no trial.
    #[error("{location} holds no trials")]
    NoTrials {
        /// The file or database.
        location: Location,
    },
    /// A place in the file is not as it should be.
    #[error("{location}, {place}: {message}")]
    Malformed {
        /// The file or database.
        location: Location,
        /// Line, or index and field.
        place: String,
        /// What is wrong there.
        message: String,
        /// What may help.
        hint: Option<String>,
    },
    /// A database holds several studies and none was named, or not the one that was.
    #[error("{location} holds {why}")]
    WhichStudy {
        /// The file or database.
        location: Location,
        /// What it holds, in words.
        why: String,
        /// Names of its studies.
        studies: Vec<String>,
    },
    /// Trials report several metrics and none was named, or not the one that was.
    #[error("{location} reports {}", which_metric(.wanted.as_deref()))]
    WhichMetric {
        /// The folder.
        location: Location,
        /// The one asked for.
        wanted: Option<String>,
        /// Those that there are.
        metrics: Vec<String>,
    },
    /// Nothing says which values are better.
    #[error("{location} does not say which values of {} are better", .metric.as_deref().unwrap_or("its objective"))]
    WhichDirection {
        /// The file.
        location: Location,
        /// Name of the objective, where it has one.
        metric: Option<String>,
    },
    /// Directions are said by the places of objectives whose order is not that of their study.
    #[error(
        "{location} has its objectives in the order of their names, which need not be the study's: {}",
        listed(.names)
    )]
    WhichObjective {
        /// The file.
        location: Location,
        /// Their names.
        names: Vec<String>,
    },
    /// What was given to be taken for granted has no place in this source.
    #[error("{option} does not apply to {location}: {why}")]
    Inapplicable {
        /// The option.
        option: &'static str,
        /// The source.
        location: Location,
        /// Why it does not.
        why: &'static str,
    },
    /// A SQLite file cannot be read as a store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The options that say which values of objectives are better, by their names.
pub(super) fn directions_by_name(names: &[String]) -> String {
    let options: Vec<String> = names.iter().map(|name| format!("--direction {name}=...")).collect();
    options.join(" ")
}

fn which_metric(wanted: Option<&str>) -> String {
    wanted.map_or_else(|| "several metrics".into(), |wanted| format!("no metric `{wanted}`"))
}

impl ImportError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKind { .. } => Some(
                "known kinds: Optuna's all_trials.json, its journals and SQLite files, a .csv or .tsv of trials, \
                 a list of trials in JSON or YAML (any of them packed by gzip), the folder of a Ray Tune experiment"
                    .into(),
            ),
            Self::Empty { .. } => Some("write or copy the file again".into()),
            Self::Malformed { hint, .. } => hint.clone(),
            Self::WhichStudy { studies, .. } if !studies.is_empty() => {
                let shown: Vec<String> = studies.iter().take(20).map(|s| format!("`{s}`")).collect();
                Some(format!("name one as LABEL=FILE:STUDY; there are {}", shown.join(", ")))
            }
            Self::WhichMetric { metrics, .. } => {
                let shown: Vec<String> = metrics.iter().take(20).map(|metric| format!("`{metric}`")).collect();
                Some(format!("name one with --metric, or as LABEL=FOLDER:METRIC; there are {}", shown.join(", ")))
            }
            Self::WhichDirection { .. } => {
                Some("give --direction maximize or --direction minimize".into())
            }
            Self::WhichObjective { names, .. } => {
                Some(format!("say each by its name: {}", directions_by_name(names)))
            }
            Self::Inapplicable { .. } => Some("leave it out, or give it for the sources that need it alone, where it takes a label: LABEL=...".into()),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}

/// A place in a text that is not as it should be; becomes an [`ImportError`] with the file's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn in_file(self, path: &Path) -> ImportError {
        self.at(&path.into())
    }

    pub(super) fn at(self, location: &Location) -> ImportError {
        ImportError::Malformed {
            location: location.clone(),
            place: self.place,
            message: self.message,
            hint: self.hint,
        }
    }
}
