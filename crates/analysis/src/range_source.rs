//! How the range of a parameter is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the range is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RangeSource {
    /// The study's search space.
    Space,
    /// The distribution that the trials recorded.
    Recorded,
    /// The values that occur in the trials.
    Observed,
}
