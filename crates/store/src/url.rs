//! Storage URLs in Optuna's form, and paths of files.

use std::path::{Path, PathBuf};

use allometry_core::{Secret, secret};

use crate::error::StoreError;

/// A storage that a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// Path of a SQLite file.
    Sqlite(PathBuf),
    /// Whole URL of a PostgreSQL database, including its password.
    Postgres(Secret),
}

/// Parses a storage URL: `sqlite:///relative.db`, `sqlite:////absolute.db`, a plain path, or
/// `postgresql://...`.
///
/// # Errors
/// [`StoreError::Url`] for another scheme, or a URL without a file.
pub fn parse(url: &str) -> Result<Storage, StoreError> {
    let url = if url.contains("://") { url.trim() } else { url };
    let problem = |problem: &str| StoreError::Url { url: redact(url), problem: problem.into() };
    let Some((scheme, rest)) = url.split_once("://") else {
        if url.trim().is_empty() {
            return Err(problem("it is empty"));
        }
        if is_postgres_scheme(url.split(':').next().unwrap_or_default()) && url.contains(':') {
            return Err(problem("after its scheme a URL has `://`"));
        }
        if secret::lacks_scheme(url) && !Path::new(url).exists() {
            return Err(problem("the URL of a server starts with `postgresql://`"));
        }
        return Ok(Storage::Sqlite(sqlite_file(url)));
    };
    if is_postgres_scheme(scheme) {
        return Ok(Storage::Postgres(url.into()));
    }
    if scheme != "sqlite" && !scheme.starts_with("sqlite+") {
        return Err(problem(&format!(
            "storage of kind `{scheme}` is not supported, only `sqlite` and `postgresql`"
        )));
    }
    // The part before the third slash would be a host.
    let Some(path) = rest.strip_prefix('/') else {
        return Err(problem(
            "a SQLite URL has three slashes before a relative path, four before an absolute one",
        ));
    };
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() || path == ":memory:" {
        return Err(problem("it names no file"));
    }
    Ok(Storage::Sqlite(sqlite_file(path)))
}

/// Returns the path of a SQLite file. SQLite would read a name that begins with `file:` as a URI of another
/// file.
fn sqlite_file(path: &str) -> PathBuf {
    if path.starts_with("file:") { Path::new(".").join(path) } else { PathBuf::from(path) }
}

/// Whether a scheme means PostgreSQL; `SQLAlchemy` appends `+` and a driver.
fn is_postgres_scheme(scheme: &str) -> bool {
    matches!(scheme.split('+').next(), Some("postgresql" | "postgres"))
}

/// Returns the path of the SQLite file that a storage URL names.
///
/// # Errors
/// [`StoreError::Url`] where the URL names no file.
pub fn sqlite_path(url: &str) -> Result<PathBuf, StoreError> {
    match parse(url)? {
        Storage::Sqlite(path) => Ok(path),
        Storage::Postgres(_) => {
            Err(StoreError::Url { url: redact(url), problem: "it is not the URL of a SQLite file".into() })
        }
    }
}

/// Returns the URL of a SQLite file.
pub fn of_sqlite(path: &Path) -> String {
    format!("sqlite:///{}", path.display())
}

/// Returns the URL without its password, for messages, by [`secret::hide`].
pub fn redact(url: &str) -> String {
    secret::hide(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths_name_files() {
        for (url, path) in [
            ("sqlite:///runs/x.db", "runs/x.db"),
            ("sqlite:////data/x.db", "/data/x.db"),
            ("sqlite+pysqlite:///x.db?timeout=5", "x.db"),
            ("x.db", "x.db"),
            ("file:x.db", "./file:x.db"),
            ("/data/with space.db", "/data/with space.db"),
        ] {
            assert_eq!(sqlite_path(url).unwrap(), Path::new(path));
        }
        assert_eq!(sqlite_path(&of_sqlite(Path::new("/a/b.db"))).unwrap(), Path::new("/a/b.db"));
    }

    #[test]
    fn other_urls_are_refused_without_their_password() {
        for (url, message) in [
            (
                "mysql://me:s3cret@host:3306/db",
                "cannot open `mysql://me:***@host:3306/db`: storage of kind `mysql` is not supported, \
                 only `sqlite` and `postgresql`",
            ),
            (
                "postgresql:/me:s3cret@host/db",
                "cannot open `postgresql:/me:***@host/db`: after its scheme a URL has `://`",
            ),
            (
                "me:s3cret@host/db",
                "cannot open `me:***@host/db`: the URL of a server starts with `postgresql://`",
            ),
            ("sqlite:///", "cannot open `sqlite:///`: it names no file"),
            ("", "cannot open ``: it is empty"),
        ] {
            let error = sqlite_path(url).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().unwrap().contains("sqlite:///"));
        }
        assert!(sqlite_path("sqlite://x.db").unwrap_err().to_string().contains("three slashes"));
        assert!(sqlite_path("postgresql://host/db").is_err());
    }

    #[test]
    fn postgres_urls_are_known_by_their_scheme() {
        for url in
            ["postgres://host/db", "postgresql://me@host/db?sslmode=require", "postgresql+psycopg2://host/db"]
        {
            assert_eq!(parse(url).unwrap(), Storage::Postgres(url.into()));
        }
        assert_eq!(parse("postgres.db").unwrap(), Storage::Sqlite("postgres.db".into()));
    }

    #[test]
    fn no_password_is_shown_however_it_is_written() {
        for (url, shown) in [
            ("postgresql://me:p@ss@host/db", "postgresql://me:***@host/db"),
            ("postgresql://me:p/s?s@host/db", "postgresql://me:***@host/db"),
            ("postgresql://me@host/db", "postgresql://me@host/db"),
            (
                "postgresql+psycopg2://me:x@host/db?sslmode=require&password=y",
                "postgresql+psycopg2://me:***@host/db?sslmode=require&password=***",
            ),
            ("postgresql:///db?password=y&host=/tmp", "postgresql:///db?password=***&host=/tmp"),
            ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
            ("folder/a:b@c.db", "folder/a:b@c.db"),
            ("x.db", "x.db"),
        ] {
            assert_eq!(redact(url), shown);
        }
    }
}
