//! From a table to windows.

mod dataset;

pub use dataset::{Dataset, Part, PartName, Window};
