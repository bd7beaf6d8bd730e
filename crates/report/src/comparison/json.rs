//! The comparison as a document with a versioned schema.

use allometry_analysis::Comparison;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::json::pretty;
use crate::words;

/// The name and version of the document's schema. Within a version, fields may be added, but no field changes
/// its meaning or is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ComparisonSchemaVersion {
    /// The first version.
    #[default]
    #[serde(rename = "allometry.comparison/1")]
    V1,
}

/// A comparison for programs. Numbers that are not finite are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonDocument {
    /// The name and version of this schema.
    pub schema: ComparisonSchemaVersion,
    /// The comparison.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// Renders a comparison as a document with the schema that [`comparison_json_schema`] returns.
pub fn comparison_json(comparison: &Comparison) -> String {
    pretty(&ComparisonDocument {
        schema: ComparisonSchemaVersion::V1,
        comparison: words::comparison(comparison),
    })
}

/// Returns the JSON Schema of [`ComparisonDocument`].
pub fn comparison_json_schema() -> Schema {
    schemars::schema_for!(ComparisonDocument)
}
