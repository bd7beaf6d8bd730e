//! The data types of Allometry: no I/O, no clock, no global state.
//!
//! A ladder is one experiment at several sizes. Its file becomes one [`SearchSpace`] per [`SizeBudget`]; a
//! sampler suggests a configuration ([`Params`]) from the space; an [`Objective`] evaluates it and the
//! result is stored as a [`FrozenTrial`], the only input of the analyses.

mod carried_over;
pub mod cholesky;
pub mod constraints;
mod distribution;
mod event;
mod expression;
mod handover;
mod identity;
mod levels;
mod metric_name;
mod metrics;
mod objective;
mod param;
pub mod pareto;
mod precision;
mod pruner_spec;
pub mod python;
mod retraining;
pub mod rng;
mod sampler_spec;
pub mod secret;
mod shared;
pub mod significant;
mod size;
pub mod space;
mod trial;
pub mod visible;

pub use carried_over::{CarriedBudget, CarriedOver, Guard};
pub use constraints::Constraints;
pub use distribution::{ChoiceOrder, Distribution, Distributions};
pub use event::{StopReason, StudyEvent};
pub use expression::{Condition, Expression, ExpressionError};
pub use handover::Handover;
pub use identity::StudyIdentity;
pub use levels::Levels;
pub use metric_name::implied_direction;
pub use metrics::{MetricSpec, Metrics};
pub use objective::{
    EpochReport, Objective, ObjectiveError, ObjectiveOutcome, PrunedOutcome, Reporter, Signal, TrialSpec,
};
pub use param::{ByName, ParamName, ParamValue, Params};
pub use precision::Precision;
pub use pruner_spec::{
    CollapseSpec, HalvingSpec, HyperbandSpec, IntervalSpec, PercentileSpec, PrunerKind, PrunerSpec,
};
pub use retraining::Retraining;
pub use rng::TrialRng;
pub use sampler_spec::{SamplerKind, SamplerSpec, Share};
pub use secret::Secret;
pub use shared::Shared;
pub use size::{ModelSize, RowCount, SizeBudget, SizeReach, TrainPart, WeightTarget, human_weights};
pub use space::SearchSpace;
pub use trial::{
    ClassCounts, CollapsedTo, Direction, EarlyStop, Failure, FrozenTrial, Origin, PanelRow, Predictions,
    Standing, TrainingCost, TrialNumber, TrialRecord, TrialState, ValidationOutputs, ValidationScores,
    incumbent, is_usable,
};
