//! The search: feasible configurations of a space, samplers that suggest the next one, pruners that stop
//! trials early, and the plans of retraining. No I/O, no clock, no global state.

pub mod confirm;
pub mod normal;
mod pareto_boxes;
mod pruner;
mod retraining;
mod sampler;
mod space;
pub mod transfer;

pub use pruner::{Decision, Exemption, PrunedStudy, Pruner, ReportingTrial, pruning_bars};
pub use retraining::Searched;
pub use sampler::{
    BestValue, Expected, MOST_GP_TRIALS, NoExpectation, OtherBudget, Recommendation, SampleError, Sampler,
    StudyView, Suggestion, batch, best_value, build as build_sampler, can_model, handover, recommend,
};
pub use space::{
    Blame, Census, Configuration, Feasible, FeasibleArchitecture, Measured, NoFeasible, Removed, SpaceError,
};
