//! Records of the trials that a sampler uses from a ladder's other budgets.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The trials of other budgets that a budget's model uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CarriedOver {
    /// Budgets with trials to use.
    pub budgets: Vec<CarriedBudget>,
    /// Test whether their trials predict this budget's; `None` before enough of its own trials ended.
    pub guard: Option<Guard>,
}

/// The trials of one budget that another budget's model uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CarriedBudget {
    /// Label of the budget.
    pub label: String,
    /// Number of its trials in use.
    pub trials: u64,
}

/// The test of the other budgets' trials against a budget's own first trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// Number of own trials in the test.
    pub trials: u64,
    /// Spearman's rank correlation between their values and predictions from the other budgets' trials, in
    /// `[-1, 1]`.
    pub correlation: f64,
    /// Smallest correlation at which the other budgets' trials are used.
    pub least: f64,
}

impl Guard {
    /// Whether the other budgets' trials are used in the model.
    pub fn holds(&self) -> bool {
        self.correlation >= self.least
    }
}

/// The numbers of trials by budget and the result of the test.
impl fmt::Display for CarriedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, budget) in self.budgets.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} trials of {}", budget.trials, budget.label)?;
        }
        let Some(guard) = self.guard else { return Ok(()) };
        let kept = if guard.holds() { "kept" } else { "dropped" };
        let (correlation, trials) = (guard.correlation, guard.trials);
        write!(
            f,
            "; {kept}: their predictions have a rank correlation of {correlation:.2} with the first \
             {trials} own values"
        )
    }
}
