//! Failures of statements before the location of the database is added.

use crate::error::StoreError;
use crate::from_rows::Malformed;
use crate::location::Location;

/// A failure of a statement, or of a check inside a transaction.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite's driver reports an error.
    Sqlite(rusqlite::Error),
    /// PostgreSQL's driver reports an error.
    Postgres(postgres::Error),
    /// The store's contract forbids the call.
    Store(StoreError),
    /// A stored row cannot be read.
    Malformed(Malformed),
    /// The database holds no studies; the text says what is missing.
    NotAStore(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::InvalidColumnType(_, name, kind) => {
                Malformed::new(format!("column `{name}`"), format!("it has a value of type {kind}")).into()
            }
            other => Self::Sqlite(other),
        }
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
    /// Converts the failure to an error with the location of the database. Each database converts the
    /// specific errors of its driver before it calls this function.
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
