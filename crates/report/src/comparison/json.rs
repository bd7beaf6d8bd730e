//! The comparison as a versioned document.

use allometry_analysis::Comparison;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::json::pretty;
use crate::words;

/// Name and version of the document's form. Fields may be added within a version; none changes its meaning or
/// goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ComparisonSchemaVersion {
    /// The first.
    #[default]
    #[serde(rename = "allometry.comparison/1")]
    V1,
}

/// A comparison for programs. Numbers that are not finite are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonDocument {
    /// Name and version of this form.
    pub schema: ComparisonSchemaVersion,
    /// The comparison.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// Renders a comparison as a document of the form that [`comparison_json_schema`] describes.
pub fn comparison_json(comparison: &Comparison) -> String {
    pretty(&ComparisonDocument {
        schema: ComparisonSchemaVersion::V1,
        comparison: words::comparison(comparison),
    })
}

/// JSON Schema of [`ComparisonDocument`].
pub fn comparison_json_schema() -> Schema {
    schemars::schema_for!(ComparisonDocument)
}
