//! Failures of PostgreSQL's statements.

use std::error::Error as _;

use postgres::error::SqlState;

use crate::error::StoreError;
use crate::failure::Failure;
use crate::location::Location;

impl Failure {
    /// Whether the connection is lost, so that a new one may succeed.
    pub(super) fn is_lost(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        match error.code() {
            // Class 08 means connection errors, 57P01 to 57P03 and 57P05 a server that stops or starts, 25P03
            // an idle timeout.
            Some(code) => {
                let gone = ["57P01", "57P02", "57P03", "57P05", "25P03"];
                code.code().starts_with("08") || gone.contains(&code.code())
            }
            None => error.is_closed() || io_source(error).is_some(),
        }
    }

    /// Whether the server is starting up.
    pub(super) fn is_starting(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        error.code() == Some(&SqlState::CANNOT_CONNECT_NOW)
    }

    /// Whether the server rolled the transaction back because of a concurrent one; a retry can succeed.
    pub(super) fn is_conflict(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        let again = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        error.code().is_some_and(|code| again.contains(code))
    }

    /// Whether another session created the same object concurrently.
    pub(super) fn is_made_already(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        let made = [SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION];
        error.code().is_some_and(|code| made.contains(code))
    }

    /// Returns the failure of a statement on a server's database.
    pub(super) fn at_server(self, location: &Location) -> StoreError {
        let lost = self.is_lost();
        let location = location.clone();
        let Self::Postgres(error) = self else { return self.at(location) };
        let reason = reason(&error);
        let Some(code) = error.code() else {
            // Neither a missing password nor an untrusted certificate has an error code.
            let refused = error.to_string() == TLS || reason.contains("password missing");
            return match (refused, lost) {
                (true, _) => StoreError::Refused { location, reason },
                (false, true) => StoreError::Unreachable { location, reason },
                (false, false) => StoreError::Database { location, reason },
            };
        };
        match code.code() {
            "28P01" | "28000" => StoreError::Refused { location, reason },
            "3D000" => StoreError::NoDatabase { location, reason },
            "25006" => StoreError::ReadOnly { location },
            "42501" => StoreError::Forbidden { location, reason },
            "53100" => StoreError::DiskFull { location },
            "53300" => StoreError::Unreachable { location, reason },
            _ if lost => StoreError::Unreachable { location, reason },
            _ => StoreError::Database { location, reason },
        }
    }
}

/// The driver's message for a failed TLS handshake.
const TLS: &str = "error performing TLS handshake";

fn io_source(error: &postgres::Error) -> Option<&std::io::Error> {
    // A failed handshake is an I/O error too, but a retry would fail as well.
    (error.to_string() != TLS).then(|| error.source()?.downcast_ref()).flatten()
}

/// Returns the server's message, or the chain of causes.
fn reason(error: &postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return told.message().to_owned();
    }
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        reason = format!("{reason}: {source}");
        cause = source.source();
    }
    reason
}
