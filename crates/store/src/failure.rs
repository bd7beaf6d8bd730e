//! The failure of a statement, before the database's name is added to it.

use crate::assemble::Malformed;
use crate::error::StoreError;
use crate::location::Location;

/// The failure of a statement or of the rules that a transaction checks.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The driver of SQLite reports it.
    Sqlite(rusqlite::Error),
    /// The driver of PostgreSQL reports it.
    Postgres(postgres::Error),
    /// A rule of the store forbids the call.
    Store(StoreError),
    /// A stored row cannot be read.
    Malformed(Malformed),
    /// The database holds no studies; the text says what it lacks.
    NotAStore(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl Failure {
    /// Returns the failure with the place of the database. The databases tell apart the errors of their
    /// drivers before.
    pub(crate) fn at(self, location: Location) -> StoreError {
        let reason = match self {
            Self::Store(error) => return error,
            Self::Malformed(Malformed { place, problem }) => {
                return StoreError::Malformed { location, place, problem };
            }
            Self::NotAStore(problem) => return StoreError::NotAStore { location, problem },
            Self::Sqlite(error) => error.to_string(),
            Self::Postgres(error) => error.to_string(),
        };
        StoreError::Database { location, reason }
    }
}
