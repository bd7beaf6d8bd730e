//! A ladder with what evaluates its trials: loads its data, opens its studies and experiments in a store,
//! and drives studies for other programs.

mod calibration;
mod coordinates;
mod driven;
mod error;
mod evaluator;
mod experiment;
mod explain;
mod files;
mod join;
mod open;
mod prepare;
mod shuffle;

pub use coordinates::coordinate_runs;
pub use driven::driven;
pub use error::SessionError;
pub use evaluator::Evaluator;
pub use experiment::{Choose, ExperimentPlan, end_round, open_experiments};
pub use explain::{ExplainError, ExplainSettings, Explanation};
pub use files::{report_folder, runs_folder};
pub use join::{Join, Trust};
pub use open::{open, stored_precision};
pub use prepare::{Prepared, reach};
pub use shuffle::shuffle_control;

/// Returns the number of this machine's cores; 1 where it is unknown.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
