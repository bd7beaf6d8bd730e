//! Pure functions on numbers: no trials, no names.

pub mod moments;
