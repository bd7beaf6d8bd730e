//! The objectives of a ladder or a study.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trial::Direction;

/// One of several objectives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricSpec {
    /// Name of the metric.
    pub name: String,
    /// Direction of optimization.
    pub direction: Direction,
}

/// One or several objectives, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics(Vec<MetricSpec>);

impl Metrics {
    /// The objectives of a list; `None` if it is empty.
    pub fn new(metrics: Vec<MetricSpec>) -> Option<Self> {
        (!metrics.is_empty()).then_some(Self(metrics))
    }

    /// A single objective.
    pub fn one(name: impl Into<String>, direction: Direction) -> Self {
        Self(vec![MetricSpec { name: name.into(), direction }])
    }

    /// The first objective.
    pub fn first(&self) -> &MetricSpec {
        &self.0[0]
    }

    /// The first objective, to change it.
    pub fn first_mut(&mut self) -> &mut MetricSpec {
        &mut self.0[0]
    }

    /// The objectives followed by `later` ones.
    #[must_use]
    pub fn with(mut self, later: impl IntoIterator<Item = MetricSpec>) -> Self {
        self.0.extend(later);
        self
    }

    /// All objectives; at least one.
    pub fn as_slice(&self) -> &[MetricSpec] {
        &self.0
    }

    /// Whether there are at least two objectives.
    pub fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// Direction of each objective.
    pub fn directions(&self) -> Vec<Direction> {
        self.0.iter().map(|metric| metric.direction).collect()
    }

    /// Name of each objective.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|metric| metric.name.clone()).collect()
    }
}
