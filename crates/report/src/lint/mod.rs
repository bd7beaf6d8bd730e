//! The lint of a classic report, as Markdown and as a document for programs.

mod conclusions;
mod tables;

use allometry_analysis::Lint;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::json::pretty;
use crate::markdown::code;
use crate::text::Text;
use crate::words;

/// Name and version of the document's form. Fields may be added within a version; none changes its meaning or
/// goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LintVersion {
    /// The first.
    #[default]
    #[serde(rename = "allometry.lint/1")]
    V1,
}

/// The lint of a report, for programs. Numbers that are not finite are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LintDocument {
    /// Name and version of this form.
    pub schema: LintVersion,
    /// Where the report was read from, for people.
    pub source: String,
    /// The lint.
    #[serde(flatten)]
    pub lint: Lint,
}

/// Renders as Markdown: the conclusions first, then the recomputed tables. `source` is where the report was
/// read from.
pub fn lint(lint: &Lint, source: &str) -> String {
    let mut text = Text::default();
    text.heading(1, format_args!("What stands of {}", code(source)));
    conclusions::render(&mut text, lint);
    tables::render(&mut text, lint);
    text.into_string()
}

/// Renders as a document of the form that [`lint_schema`] describes.
pub fn lint_json(lint: &Lint, source: &str) -> String {
    let document =
        LintDocument { schema: LintVersion::V1, source: source.to_owned(), lint: words::lint(lint) };
    pretty(&document)
}

/// JSON Schema of [`LintDocument`].
pub fn lint_schema() -> Schema {
    schemars::schema_for!(LintDocument)
}
