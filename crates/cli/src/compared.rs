//! The arguments of `allometry compare`: sources of trials, or reports as JSON.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use allometry_analysis::Analysis;
use allometry_study::Source;

use crate::error::CliError;

/// One of the two compared ladders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    /// A report document, given by its path.
    Report(PathBuf),
    /// The trials of a ladder.
    Trials(Source),
}

impl FromStr for Compared {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        if !text.contains("://")
            && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"))
            && !text.contains('=')
        {
            return Ok(Self::Report(path.into()));
        }
        text.parse().map(Self::Trials)
    }
}

impl Compared {
    /// Returns whether the argument is a file without a label.
    pub(crate) fn names_no_budget(&self) -> bool {
        matches!(self, Self::Report(_) | Self::Trials(Source::Store(_)))
    }

    /// Returns the label that the user gives the source, if any.
    pub(crate) fn label(&self) -> Option<&str> {
        match self {
            Self::Trials(Source::Labelled { label, .. } | Source::LabelledStore { label, .. }) => Some(label),
            _ => None,
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(path) => write!(f, "{}", path.display()),
            Self::Trials(source) => source.fmt(f),
        }
    }
}

/// Returns whether a JSON file should be read as a report document: it neither is nor has a list of trials.
pub(crate) fn is_report(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let holds_trials = text.contains("\"trials\"") && !text.contains("\"allometry.");
    !text.trim_start().starts_with('[') && !holds_trials
}

/// Reads a report document.
///
/// # Errors
/// [`CliError`] that names the file.
pub(crate) fn read_report(path: &Path) -> Result<Analysis, CliError> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => CliError::NotFound {
            message: format!("there is no report {}", path.display()),
            hint: Some("`allometry report ... -o report.json` writes one".into()),
        },
        _ => CliError::Read { path: path.into(), source },
    })?;
    allometry_report::read_json(&text).map_err(|why| CliError::Report { path: path.into(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_sources_are_told_apart() {
        let parse = |text: &str| text.parse::<Compared>();
        assert_eq!(parse("a/report.json"), Ok(Compared::Report("a/report.json".into())));
        assert_eq!(parse("ladder.toml"), Ok(Compared::Trials(Source::Ladder("ladder.toml".into()))));
        assert_eq!(parse("trials.db"), Ok(Compared::Trials(Source::Store("trials.db".into()))));
        assert!(matches!(parse("2M=all_trials.json"), Ok(Compared::Trials(Source::Labelled { .. }))));
    }
}
