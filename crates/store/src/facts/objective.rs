//! Facts about the objective of a study.

use allometry_ladder::{
    FoldSpec, LabelSpec, MaxGap, MissingPolicy, ModelSpec, ScoredPart, SeriesSpec, SplitSpec,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::json;

/// Objective of a study's trials. Trials of studies with different objectives cannot be compared.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectiveFacts {
    /// The built-in transformer.
    Model(Box<ModelFacts>),
    /// An external program.
    Command(CommandFacts),
}

/// The built-in transformer and its training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Settings that are not searched.
    pub model: ModelSpec,
    /// Training data.
    pub data: DataFacts,
    /// Rows that trials are scored on, if not the validation part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<ScoredPart>,
}

/// Facts about the table that a model is trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// Rows of the table.
    pub rows: u64,
    /// Names of the features, in order.
    pub features: Vec<String>,
    /// Label.
    pub label: LabelFacts,
    /// Shares of the parts.
    pub split: SplitFacts,
    /// Walk-forward folds of the validation part; `None` for one training of each trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<FoldSpec>,
    /// Treatment of rows without a value.
    pub na: MissingPolicy,
    /// Number of rows ahead that a label column looks. Left out where it is 1, so that studies from before
    /// this key existed can continue.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub horizon: u64,
    /// Number of classes, if more than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
    /// Names of the classes in their order, if the label holds names. Of a binary label the second is the
    /// positive class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// Columns of categories with learned vectors, the last of the features.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeddings: Vec<EmbeddingFacts>,
    /// Longest time between two neighbouring rows of a window; `None` if it may be any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_gap: Option<MaxGap>,
    /// The series that the rows belong to; `None` for a table of one series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesSpec>,
}

/// A column of categories with learned vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingFacts {
    /// Number of categories.
    pub categories: usize,
    /// Number of values of a vector.
    pub size: usize,
}

/// The label of a table: a column, or a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelFacts {
    /// The values of a column.
    Column(String),
    /// Whether a column rises by a threshold.
    Rise {
        /// Relative rise that is required.
        rise: f64,
        /// Column that must reach the threshold.
        of: String,
        /// Column that the threshold is relative to.
        over: String,
        /// Number of rows ahead.
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

/// An external program and its metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandFacts {
    /// Program, without the passwords of URLs.
    pub command: Program,
    /// Name of the reported metric.
    pub metric: String,
    /// Expression for the number of weights of a configuration.
    pub weights: Option<String>,
    /// Number of rows ahead that labels look.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub horizon: u64,
    /// Rows that trials are scored on, if not the validation part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<ScoredPart>,
}

/// A program as written in a ladder file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Program {
    /// Command line for the shell.
    Line(String),
    /// Program and arguments.
    Words(Vec<String>),
}

impl ObjectiveFacts {
    /// Returns the JSON that the study's attribute holds.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Model(facts) => json(facts),
            Self::Command(facts) => json(facts),
        }
    }

    /// Sets the rows that trials are scored on, if not the validation part.
    pub fn judged_by(&mut self, rows: ScoredPart) {
        let rows = (rows != ScoredPart::Validation).then_some(rows);
        match self {
            Self::Model(facts) => facts.part = rows,
            Self::Command(facts) => facts.part = rows,
        }
    }

    /// Returns the number of rows ahead that the labels look, at least 1.
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
