//! Stable codes for wrong or unsupported lines of a report.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::subject::{Standing, Subject};
use crate::finding::Severity;

/// A code for a wrong or unsupported line of a report. Codes never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LintCode {
    /// The report contradicts itself.
    Contradiction,
    /// A conclusion about this subject does not stand.
    DoesNotStand(Subject),
    /// The report does not show whether a conclusion about this subject stands.
    CannotBeTold(Subject),
}

impl LintCode {
    /// Returns the code of a conclusion; `None` where it stands.
    pub(super) fn of(subject: Subject, standing: Standing) -> Option<Self> {
        match standing {
            Standing::Stands => None,
            Standing::DoesNotStand => Some(Self::DoesNotStand(subject)),
            Standing::CannotBeTold => Some(Self::CannotBeTold(subject)),
        }
    }

    /// Returns every code.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |code: fn(Subject) -> Self| Subject::ALL.into_iter().map(code);
        [Self::Contradiction].into_iter().chain(of(Self::DoesNotStand)).chain(of(Self::CannotBeTold))
    }

    /// Returns the severity of the code.
    pub fn severity(self) -> Severity {
        match self {
            Self::Contradiction => Severity::Error,
            Self::DoesNotStand(_) => Severity::Warning,
            Self::CannotBeTold(_) => Severity::Info,
        }
    }
}

/// Writes the code in its text form: `trend-does-not-stand`.
impl fmt::Display for LintCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contradiction => f.write_str("contradiction"),
            Self::DoesNotStand(subject) => write!(f, "{}-does-not-stand", subject.code()),
            Self::CannotBeTold(subject) => write!(f, "{}-cannot-be-told", subject.code()),
        }
    }
}

impl Serialize for LintCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LintCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::all()
            .find(|code| code.to_string() == text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no code of a report's conclusions")))
    }
}

impl JsonSchema for LintCode {
    fn schema_name() -> Cow<'static, str> {
        "LintCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<String> = Self::all().map(|code| code.to_string()).collect();
        json_schema!({
            "description": "A code for a wrong or unsupported line of a report. Codes never change their \
                            meaning.",
            "type": "string",
            "enum": codes,
        })
    }
}
