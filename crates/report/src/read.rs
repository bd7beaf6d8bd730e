//! Reads a report document back.

use allometry_analysis::{Analysis, Options};
use serde::Deserialize as _;
use serde_json::Value;

use crate::json::SchemaVersion;

/// What the names of report documents begin with; the rest is their version.
const NAME: &str = "allometry.report/";

/// Version that this program writes and reads.
const VERSION: u64 = 1;

/// Why a text is no report document.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or ends early.
    #[error("it is no whole JSON document: {0}")]
    Json(serde_json::Error),
    /// It is JSON, but of something else.
    #[error("it is no report of Allometry: {found}")]
    NotAReport {
        /// What it is instead.
        found: String,
    },
    /// A newer program wrote it.
    #[error("it is {found}, and this program reads {NAME}{VERSION}")]
    Newer {
        /// Its schema.
        found: String,
    },
    /// It says that it is a report, but something in it is not as the schema has it.
    #[error("it is not as the schema {NAME}{VERSION} has it: {message}")]
    Malformed {
        /// What is wrong.
        message: String,
    },
}

impl ReadError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Json(_) => "write it anew with `allometry report ... -o report.json`",
            Self::NotAReport { .. } => {
                "`allometry report ... -o report.json` writes one, from Optuna's trials too"
            }
            Self::Newer { .. } => {
                "use the version of Allometry that wrote it, or write it anew with this one"
            }
            Self::Malformed { .. } => "write it anew with this version of Allometry",
        };
        Some(text.into())
    }
}

/// Reads the text of a document that [`crate::json()`] wrote.
///
/// # Errors
/// [`ReadError`] where it is something else.
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
