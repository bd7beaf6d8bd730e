//! Errors of imports.

use std::path::{Path, PathBuf};

use super::note::listed;
use crate::error::StoreError;
use crate::location::Location;

/// An error of an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The file is of no known format.
    #[error("{} is not a file of trials", .path.display())]
    UnknownKind {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file has no content.
    #[error("{} is empty", .path.display())]
    Empty {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file contains no trial.
    #[error("{location} holds no trials")]
    NoTrials {
        /// Location of the file or database.
        location: Location,
    },
    /// A part of the file is malformed.
    #[error("{location}, {place}: {message}")]
    Malformed {
        /// Location of the file or database.
        location: Location,
        /// Line, or index and field.
        place: String,
        /// Problem at this place.
        message: String,
        /// Advice, if any.
        hint: Option<String>,
    },
    /// A database contains several studies and none was chosen, or does not contain the chosen one.
    #[error("{location} holds {why}")]
    WhichStudy {
        /// Location of the file or database.
        location: Location,
        /// Number of studies, or the missing name, in words.
        why: String,
        /// Names of its studies.
        studies: Vec<String>,
    },
    /// Trials report several metrics and none was chosen, or do not report the chosen one.
    #[error("{location} reports {}", which_metric(.wanted.as_deref()))]
    WhichMetric {
        /// Location of the folder.
        location: Location,
        /// Metric that was chosen.
        wanted: Option<String>,
        /// Metrics that the trials report.
        metrics: Vec<String>,
    },
    /// Neither the file nor an option gives the direction of an objective.
    #[error(
        "{location} does not say which values of {} are better",
        .metric.as_deref().unwrap_or("its objective")
    )]
    WhichDirection {
        /// Location of the file.
        location: Location,
        /// Name of the objective, if it has one.
        metric: Option<String>,
    },
    /// Options give directions by position, and the names of the objectives contradict them.
    #[error(
        "{location} lists its objectives in the order {}, and their names contradict directions in this \
         order",
        listed(.names)
    )]
    WhichObjective {
        /// Location of the file.
        location: Location,
        /// Names of the objectives.
        names: Vec<String>,
    },
    /// An option does not apply to the source.
    #[error("{option} does not apply to {location}: {why}")]
    Inapplicable {
        /// Name of the option.
        option: &'static str,
        /// Location of the source.
        location: Location,
        /// Reason.
        why: &'static str,
    },
    /// A study of several cannot be read.
    #[error("{source}")]
    UnreadableStudy {
        /// Problem of the study.
        source: StoreError,
        /// Names of the studies that can be read.
        readable: Vec<String>,
    },
    /// A database cannot be read as a store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the options that give directions by the names of the objectives.
pub(super) fn directions_by_name(names: &[String]) -> String {
    let options: Vec<String> = names.iter().map(|name| format!("--direction {name}=...")).collect();
    options.join(" ")
}

fn which_metric(wanted: Option<&str>) -> String {
    wanted.map_or_else(|| "several metrics".into(), |wanted| format!("no metric `{wanted}`"))
}

impl ImportError {
    /// Returns advice for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKind { .. } => Some(
                "known formats: Optuna's all_trials.json, its journals and SQLite files, a .csv or .tsv of \
                 trials, a list of trials in JSON or YAML (each also compressed with gzip), the folder of a \
                 Ray Tune experiment"
                    .into(),
            ),
            Self::NoTrials { .. } => {
                Some("`list` and `import` take a study without trials if --direction is given".into())
            }
            Self::Empty { .. } => Some("write or copy the file again".into()),
            Self::Malformed { hint, .. } => hint.clone(),
            Self::WhichStudy { studies, .. } if !studies.is_empty() => {
                Some(format!("name one as LABEL=FILE:STUDY; there are {}", listed(studies)))
            }
            Self::UnreadableStudy { readable, .. } => {
                Some(format!("name each study that can be read as LABEL=FILE:STUDY: {}", listed(readable)))
            }
            Self::WhichMetric { metrics, .. } => {
                let shown = metrics.iter().take(20).map(|metric| format!("`{metric}`"));
                let shown = shown.collect::<Vec<_>>().join(", ");
                Some(format!("name one with --metric, or as LABEL=FOLDER:METRIC; there are {shown}"))
            }
            Self::WhichDirection { .. } => Some("give --direction maximize or --direction minimize".into()),
            Self::WhichObjective { names, .. } => {
                Some(format!("give each direction by name: {}", directions_by_name(names)))
            }
            Self::Inapplicable { .. } => Some(
                "leave it out, or give it only for the sources that need it, with a label if the option \
                 takes one: LABEL=..."
                    .into(),
            ),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}

/// A problem at a place in a text; becomes an [`ImportError`] once the path of the file is known.
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
