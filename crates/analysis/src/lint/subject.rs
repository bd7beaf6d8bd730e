//! The subjects of conclusions, and whether a conclusion stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reason::Claim;

/// Whether the report's own numbers support a conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The report's numbers support it.
    Stands,
    /// The numbers were tested and do not support it, or contradict it.
    DoesNotStand,
    /// The report lacks the numbers for a test.
    CannotBeTold,
}

impl Standing {
    /// Returns the standing in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::DoesNotStand => "does not stand",
            Self::CannotBeTold => "cannot be told",
        }
    }
}

/// The subject of a conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Whether more weights pay.
    Scaling,
    /// Sizes of a budget's models.
    Size,
    /// Whether one value is best in every budget.
    Consistency,
    /// Whether models predict nearly the same value for all rows.
    Collapse,
    /// A budget's best configuration.
    BestConfiguration,
    /// Importances as fractions of the variance.
    Shares,
    /// The importance of one parameter.
    Importance,
    /// Whether the metric rises or falls with a parameter.
    Trend,
    /// The best value of a parameter.
    BestValue,
}

impl Subject {
    /// All subjects, in the order in which reports discuss them.
    pub const ALL: [Self; 9] = [
        Self::Size,
        Self::Scaling,
        Self::Consistency,
        Self::Collapse,
        Self::BestConfiguration,
        Self::Shares,
        Self::Importance,
        Self::Trend,
        Self::BestValue,
    ];

    /// Returns the subject of a claim.
    pub(super) fn of(claim: &Claim) -> Self {
        match claim {
            Claim::Scaling { .. } => Self::Scaling,
            Claim::Size { .. } => Self::Size,
            Claim::Consistency { .. } => Self::Consistency,
            Claim::Collapse { .. } => Self::Collapse,
            Claim::BestConfiguration { .. } => Self::BestConfiguration,
            Claim::Shares { .. } => Self::Shares,
            Claim::Importance { .. } => Self::Importance,
            Claim::Trend { .. } => Self::Trend,
            Claim::BestValue { .. } => Self::BestValue,
        }
    }

    /// Returns the name used in codes.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Scaling => "scaling",
            Self::Size => "size",
            Self::Consistency => "consistency",
            Self::Collapse => "collapse",
            Self::BestConfiguration => "best-configuration",
            Self::Shares => "shares",
            Self::Importance => "importance",
            Self::Trend => "trend",
            Self::BestValue => "best-value",
        }
    }

    /// Returns the name used in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Size => "sizes of budgets",
            Self::Scaling => "scaling",
            Self::Consistency => "consistency across budgets",
            Self::Collapse => "collapse",
            Self::BestConfiguration => "best configurations",
            Self::Shares => "importances as fractions of the variance",
            Self::Importance => "importance of a parameter",
            Self::Trend => "trends",
            Self::BestValue => "best values of a parameter",
        }
    }
}
