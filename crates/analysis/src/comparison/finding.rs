//! Findings that appeared, disappeared or stayed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// A finding of both ladders; its numbers may have changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StayedFinding {
    /// The finding in A.
    pub a: Finding,
    /// The finding in B.
    pub b: Finding,
}

/// Findings of two ladders, matched by code and budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingChanges {
    /// Findings in B only.
    pub appeared: Vec<Finding>,
    /// Findings in A only.
    pub gone: Vec<Finding>,
    /// Findings in both.
    pub stayed: Vec<StayedFinding>,
}

impl FindingChanges {
    /// Matches findings; several findings with one code and budget are matched in their order.
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
