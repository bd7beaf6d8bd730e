//! Where a store is: URLs as Optuna has them, or the path of a file.

use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// The file that a storage URL names: `sqlite:///relative.db`, `sqlite:////absolute.db`, or a plain path.
///
/// # Errors
/// [`StoreError::Url`] for another scheme, or a URL without a file.
pub fn sqlite_path(url: &str) -> Result<PathBuf, StoreError> {
    let problem = |problem: String| StoreError::Url { url: redact(url), problem };
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.trim().is_empty() {
            Err(problem("it is empty".into()))
        } else {
            Ok(PathBuf::from(url))
        };
    };
    if scheme != "sqlite" && !scheme.starts_with("sqlite+") {
        return Err(problem(format!("storage of kind `{scheme}` is not supported, only `sqlite`")));
    }
    // The part before the third slash would name a host.
    let Some(path) = rest.strip_prefix('/') else {
        return Err(problem(
            "a SQLite URL has three slashes before a relative path, four before an absolute one".into(),
        ));
    };
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() || path == ":memory:" {
        return Err(problem("it names no file".into()));
    }
    Ok(PathBuf::from(path))
}

/// The URL of a SQLite file.
pub fn of_sqlite(path: &Path) -> String {
    format!("sqlite:///{}", path.display())
}

/// The URL without its password, for messages.
pub fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    match authority.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:***@{host}{path}"),
        _ => url.into(),
    }
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
                "postgresql://me:s3cret@host:5432/db",
                "cannot open `postgresql://me:***@host:5432/db`: storage of kind `postgresql` is not supported, only `sqlite`",
            ),
            (
                "mysql://host/db",
                "cannot open `mysql://host/db`: storage of kind `mysql` is not supported, only `sqlite`",
            ),
            ("sqlite:///", "cannot open `sqlite:///`: it names no file"),
            ("", "cannot open ``: it is empty"),
        ] {
            let error = sqlite_path(url).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().unwrap().contains("sqlite:///"));
        }
        assert!(sqlite_path("sqlite://x.db").unwrap_err().to_string().contains("three slashes"));
        assert_eq!(redact("postgresql://me:p@ss@host/db"), "postgresql://me:***@host/db");
        assert_eq!(redact("postgresql://me@host/db"), "postgresql://me@host/db");
    }
}
