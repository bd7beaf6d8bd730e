//! What can go wrong between a caller and a store.

use std::path::PathBuf;

use allometry_core::{ParamValue, TrialState};

use crate::store::{StudyId, TrialId};

/// What kind of problem a [`StoreError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// The storage cannot be reached, read or written as it is.
    Unavailable,
    /// The call contradicts what is stored, or itself.
    Conflict,
}

/// What can go wrong between a caller and a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no study of that key.
    #[error("there is no study with id {0}")]
    UnknownStudy(StudyId),
    /// There is no trial of that key.
    #[error("there is no trial with id {0}")]
    UnknownTrial(TrialId),
    /// There is no study of that name.
    #[error("there is no study named `{name}`")]
    UnknownStudyName {
        /// The name.
        name: String,
    },
    /// The study has no such trial.
    #[error("study {study} has no trial with number {number}")]
    UnknownTrialNumber {
        /// The study.
        study: StudyId,
        /// The number.
        number: i64,
    },
    /// What a caller gave could not be read back by others.
    #[error("{field}: {problem}")]
    Invalid {
        /// What was given.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A study of that name exists.
    #[error("a study named `{name}` exists already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Only running trials are written to.
    #[error("trial {number} is {}, not running", state_word(*.state))]
    NotRunning {
        /// The trial's number.
        number: u64,
        /// Where it stands.
        state: TrialState,
    },
    /// A parameter that the space does not have.
    #[error("the search space has no parameter `{parameter}`")]
    UnknownParameter {
        /// The parameter.
        parameter: String,
    },
    /// A value that its distribution cannot hold.
    #[error("parameter `{parameter}` cannot be {value}")]
    OutsideDistribution {
        /// The parameter.
        parameter: String,
        /// The value.
        value: ParamValue,
    },
    /// Within a study a parameter keeps its kind, its scale and its list of choices.
    #[error("parameter `{parameter}` is stored as {stored}, which {given} is not compatible with")]
    IncompatibleDistribution {
        /// The parameter.
        parameter: String,
        /// The distribution of earlier trials, as JSON.
        stored: String,
        /// The distribution given now, as JSON.
        given: String,
    },
    /// The URL is of a kind that is not supported.
    #[error("cannot open `{url}`: {problem}")]
    Url {
        /// The URL, without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file does not exist.
    #[error("there is no file {}", .path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The file is no SQLite database.
    #[error("{} is no SQLite database", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database of something else, or an empty one.
    #[error("{} holds no studies: {problem}", .path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        problem: String,
    },
    /// Optuna's schema is of another revision.
    #[error("{} has revision `{found}` of Optuna's schema, and this program reads `{supported}`", .path.display())]
    OtherRevision {
        /// The file.
        path: PathBuf,
        /// Its revision.
        found: String,
        /// Ours.
        supported: &'static str,
    },
    /// Allometry's own tables are newer than this program.
    #[error("{} was written by a newer Allometry (tables of version {found}, this one reads up to {supported})", .path.display())]
    NewerTables {
        /// The file.
        path: PathBuf,
        /// Their version.
        found: i64,
        /// The last one known here.
        supported: i64,
    },
    /// Somebody else holds the database's lock.
    #[error("{} is locked by another program", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file, or its folder, cannot be written.
    #[error("{} cannot be written: the file or its folder is read-only", .path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// No space is left.
    #[error("{} cannot be written: the disk is full", .path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error("cannot open {}: {reason}", .path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A row is not as Optuna or Allometry write it.
    #[error("{}, {place}: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Table and row.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// Anything else that the database reports.
    #[error("{}: {reason}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

fn state_word(state: TrialState) -> &'static str {
    match state {
        TrialState::Waiting => "waiting",
        TrialState::Running => "running",
        TrialState::Complete => "complete",
        TrialState::Pruned => "pruned",
        TrialState::Failed => "failed",
    }
}

impl StoreError {
    /// What kind of problem it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownStudy(_)
            | Self::UnknownStudyName { .. }
            | Self::UnknownTrial(_)
            | Self::UnknownTrialNumber { .. }
            | Self::NoFile { .. } => ErrorKind::NotFound,
            Self::NameTaken { .. }
            | Self::NotRunning { .. }
            | Self::UnknownParameter { .. }
            | Self::OutsideDistribution { .. }
            | Self::Invalid { .. }
            | Self::IncompatibleDistribution { .. } => ErrorKind::Conflict,
            _ => ErrorKind::Unavailable,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotRunning { .. } => "another process ended the trial; its result stands",
            Self::Url { .. } => "use `sqlite:///relative.db`, `sqlite:////absolute.db` or the path of a file",
            Self::NoFile { .. } => "check the path; `sqlite:///x.db` is relative to the working directory",
            Self::NotADatabase { .. } | Self::NotAStore { .. } => {
                "name a file that Optuna or Allometry wrote, or one that does not exist yet"
            }
            Self::OtherRevision { .. } => {
                "with Optuna 5, `optuna storage upgrade --storage sqlite:///FILE` brings an older file up to date; make a copy first"
            }
            Self::NewerTables { .. } => "use the newer Allometry",
            Self::Locked { .. } => {
                "wait for the other program or stop it; on a network drive, move the file to a local disk"
            }
            Self::ReadOnly { .. } => {
                "check the permissions of the file and of its folder: SQLite writes beside the file too"
            }
            Self::DiskFull { .. } => "free some space and run the same command again: what was told is kept",
            Self::Malformed { .. } => "the file is damaged, or was changed by another program",
            _ => return None,
        };
        Some(text.into())
    }
}
