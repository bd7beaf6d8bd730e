//! Statistics of the trials of a ladder: no I/O, no clock, no globals; equal trials give equal numbers.
//!
//! [`analyze`] turns [`LadderTrials`] into an [`Analysis`]. Every analysis holds the figure that the classic
//! report prints (named `naive`: users know it, and it must be reproducible to the digit) beside the reliable
//! one. Conclusions are data; the crate `allometry-report` puts them into words (see [`Statement`]).

pub mod analysis;
pub mod baseline;
pub mod collapse;
pub mod comparison;
mod configurations;
pub mod confirmation;
pub mod consistency;
pub mod coordinates;
pub mod coverage;
pub mod duplicates;
pub mod edge;
pub mod effort;
pub mod estimate;
pub mod fanova;
pub mod finding;
pub mod forest;
pub mod front;
pub mod importance;
pub mod input;
pub mod law;
pub mod learning_rate;
pub mod level;
pub mod lint;
mod looks;
mod metric_name;
pub mod model;
pub mod options;
mod outcome;
pub mod outputs;
pub mod ped_anova;
pub mod plan;
mod predictions;
pub mod pruning;
mod range_source;
pub mod recommendation;
pub mod retrained;
mod row_scores;
mod rows;
pub mod sample;
pub mod scaling;
pub mod scores;
mod series;
pub mod size;
pub mod space_importance;
pub mod statement;
pub mod stats;
pub mod study;
pub mod summary;
pub mod transfer;
pub mod trend;
pub mod verdict;

pub use analysis::{Analysis, analyze};
pub use comparison::{Comparison, Side};
pub use confirmation::Confirmation;
pub use estimate::{Estimate, Interval, Method};
pub use fanova::{Fanova, FanovaOptions, FanovaOutcome};
pub use finding::{Finding, FindingCode, FindingText, Problem, Severity};
pub use front::{Front, Objectives};
pub use input::{Baseline, LadderTrials, RowOrder, Series, StudyTrials, is_auc};
pub use lint::{Knowledge, Lint, lint};
pub use options::Options;
pub use outcome::Outcome;
pub use outputs::Outputs;
pub use predictions::StudyPredictions;
pub use recommendation::Recommendation;
pub use retrained::RetrainedTrials;
pub use rows::{NoRowError, paired_difference, paired_gain};
pub use scores::Scores;
pub use statement::Statement;
pub use study::StudyAnalysis;
pub use transfer::Transfer;
pub use verdict::{Caveat, Evidence, EvidenceBasis, Verdict};
