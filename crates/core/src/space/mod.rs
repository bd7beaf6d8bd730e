//! Search spaces, the conditions of their parameters, and the names that constraints can use.

mod constraint;
mod diff;
mod when;

pub use constraint::{QUANTITIES, constraint, is_quantity};
pub use diff::{SpaceChange, diff};
pub use when::{When, WhenError, contains, is_listed, ordered};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::Distribution;
use crate::param::{ByName, Params};

/// The architecture parameters, which determine the size of the model.
pub const ARCHITECTURE: [&str; 4] = ["d_model", "n_layers", "n_heads", "d_ff_ratio"];

/// The hyperparameters of a study with their distributions, in the order of the ladder file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SearchSpace(pub ByName<Distribution>);

impl SearchSpace {
    /// The distribution of `name`.
    pub fn get(&self, name: &str) -> Option<&Distribution> {
        self.0.get(name)
    }

    /// Names and distributions in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Distribution)> {
        self.0.iter().map(|(name, set)| (name.as_str(), set))
    }

    /// Whether `params` has exactly this space's parameters, each with a value of its set.
    pub fn contains(&self, params: &Params) -> bool {
        params.0.len() == self.0.len()
            && self.iter().all(|(name, set)| params.get(name).is_some_and(|v| set.contains(v)))
    }
}
