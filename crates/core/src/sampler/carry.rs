//! What a sampler took over from a ladder's other budgets.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a budget's model owes to the trials of other budgets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CarriedOver {
    /// The budgets that had trials to learn from.
    pub budgets: Vec<CarriedBudget>,
    /// Whether their trials tell anything of this budget; `None` before enough of its own trials ended.
    pub guard: Option<Guard>,
}

/// Trials of one budget that a model of another learned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CarriedBudget {
    /// The budget's name.
    pub label: String,
    /// Its trials.
    pub trials: u64,
}

/// The test of what was carried over against a budget's own first trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// Own trials that it was tested on.
    pub trials: u64,
    /// Spearman's rank correlation of their values with what the other budgets' trials alone predict, in `[-1, 1]`.
    pub correlation: f64,
    /// The correlation below which the other budgets' trials are dropped.
    pub least: f64,
}

impl Guard {
    /// Whether the other budgets' trials stay in the model.
    pub fn holds(&self) -> bool {
        self.correlation >= self.least
    }
}

/// As people say it.
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
            "; {kept}: what they predict has a rank correlation of {correlation:.2} with the first {trials} own values"
        )
    }
}
