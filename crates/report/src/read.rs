//! Reads report documents.

use allometry_analysis::{Analysis, Options};
use serde::Deserialize as _;
use serde_json::Value;

use crate::json::SchemaVersion;

/// The prefix of the schema names of report documents; the version follows.
const NAME: &str = "allometry.report/";

/// The version that this program writes and reads.
const VERSION: u64 = 1;

/// The reason why a text is not a report document.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text is not JSON, or is incomplete.
    #[error("it is not a complete JSON document: {0}")]
    Json(serde_json::Error),
    /// The text is JSON, but not a report.
    #[error("it is not a report of Allometry: {found}")]
    NotAReport {
        /// What was found.
        found: String,
    },
    /// A newer version of the program wrote the report.
    #[error("it is {found}, and this program reads {NAME}{VERSION}")]
    Newer {
        /// The schema of the report.
        found: String,
    },
    /// The text claims to be a report but does not match the schema.
    #[error("it does not match the schema {NAME}{VERSION}: {message}")]
    Malformed {
        /// The mismatch.
        message: String,
    },
}

impl ReadError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Json(_) => "write it again with `allometry report ... -o report.json`",
            Self::NotAReport { .. } => {
                "`allometry report ... -o report.json` writes a report, also from Optuna's trials"
            }
            Self::Newer { .. } => {
                "use the version of Allometry that wrote it, or write it again with this version"
            }
            Self::Malformed { .. } => "write it again with this version of Allometry",
        };
        Some(text.into())
    }
}

/// Reads the text of a document that [`crate::json()`] wrote.
///
/// # Errors
/// [`ReadError`] if the text is not such a document.
pub fn read_json(text: &str) -> Result<Analysis, ReadError> {
    let document: Value = serde_json::from_str(text).map_err(ReadError::Json)?;
    let not_a_report = |found: &str| ReadError::NotAReport { found: found.into() };
    let fields = document.as_object().ok_or_else(|| not_a_report("it is not an object with named fields"))?;
    let schema = fields
        .get("schema")
        .and_then(Value::as_str)
        .ok_or_else(|| not_a_report("it has no field `schema`"))?
        .to_owned();
    if SchemaVersion::deserialize(&fields["schema"]).is_err() {
        let version = schema.strip_prefix(NAME).and_then(|version| version.parse::<u64>().ok());
        return Err(match version {
            Some(version) if version > VERSION => ReadError::Newer { found: schema },
            _ => not_a_report(&format!("its schema is `{schema}`")),
        });
    }
    let malformed = |message: String| ReadError::Malformed { message };
    let analysis: Analysis =
        serde_json::from_value(document).map_err(|error| malformed(error.to_string()))?;
    let Options { level, power, .. } = analysis.options;
    for (name, probability) in [("level", level), ("power", power)] {
        if !(probability > 0.0 && probability < 1.0) {
            return Err(malformed(format!("options.{name} is {probability}, which is not between 0 and 1")));
        }
    }
    Ok(analysis)
}
