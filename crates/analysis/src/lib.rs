//! Statistics of the trials of a ladder: no I/O, no clock, no globals; the same trials give the same numbers.
//!
//! Every analysis holds the figure that the classic report prints (named `naive`: users know it, and it must be
//! reproducible to the digit) beside the one to believe.

pub mod collapse;
pub mod consistency;
pub mod coverage;
pub mod importance;
pub mod input;
pub mod level;
pub mod sample;
pub mod scaling;
pub mod stats;
pub mod trend;

pub use input::{Baseline, LadderTrials, SizeReach, StudyTrials};
pub use sample::Sample;
