//! Errors of stores.

use std::fmt;
use std::path::PathBuf;

use allometry_core::{ParamValue, TrialState};

use crate::location::Location;
use crate::schema::Former;
use crate::store::{StudyId, TrialId};

/// The kind of a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// The storage cannot be reached, read or written as it is.
    Unavailable,
    /// The call contradicts what is stored, or itself.
    Conflict,
}

/// A change to a file that was in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// Its name is gone.
    Removed,
    /// Another file has its name.
    Replaced,
    /// It has no bytes.
    Emptied,
    /// It lacks pages.
    CutOff,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "was removed",
            Self::Replaced => "was replaced by another file",
            Self::Emptied => "was emptied",
            Self::CutOff => "was cut off",
        })
    }
}

/// An error of a store.
///
/// Its text contains that of its cause, because a client of a server sees nothing else. So it has no
/// `source`: whoever prints the chain of causes would print that text twice.
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
    /// The database is one of something else, or an empty one.
    #[error("{location} holds no studies: {problem}")]
    NotAStore {
        /// Where it lies.
        location: Location,
        /// What it lacks.
        problem: String,
    },
    /// Optuna's schema is of another revision.
    #[error(
        "{location} has revision `{found}` of Optuna's schema, and this program goes on with `{supported}`"
    )]
    OtherRevision {
        /// Where it lies.
        location: Location,
        /// Its revision.
        found: String,
        /// Ours.
        supported: &'static str,
    },
    /// Allometry's own tables are newer than this program.
    #[error(
        "{location} was written by a newer Allometry (tables of version {found}, this one reads up to {supported})"
    )]
    NewerTables {
        /// Where it lies.
        location: Location,
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
    /// The file is not the one that was opened any more.
    #[error("{} {how} while it was in use", .path.display())]
    Departed {
        /// The file.
        path: PathBuf,
        /// What became of it.
        how: Departure,
    },
    /// The database, a file's folder included, cannot be written.
    #[error("{location} cannot be written: {}", read_only(.location))]
    ReadOnly {
        /// Where it lies.
        location: Location,
    },
    /// No space is left.
    #[error("{location} cannot be written: the disk is full")]
    DiskFull {
        /// Where it lies.
        location: Location,
    },
    /// The file cannot be opened.
    #[error("cannot open {}: {reason}", .path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The server does not answer, or no more.
    #[error("cannot reach {location}: {reason}")]
    Unreachable {
        /// The database.
        location: Location,
        /// Why.
        reason: String,
    },
    /// The server lets nobody in by that name, password or certificate.
    #[error("{location} refuses the connection: {reason}")]
    Refused {
        /// The database.
        location: Location,
        /// Why.
        reason: String,
    },
    /// The server does not let the user do that.
    #[error("{location} does not allow it: {reason}")]
    Forbidden {
        /// The database.
        location: Location,
        /// What the server says.
        reason: String,
    },
    /// The server has no database of that name.
    #[error("the server of {location} has no such database: {reason}")]
    NoDatabase {
        /// The database.
        location: Location,
        /// What the server says.
        reason: String,
    },
    /// A row is not as Optuna or Allometry write it.
    #[error("{location}, {place}: {problem}")]
    Malformed {
        /// Where it lies.
        location: Location,
        /// Table and row.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// Anything else that the database reports.
    #[error("{location}: {reason}")]
    Database {
        /// Where it lies.
        location: Location,
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

fn read_only(location: &Location) -> &'static str {
    match location {
        Location::File(_) => "the file or its folder is read-only",
        Location::Server(_) => "the user or the server may only read",
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

    /// The same of one trial among many that are written at once.
    pub(crate) fn in_trial(self, number: usize) -> Self {
        match self {
            Self::Invalid { field, problem } => {
                Self::Invalid { field: format!("trial {number}, {field}"), problem }
            }
            other => other,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotRunning { .. } => "another process ended the trial; its result stands",
            Self::Url { .. } => {
                "use `sqlite:///relative.db`, `sqlite:////absolute.db`, the path of a file, or `postgresql://user@host/database`"
            }
            Self::NoFile { .. } => "check the path; `sqlite:///x.db` is relative to the working directory",
            Self::NotADatabase { .. } | Self::NotAStore { location: Location::File(_), .. } => {
                "name a file that Optuna or Allometry wrote, or one that does not exist yet"
            }
            Self::NotAStore { location: Location::Server(_), .. } => {
                "name a database that Optuna or Allometry wrote; `allometry run` makes the tables in an empty one"
            }
            Self::OtherRevision { found, location: Location::File(_), .. } if Former::of(found).is_some() => {
                "it can be read as it is; to go on with it, copy it by `allometry import FILE --storage NEW.db`, \
                 or make a copy and bring that up to date by `optuna storage upgrade --storage URL` of Optuna 5"
            }
            Self::OtherRevision { .. } => {
                "with Optuna 5, `optuna storage upgrade --storage URL` brings an older storage up to date; \
                 make a copy first"
            }
            Self::NewerTables { .. } => "use the newer Allometry",
            Self::Locked { .. } => {
                "wait for the other program or stop it; on a network drive, move the file to a local disk"
            }
            Self::Departed { .. } => {
                "leave a store where it is for as long as somebody works on it; `allometry export` copies one in use"
            }
            Self::ReadOnly { location: Location::File(_) } => {
                "check the permissions of the file and of its folder: SQLite writes beside the file too"
            }
            Self::ReadOnly { location: Location::Server(_) } => {
                "name the primary server and a user who may write (and create, the first time) in the database's schema"
            }
            Self::DiskFull { .. } => "free some space and run the same command again: what was told is kept",
            Self::Unreachable { .. } => {
                "check host, port and network, and that the server runs; what was told before is kept"
            }
            Self::Refused { .. } => {
                "check user and password (PGPASSWORD or ~/.pgpass; in a URL `@`, `/` and `:` are written as %40, %2F and %3A), and sslmode"
            }
            Self::Forbidden { .. } => {
                "the user must be granted to read and write the tables, and the first time to create them (`GRANT CREATE ON SCHEMA`)"
            }
            Self::NoDatabase { .. } => "`createdb NAME` makes an empty one; Allometry makes its tables",
            Self::Malformed { .. } => "the database is damaged, or was changed by another program",
            _ => return None,
        };
        Some(text.into())
    }
}
