//! Findings that appeared, went and stayed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// A finding of both ladders; its numbers may have changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StayedFinding {
    /// As A has it.
    pub a: Finding,
    /// As B has it.
    pub b: Finding,
}

/// Findings of two ladders, matched by code and budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingChanges {
    /// Those of B alone.
    pub appeared: Vec<Finding>,
    /// Those of A alone.
    pub gone: Vec<Finding>,
    /// Those of both.
    pub stayed: Vec<StayedFinding>,
}

impl FindingChanges {
    /// Of several findings of one code on one budget the first goes with the first.
    pub(super) fn new(a: &[Finding], b: &[Finding]) -> Self {
        let mut left: Vec<&Finding> = a.iter().collect();
        let (mut appeared, mut stayed) = (Vec::new(), Vec::new());
        for finding in b {
            let same = |other: &&Finding| other.code == finding.code && other.budget == finding.budget;
            match left.iter().position(same) {
                Some(position) => {
                    stayed.push(StayedFinding { a: left.remove(position).clone(), b: finding.clone() });
                }
                None => appeared.push(finding.clone()),
            }
        }
        Self { appeared, gone: left.into_iter().cloned().collect(), stayed }
    }
}
