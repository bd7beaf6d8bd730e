//! Renders the trials of a ladder and their analysis: pure functions from data to text.

pub mod classic;
pub mod json;
mod text;

pub use classic::classic;
pub use json::{ReportDocument, SchemaVersion, json, json_schema};
