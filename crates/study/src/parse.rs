//! Parses a SOURCE argument.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use allometry_core::Secret;
use allometry_store::url::{self, Storage};

use crate::ladder_file::in_folder;

/// Where trials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A ladder file, or its folder. Its trials are in its storage.
    Ladder(PathBuf),
    /// The URL or path of a store with the studies of one ladder.
    Store(Secret),
    /// A classic report in Markdown.
    Report(PathBuf),
    /// One study of a budget.
    Labelled {
        /// The budget's label.
        label: String,
        /// The file.
        file: PathBuf,
        /// The best parameters' file, or the study's name.
        detail: Option<String>,
    },
    /// One study of a budget, in a storage of PostgreSQL.
    LabelledStore {
        /// The budget's label.
        label: String,
        /// The storage's URL.
        url: Secret,
        /// Name of the study; none where the storage has one study.
        study: Option<String>,
    },
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") && !text.split("://").next().is_some_and(|scheme| scheme.contains('=')) {
            return Ok(Self::Store(text.into()));
        }
        if let Some((label, url)) = text.split_once('=').filter(|(label, _)| !label.is_empty())
            && url::parse(url).is_ok_and(|storage| matches!(storage, Storage::Postgres(_)))
        {
            let (url, study) = split_study(url);
            return Ok(Self::LabelledStore { label: label.into(), url: url.into(), study });
        }
        // A path may contain an equals sign or a colon: an existing file is taken as a path.
        if let Some((label, rest)) = text.split_once('=').filter(|_| !PathBuf::from(text).exists()) {
            if label.is_empty() || rest.is_empty() {
                return Err("expected LABEL=FILE or LABEL=FILE:DETAIL".into());
            }
            let rest = rest.strip_prefix("sqlite:///").unwrap_or(rest);
            // An existing file is taken as a path, even with a colon.
            let (file, detail) = match rest.split_once(':') {
                Some((file, detail)) if !PathBuf::from(rest).exists() => (file, Some(detail.to_owned())),
                _ => (rest, None),
            };
            return Ok(Self::Labelled { label: label.into(), file: file.into(), detail });
        }
        let path = in_folder(text);
        Ok(if crate::is_ladder(&path) {
            Self::Ladder(path)
        } else if crate::is_markdown(&path) {
            Self::Report(path)
        } else {
            Self::Store(text.into())
        })
    }
}

/// Splits `postgresql://host:port/database?...:STUDY`. A colon in the URL's path or query is written `%3A`.
fn split_study(url: &str) -> (&str, Option<String>) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let path = url[start..].find('/').map_or(url.len(), |at| start + at);
    match url[path..].find(':') {
        Some(at) => (&url[..path + at], Some(url[path + at + 1..].to_owned())),
        None => (url, None),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ladder(path) | Self::Report(path) => write!(f, "{}", path.display()),
            Self::Store(url) => f.write_str(&url.shown()),
            Self::LabelledStore { label, url, study } => {
                let study = study.iter().flat_map(|study| [":", study]).collect::<String>();
                write!(f, "{label}={}{study}", url.shown())
            }
            Self::Labelled { label, file, detail: None } => write!(f, "{label}={}", file.display()),
            Self::Labelled { label, file, detail: Some(detail) } => {
                write!(f, "{label}={}:{detail}", file.display())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_ladder() {
        let folder = tempfile::tempdir().unwrap();
        let parsed = folder.path().to_str().unwrap().parse::<Source>();
        assert_eq!(parsed, Ok(Source::Ladder(folder.path().join("ladder.toml"))));
    }

    #[test]
    fn every_form_is_told_apart() {
        let parse = |text: &str| text.parse::<Source>();
        assert_eq!(parse("ladder.toml"), Ok(Source::Ladder("ladder.toml".into())));
        assert_eq!(parse("sqlite:///a.db"), Ok(Source::Store("sqlite:///a.db".into())));
        assert_eq!(parse("trials.db"), Ok(Source::Store("trials.db".into())));
        assert_eq!(parse("seed/report.MD"), Ok(Source::Report("seed/report.MD".into())));
        let labelled = |file: &str, detail: Option<&str>| {
            Ok(Source::Labelled { label: "2M".into(), file: file.into(), detail: detail.map(Into::into) })
        };
        assert_eq!(parse("2M=a.json"), labelled("a.json", None));
        assert_eq!(parse("2M=a.json:best.json"), labelled("a.json", Some("best.json")));
        assert_eq!(parse("2M=a.db:ladder/2M"), labelled("a.db", Some("ladder/2M")));
        assert_eq!(parse("2M=sqlite:///a.db:x"), labelled("a.db", Some("x")));
        let store = "postgresql://me:s3cret@host:5433/db?sslmode=require";
        assert_eq!(parse(store), Ok(Source::Store(store.into())));
        assert_eq!(
            parse(&format!("2M={store}:a:b")),
            Ok(Source::LabelledStore { label: "2M".into(), url: store.into(), study: Some("a:b".into()) })
        );
        assert_eq!(
            parse(&format!("2M={store}:a")).unwrap().to_string(),
            "2M=postgresql://me:***@host:5433/db?sslmode=require:a"
        );
        assert!(parse("=a.json").is_err());
        assert!(parse("2M=").is_err());
    }
}
