//! Renders the trials of a ladder and their analysis as text: pure functions without side effects.

pub mod brief;
pub mod chart;
pub mod classic;
pub mod command;
pub mod comparison;
pub mod full;
pub mod html;
pub mod json;
pub mod lint;
mod markdown;
pub mod next;
pub mod number;
mod page_json;
mod read;
pub mod take;
mod terminal;
mod text;
pub mod words;

pub use brief::brief;
pub use classic::classic;
pub use comparison::{ComparisonDocument, comparison, comparison_json, comparison_json_schema};
pub use full::{Pictures, full};
pub use html::{html, html_of_markdown};
pub use json::{ReportDocument, SchemaVersion, json, json_schema};
pub use lint::{LintDocument, lint, lint_json, lint_schema};
pub use number::shortened;
pub use read::{ReadError, read_json};
pub use terminal::terminal;
