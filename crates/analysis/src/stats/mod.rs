//! Pure functions on numbers: no trials, no names.

pub mod auc;
pub mod benjamini_hochberg;
pub mod best_of;
pub mod bootstrap;
pub mod delong;
pub mod design;
pub mod discrepancy;
pub mod distribution;
pub mod holm;
pub mod isotonic;
pub mod jonckheere;
pub mod kendall;
pub mod least_squares;
pub mod lmg;
pub mod moments;
pub mod normal;
pub mod one_way;
pub mod permutation;
pub mod power_law;
pub mod proportion;
pub mod random;
pub mod rank;
pub mod sweep;
pub mod table;
pub mod two_sample;
pub mod weighted_auc;
