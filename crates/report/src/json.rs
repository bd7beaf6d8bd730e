//! The report as a versioned document that holds every number at full precision.

use allometry_analysis::Analysis;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::words;

/// Name and version of the document's form. Fields may be added within a version; none changes its meaning or
/// goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SchemaVersion {
    /// The first.
    #[default]
    #[serde(rename = "allometry.report/1")]
    V1,
}

/// A report for programs. Numbers that are not finite are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportDocument {
    /// Name and version of this form.
    pub schema: SchemaVersion,
    /// The analysis.
    #[serde(flatten)]
    pub analysis: Analysis,
}

/// Renders the analysis as a document of the form that [`json_schema`] describes.
pub fn json(analysis: &Analysis) -> String {
    pretty(&ReportDocument { schema: SchemaVersion::V1, analysis: words::analysis(analysis) })
}

/// A document as text for people to look at, with a line break at its end.
pub(crate) fn pretty(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    text.expect("a document in words has keys that are strings, and no reasons") + "\n"
}

/// JSON Schema of [`ReportDocument`].
pub fn json_schema() -> Schema {
    schemars::schema_for!(ReportDocument)
}
