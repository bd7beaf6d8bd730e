//! Renders the trials of a ladder and their analysis: pure functions from data to text.

pub mod classic;
pub mod full;
pub mod json;
pub mod lint;
mod markdown;
mod number;
mod text;

pub use classic::classic;
pub use full::full;
pub use json::{ReportDocument, SchemaVersion, json, json_schema};
pub use lint::{LintDocument, lint, lint_json, lint_schema};
