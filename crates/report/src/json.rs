//! The report as a versioned document that contains every number at full precision.

use allometry_analysis::Analysis;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::words;

/// The name and version of the document's schema. Within a version, fields may be added, but no field changes
/// its meaning or is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SchemaVersion {
    /// The first version.
    #[default]
    #[serde(rename = "allometry.report/1")]
    V1,
}

/// A report for programs. Numbers that are not finite are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportDocument {
    /// The name and version of this schema.
    pub schema: SchemaVersion,
    /// The analysis.
    #[serde(flatten)]
    pub analysis: Analysis,
}

/// Renders the analysis as a document with the schema that [`json_schema`] returns.
pub fn json(analysis: &Analysis) -> String {
    pretty(&ReportDocument { schema: SchemaVersion::V1, analysis: words::analysis(analysis) })
}

/// Returns a document as indented text, with a line break at its end.
pub(crate) fn pretty(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    text.expect("a document in words has keys that are strings, and no reasons") + "\n"
}

/// Returns the JSON Schema of [`ReportDocument`].
pub fn json_schema() -> Schema {
    schemars::schema_for!(ReportDocument)
}
