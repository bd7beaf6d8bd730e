//! Precision of matrix products.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Precision of the matrix products of the built-in model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// `bf16` where the processor multiplies it faster than single precision, else `f32`. Studies and
    /// checkpoints store which it was.
    #[default]
    Auto,
    /// Single precision.
    F32,
    /// Factors rounded to bf16, with sums, weights and everything else in single precision.
    Bf16,
}

impl Precision {
    /// All precisions.
    pub const ALL: [Self; 3] = [Self::Auto, Self::F32, Self::Bf16];

    /// The word in ladder files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}
