//! The built-in trainer: a `PatchTST`-style classifier for windows of a multivariate series, on the CPU.

pub mod baseline;
pub mod data;
pub mod generate;
pub mod metric;
