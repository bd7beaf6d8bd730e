//! The built-in trainer: a `PatchTST`-style classifier for windows of a multivariate series, on the CPU.

pub mod baseline;
mod batch;
pub mod data;
pub mod generate;
mod hyperparameters;
mod kernel;
mod learner;
mod memory;
pub mod metric;
mod model;
mod objective;
mod schedule;
mod stopping;

pub use hyperparameters::{Hyperparameters, NAMES as PARAMETER_NAMES};
pub use learner::{Diverged, Learner, StepReport};
pub use model::{Architecture, ArchitectureError, Cost, Geometry, cost};
pub use objective::{Fitted, PatchTstObjective};
