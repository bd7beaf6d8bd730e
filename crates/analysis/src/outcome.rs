//! Conclusion of the trials on whether more weights pay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The conclusion on scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The metric improves with size, and no larger budget is significantly worse than a smaller one.
    Holds,
    /// The metric deteriorates with size, or a larger budget is significantly worse than a smaller one.
    Violated,
    /// Every difference is smaller than the smallest difference of interest.
    Flat,
    /// The trials do not decide.
    Undecided,
    /// The data that a decision needs are missing.
    Unknown,
}

impl Outcome {
    /// Returns the outcome's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "Holds",
            Self::Violated => "Violated",
            Self::Flat => "Flat",
            Self::Undecided => "Undecided",
            Self::Unknown => "Unknown",
        }
    }
}
