//! The ladder: one question asked at several sizes.

pub mod spec;

pub use spec::{
    BudgetSpec, DataSpec, FeatureSpec, LabelSpec, Ladder, MissingPolicy, ModelSpec, Normalize, SamplerKind,
    SamplerSpec, Schedule, SplitSpec,
};
