//! Errors of stores.

use std::fmt;
use std::path::{Path, PathBuf};

use allometry_core::{ParamValue, TrialState};

use crate::id::{StudyId, TrialId};
use crate::location::Location;
use crate::schema::Former;

/// Beginning of the problem of a study that a later version wrote, for which there is another hint.
pub(crate) const LATER_VERSION: &str = "a later version of Allometry";

/// The kind of a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A study, trial or file does not exist.
    NotFound,
    /// The storage cannot be reached, read or written.
    Unavailable,
    /// The call contradicts the stored data, or its arguments contradict each other.
    Conflict,
}

/// A change to a database file while it was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The file was deleted.
    Removed,
    /// Another file has the name.
    Replaced,
    /// The file was truncated to zero bytes.
    Emptied,
    /// The file lacks pages that the database header counts.
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
/// The message contains the message of the cause, because a client of a server sees nothing else. `source`
/// returns nothing: a program that prints the chain of causes would print the same text twice.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No study has this key.
    #[error("there is no study with id {0}")]
    UnknownStudy(StudyId),
    /// No trial has this key.
    #[error("there is no trial with id {0}")]
    UnknownTrial(TrialId),
    /// No study has this name.
    #[error("there is no study named `{name}`")]
    UnknownStudyName {
        /// Name that was asked for.
        name: String,
    },
    /// The study has no trial with this number.
    #[error("study {study} has no trial with number {number}")]
    UnknownTrialNumber {
        /// Key of the study.
        study: StudyId,
        /// Number that was asked for.
        number: i64,
    },
    /// An argument cannot be stored so that all clients can read it.
    #[error("{field}: {problem}")]
    Invalid {
        /// Name of the argument.
        field: String,
        /// Problem with the argument.
        problem: String,
    },
    /// A study with this name exists already.
    #[error("a study named `{name}` exists already")]
    NameTaken {
        /// Name that was asked for.
        name: String,
    },
    /// A trial that is not running cannot be written to.
    #[error("trial {number} is {}, not running", state_word(*.state))]
    NotRunning {
        /// Number of the trial.
        number: u64,
        /// State of the trial.
        state: TrialState,
    },
    /// The search space has no such parameter.
    #[error("the search space has no parameter `{parameter}`")]
    UnknownParameter {
        /// Name of the parameter.
        parameter: String,
    },
    /// The value is outside the distribution of its parameter.
    #[error("parameter `{parameter}` cannot be {value}")]
    OutsideDistribution {
        /// Name of the parameter.
        parameter: String,
        /// Value that was given.
        value: ParamValue,
    },
    /// The distribution is not compatible with that of earlier trials: kind, scale and choices of a
    /// parameter are fixed within a study.
    #[error(
        "parameter `{parameter}` has the distribution {stored} in earlier trials, and {given} is not \
         compatible with it"
    )]
    IncompatibleDistribution {
        /// Name of the parameter.
        parameter: String,
        /// The distribution of earlier trials, as JSON.
        stored: String,
        /// The distribution given now, as JSON.
        given: String,
    },
    /// The storage URL is not supported.
    #[error("cannot open `{url}`: {problem}")]
    Url {
        /// URL without its password.
        url: String,
        /// Problem with the URL.
        problem: String,
    },
    /// The file does not exist.
    #[error("there is no file {}", .path.display())]
    NoFile {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file is not a SQLite database.
    #[error("{} is not a SQLite database", .path.display())]
    NotADatabase {
        /// Path of the file.
        path: PathBuf,
    },
    /// The database is empty or belongs to another program.
    #[error("{location} holds no studies: {problem}")]
    NotAStore {
        /// Location of the database.
        location: Location,
        /// Part that the database lacks.
        problem: String,
    },
    /// Optuna's schema has a revision that this program does not write.
    #[error("{location} has revision `{found}` of Optuna's schema; this program writes `{supported}`")]
    OtherRevision {
        /// Location of the database.
        location: Location,
        /// Revision of the database.
        found: String,
        /// Revision that this program writes.
        supported: &'static str,
    },
    /// Allometry's own tables were written by a newer version.
    #[error(
        "{location} was written by a newer Allometry (tables of version {found}; this one reads up to \
         {supported})"
    )]
    NewerTables {
        /// Location of the database.
        location: Location,
        /// Version of the tables.
        found: i64,
        /// Newest version that this program reads.
        supported: i64,
    },
    /// Another program holds the lock of the database.
    #[error("{} is locked by another program", .path.display())]
    Locked {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file changed in a way that separates it from the open connection.
    #[error("{} {how} while it was in use", .path.display())]
    Departed {
        /// Path of the file.
        path: PathBuf,
        /// Kind of change.
        how: Departure,
    },
    /// The database is read-only; for a file this includes its folder.
    #[error("{location} cannot be written: {}", read_only(.location))]
    ReadOnly {
        /// Location of the database.
        location: Location,
    },
    /// The disk is full.
    #[error("{location} cannot be written: the disk is full")]
    DiskFull {
        /// Location of the database.
        location: Location,
    },
    /// The file cannot be opened.
    #[error("cannot open {}: {reason}", .path.display())]
    CannotOpen {
        /// Path of the file.
        path: PathBuf,
        /// Message of the system or of SQLite.
        reason: String,
    },
    /// The server does not answer, or the connection was lost.
    #[error("cannot reach {location}: {reason}")]
    Unreachable {
        /// Location of the database.
        location: Location,
        /// Message of the system or of the server.
        reason: String,
    },
    /// The server rejects the user name, password or certificate.
    #[error("{location} refuses the connection: {reason}")]
    Refused {
        /// Location of the database.
        location: Location,
        /// Message of the server or of the TLS library.
        reason: String,
    },
    /// The user lacks a privilege.
    #[error("{location} does not allow it: {reason}")]
    Forbidden {
        /// Location of the database.
        location: Location,
        /// Message of the server.
        reason: String,
    },
    /// The server has no database with this name.
    #[error("the server of {location} has no such database: {reason}")]
    NoDatabase {
        /// Location of the database.
        location: Location,
        /// Message of the server.
        reason: String,
    },
    /// A row does not have the form that Optuna or Allometry writes.
    #[error("{location}, {place}: {problem}")]
    Malformed {
        /// Location of the database.
        location: Location,
        /// Table and row.
        place: String,
        /// Problem with the row.
        problem: String,
    },
    /// Any other error of the database.
    #[error("{location}: {reason}")]
    Database {
        /// Location of the database.
        location: Location,
        /// Message of the database.
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
    /// Returns the kind of the error.
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

    /// Adds the number of a trial to the error, for a call that writes many trials at once.
    pub(crate) fn in_trial(self, number: usize) -> Self {
        match self {
            Self::Invalid { field, problem } => {
                Self::Invalid { field: format!("trial {number}, {field}"), problem }
            }
            other => other,
        }
    }

    /// Returns advice for the user.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotRunning { .. } => "another process ended the trial; its result stands",
            Self::Url { .. } => {
                "use `sqlite:///relative.db`, `sqlite:////absolute.db`, the path of a file, or \
                 `postgresql://user@host/database`"
            }
            Self::NoFile { path } if has_detail(path) => {
                "name a study of a file as LABEL=FILE:STUDY, and a metric of a folder as LABEL=FOLDER:METRIC"
            }
            Self::NoFile { .. } => {
                "`allometry run` creates it; if it has run, check the path: `sqlite:///x.db` is relative to \
                 the working directory"
            }
            Self::NotADatabase { .. } | Self::NotAStore { location: Location::File(_), .. } => {
                "name a file that Optuna or Allometry wrote, or one that does not exist yet"
            }
            Self::NotAStore { location: Location::Server(_), .. } => {
                "name a database that Optuna or Allometry wrote; `allometry run` creates the tables in \
                 an empty one"
            }
            Self::OtherRevision { found, location: Location::File(_), .. } if Former::of(found).is_some() => {
                "it can be read without changes; to continue it, copy it with \
                 `allometry import FILE --storage NEW.db`, or upgrade a copy with \
                 `optuna storage upgrade --storage URL` of Optuna 5"
            }
            Self::OtherRevision { .. } => {
                "`optuna storage upgrade --storage URL` of Optuna 5 upgrades an older storage; make a copy \
                 first"
            }
            Self::NewerTables { .. } => "use the newer Allometry",
            Self::Locked { .. } => {
                "wait for the other program or stop it; on a network drive, move the file to a local disk"
            }
            Self::Departed { .. } => {
                "do not move, delete or replace a store in use; `allometry export` copies it"
            }
            Self::ReadOnly { location: Location::File(_) } => {
                "check the permissions of the file and of its folder, in which SQLite creates files too"
            }
            Self::ReadOnly { location: Location::Server(_) } => {
                "name the primary server and a user who may write (for the first run also create tables) in \
                 the database's schema"
            }
            Self::DiskFull { .. } => {
                "free some space and run the same command again: stored results are kept"
            }
            Self::Unreachable { .. } => {
                "check host, port and network, and that the server runs; stored results are kept"
            }
            Self::Refused { .. } => {
                "check sslmode, user and password (PGPASSWORD or ~/.pgpass; in a URL `@`, `/` and `:` are \
                 written as %40, %2F and %3A)"
            }
            Self::Forbidden { .. } => {
                "the user needs privileges to read and write the tables, and for the first run to create \
                 them (`GRANT CREATE ON SCHEMA`)"
            }
            Self::NoDatabase { .. } => "`createdb NAME` creates an empty one; Allometry creates its tables",
            Self::Malformed { problem, .. } if problem.contains(LATER_VERSION) => {
                "install that version of Allometry, or a later one"
            }
            Self::Malformed { .. } => "the database is damaged, or was changed by another program",
            _ => return None,
        };
        Some(text.into())
    }
}

/// Whether a path that does not exist is that of a file or folder with something behind a colon.
fn has_detail(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.rsplit_once(':').is_some_and(|(front, _)| Path::new(front).exists())
}
