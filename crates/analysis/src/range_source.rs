//! Source of a parameter's range.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Source of a parameter's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RangeSource {
    /// The study's search space.
    Space,
    /// The distribution recorded with the trials.
    Recorded,
    /// The values observed in the trials.
    Observed,
}
