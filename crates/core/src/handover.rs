//! Records of samplers that another one replaced.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sampler_spec::SamplerKind;

/// The replacement of a study's sampler by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handover {
    /// Sampler in the study's settings.
    pub from: SamplerKind,
    /// Sampler that replaces it.
    pub to: SamplerKind,
    /// Largest number of ended trials of the first sampler.
    pub trials: u64,
}

/// A sentence with both samplers and the limit.
impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        write!(f, "`{from}` models at most {} trials; `{to}` suggests the following ones", self.trials)
    }
}
