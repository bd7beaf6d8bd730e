//! Renders the trials of a ladder and their analysis: pure functions from data to text.

pub mod classic;
pub mod comparison;
pub mod full;
pub mod json;
pub mod lint;
mod markdown;
mod number;
mod read;
mod text;

pub use classic::classic;
pub use comparison::{ComparisonDocument, comparison, comparison_json, comparison_json_schema};
pub use full::full;
pub use json::{ReportDocument, SchemaVersion, json, json_schema};
pub use lint::{LintDocument, lint, lint_json, lint_schema};
pub use read::{ReadError, read_json};
