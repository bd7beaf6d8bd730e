//! Pure functions on numbers: no trials, no names.

pub mod auc;
pub mod holm;
pub mod moments;
pub mod normal;
pub mod proportion;
