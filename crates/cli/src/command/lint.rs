//! `allometry report seed.md`: checks the conclusions of a script's report.

use std::path::Path;

use allometry_analysis::{Knowledge, Lint, Options, lint};
use allometry_core::{ClassCounts, Params};
use allometry_report::classic::{ReadError, read as read_report};
use allometry_report::html_of_markdown;

use crate::error::CliError;
use crate::output::Format;
use crate::weights::WeightCounter;

/// A checked report.
pub(super) struct Linted {
    lint: Lint,
    source: String,
}

/// Reads a report and checks its conclusions against its own tables.
///
/// # Errors
/// [`CliError`] if the file cannot be read or is not a classic report.
pub(super) fn read(
    path: &Path,
    rows: Option<ClassCounts>,
    weights: Option<WeightCounter>,
) -> Result<Linted, CliError> {
    let failed = |source| CliError::ClassicReport { path: path.to_path_buf(), source };
    let bytes = std::fs::read(path).map_err(|source| CliError::Read { path: path.to_path_buf(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + String::from_utf8_lossy(valid).matches('\n').count() as u64;
        let found = "bytes that are not UTF-8".to_owned();
        failed(ReadError::Malformed { line, expected: "text in UTF-8".to_owned(), found })
    })?;
    let report = read_report(&text).map_err(failed)?;
    let count = |params: &Params| weights?.size(params);
    let size: Option<&dyn Fn(&Params) -> _> = if weights.is_some() { Some(&count) } else { None };
    let lint = lint(&report, &Knowledge { rows, size }, &Options::default());
    Ok(Linted { lint, source: path.display().to_string() })
}

impl Linted {
    /// Returns the checked conclusions.
    pub(super) fn result(&self) -> &Lint {
        &self.lint
    }

    /// Returns the result as text in a format.
    pub(super) fn render(&self, format: Format) -> String {
        match format {
            Format::Markdown => allometry_report::lint(&self.lint, &self.source),
            Format::Html => html_of_markdown(&allometry_report::lint(&self.lint, &self.source)),
            Format::Json => allometry_report::lint_json(&self.lint, &self.source),
        }
    }
}
