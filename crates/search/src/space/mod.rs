//! The feasible configurations of search spaces.

mod axis;
mod census;
mod complete;
mod configuration;
mod error;
mod feasible;
mod gate;
mod mixed;
mod mixed_constraints;
mod quantities;
mod unit_cube;

pub(crate) use axis::MOST_LISTED;
pub use census::{Census, Removed};
pub use configuration::Configuration;
pub use error::{NoFeasible, SpaceError};
pub use feasible::{Feasible, FeasibleArchitecture};
pub(crate) use gate::{Gate, INACTIVE};
pub use quantities::{Blame, Measured};

#[cfg(test)]
pub(crate) mod tests;
