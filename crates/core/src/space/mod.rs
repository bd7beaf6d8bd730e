//! Search spaces and their feasible sets.

mod axis;
mod census;
mod complete;
mod constraint;
mod diff;
mod error;
mod feasible;
mod mixed;
mod unit_cube;
mod when;

pub(crate) use axis::MOST_LISTED;
pub use census::{Census, Removed};
pub use constraint::{Blame, Measured, QUANTITIES, constraint};
pub use diff::{SpaceChange, diff};
pub use error::{NoFeasible, SpaceError};
pub use feasible::{Architecture, Configuration, Feasible};
pub(crate) use when::Gate;
pub use when::{INACTIVE, When, WhenError, contains, ordered};

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

#[cfg(test)]
pub(crate) mod tests;
