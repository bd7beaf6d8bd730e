//! Renders the trials of a ladder and their analysis: pure functions from data to text.

pub mod classic;
mod text;

pub use classic::classic;
