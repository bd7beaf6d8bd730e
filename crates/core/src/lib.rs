//! The data types of Allometry and its search algorithms: no I/O, no clock, no global state.
//!
//! A ladder is one experiment at several sizes. Its file becomes one [`SearchSpace`] per [`SizeBudget`]; a
//! [`Sampler`] suggests a configuration ([`Params`]) from the space; an [`Objective`] evaluates it and the
//! result is stored as a [`FrozenTrial`], the only input of the analyses.

pub mod cholesky;
pub mod confirm;
pub mod constraints;
pub mod distribution;
pub mod event;
pub mod expression;
pub mod identity;
pub mod ladder;
pub mod levels;
pub mod metric_name;
pub mod normal;
pub mod objective;
pub mod param;
pub mod pareto;
pub mod pruner;
pub mod python;
pub mod retraining;
pub mod rng;
pub mod sampler;
pub mod secret;
pub mod shared;
pub mod significant;
pub mod size;
pub mod space;
pub mod transfer;
pub mod trial;
pub mod visible;

pub use constraints::Constraints;
pub use distribution::{ChoiceOrder, Distribution};
pub use event::{StopReason, StudyEvent};
pub use identity::StudyIdentity;
pub use ladder::Ladder;
pub use levels::Levels;
pub use objective::{
    EpochReport, Objective, ObjectiveError, ObjectiveOutcome, PrunedOutcome, Reporter, Signal, TrialSpec,
};
pub use param::{ByName, Distributions, ParamName, ParamValue, Params};
pub use pruner::Pruner;
pub use retraining::Retraining;
pub use rng::TrialRng;
pub use sampler::{SampleError, Sampler, StudyView, Suggestion};
pub use secret::Secret;
pub use shared::Shared;
pub use size::{ModelSize, SizeBudget, SizeReach, WeightTarget};
pub use space::SearchSpace;
pub use trial::{
    ClassCounts, CollapsedTo, Direction, EarlyStop, Failure, FrozenTrial, Origin, Predictions, TrialNumber,
    TrialRecord, TrialState, ValidationOutputs, ValidationScores,
};
