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

/// The name and version of the document's schema. Within a version, fields may be added, but no field changes
/// its meaning or is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LintVersion {
    /// The first version.
    #[default]
    #[serde(rename = "allometry.lint/1")]
    V1,
}

/// The lint of a report, for programs. Numbers that are not finite are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LintDocument {
    /// The name and version of this schema.
    pub schema: LintVersion,
    /// The source of the report, for readers.
    pub source: String,
    /// The lint.
    #[serde(flatten)]
    pub lint: Lint,
}

/// Renders a lint as Markdown: the conclusions first, then the recomputed tables. `source` names the source
/// of the report.
pub fn lint(lint: &Lint, source: &str) -> String {
    let mut text = Text::default();
    text.heading(1, format_args!("Lint of {}", code(source)));
    conclusions::render(&mut text, lint);
    tables::render(&mut text, lint);
    text.into_string()
}

/// Renders a lint as a document with the schema that [`lint_schema`] returns.
pub fn lint_json(lint: &Lint, source: &str) -> String {
    let document =
        LintDocument { schema: LintVersion::V1, source: source.to_owned(), lint: words::lint(lint) };
    pretty(&document)
}

/// Returns the JSON Schema of [`LintDocument`].
pub fn lint_schema() -> Schema {
    schemars::schema_for!(LintDocument)
}
