//! Why a conclusion of a report stands or does not.

use super::scaling::{BudgetOrder, MeansReason};

/// Why a conclusion stands or does not.
#[derive(Debug, Clone, PartialEq)]
pub enum LintReason {
    /// What the means of the trials tell.
    Means {
        /// The answer.
        means: MeansReason,
        /// The labels of the budgets by size, where that is not the report's order, with what tells the sizes.
        order: Option<(BudgetOrder, Vec<String>)>,
    },
}
