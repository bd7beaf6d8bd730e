//! What the trials of a study are evaluated by.

use allometry_core::ladder::{LabelSpec, MissingPolicy, ModelSpec, Part, SplitSpec};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::json;

/// What the trials of a study are evaluated by. Trials of studies that differ in it cannot be compared.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectiveFacts {
    /// The built-in transformer.
    Model(Box<ModelFacts>),
    /// A program.
    Command(CommandFacts),
}

/// The built-in transformer and the data that it is trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Settings that are not searched.
    pub model: ModelSpec,
    /// The data.
    pub data: DataFacts,
    /// The rows that trials are judged by, where they are not the validation part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// A table as a model is trained on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// Rows of the table.
    pub rows: u64,
    /// Names of the features, in order.
    pub features: Vec<String>,
    /// The label.
    pub label: LabelFacts,
    /// Shares of the rows.
    pub split: SplitFacts,
    /// What happens to rows without a value.
    pub na: MissingPolicy,
    /// Rows ahead that a label's column looks. Not written where it is 1, so that studies begun before there
    /// was such a key go on.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub horizon: u64,
    /// Classes of the label, where they are more than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
}

/// The label of a table: a column's name, or how it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelFacts {
    /// The values of a column.
    Column(String),
    /// Whether a column rises.
    Rise {
        /// Relative rise asked for.
        rise: f64,
        /// Column that must reach the threshold.
        of: String,
        /// Column that the threshold is measured from.
        over: String,
        /// Rows ahead.
        horizon: u64,
    },
}

impl From<&LabelSpec> for LabelFacts {
    fn from(label: &LabelSpec) -> Self {
        match label.clone() {
            LabelSpec::Column { name, .. } => Self::Column(name),
            LabelSpec::Rise { rise, of, over, horizon } => {
                Self::Rise { rise, of, over, horizon: horizon as u64 }
            }
        }
    }
}

/// Shares of the rows in time order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SplitFacts {
    /// Share of the training part.
    pub train: f64,
    /// Share of the validation part.
    pub validation: f64,
}

impl From<SplitSpec> for SplitFacts {
    fn from(SplitSpec { train, validation }: SplitSpec) -> Self {
        Self { train, validation }
    }
}

/// A program and what it reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandFacts {
    /// The program, without the passwords of URLs.
    pub command: Program,
    /// What the value that it reports is called.
    pub metric: String,
    /// Expression that gives the weights of a configuration.
    pub weights: Option<String>,
    /// Rows ahead that labels look.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub horizon: u64,
    /// The rows that trials are judged by, where they are not the validation part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// A program as a ladder file names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Program {
    /// A line for the shell.
    Line(String),
    /// A program and its arguments.
    Words(Vec<String>),
}

impl ObjectiveFacts {
    /// The document that the study's attribute holds.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Model(facts) => json(facts),
            Self::Command(facts) => json(facts),
        }
    }

    /// Says by which rows trials are judged, where they are not the validation part.
    pub fn judged_by(&mut self, rows: Part) {
        let rows = (rows != Part::Validation).then_some(rows);
        match self {
            Self::Model(facts) => facts.part = rows,
            Self::Command(facts) => facts.part = rows,
        }
    }

    /// Rows ahead that the labels look, at least 1.
    pub fn horizon(&self) -> u64 {
        let rows = match self {
            Self::Command(facts) => facts.horizon,
            Self::Model(facts) => match facts.data.label {
                LabelFacts::Rise { horizon, .. } => horizon,
                LabelFacts::Column(_) => facts.data.horizon,
            },
        };
        rows.max(1)
    }
}

impl<'de> Deserialize<'de> for ObjectiveFacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Value::deserialize(deserializer)?;
        let is_command = document.get("command").is_some();
        let facts = if is_command {
            CommandFacts::deserialize(document).map(Self::Command)
        } else {
            ModelFacts::deserialize(document).map(|facts| Self::Model(Box::new(facts)))
        };
        facts.map_err(D::Error::custom)
    }
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_one(rows: &u64) -> bool {
    *rows == 1
}
